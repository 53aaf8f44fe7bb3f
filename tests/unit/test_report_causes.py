"""How reports tell whose change an action is."""

from hypothesis import given
from msgspec.structs import replace

from pkgsync.model import Cause, Comparison, NoLonger, Plan
from pkgsync.report import Style, plan_markdown, plan_text
from pkgsync.report.sections import length
from tests.support.values.samples import JAMMY, LEAP, PLAN, SUMS
from tests.support.values.strategies import plans

DIGEST = f"sha256:{SUMS['a']}"
CAUSES = {
    **{action.key: Cause.OBS for action in PLAN.actions},
    PLAN.deletions[0].key: Cause.CONFIG,
    PLAN.uploads[0].key: Cause.PACKAGECLOUD,
}
NO_LONGER = (
    NoLonger(distribution=LEAP, filename="gone-1.0-1.x86_64.rpm", action="deletion", held=True),
    NoLonger(distribution=JAMMY, filename="new_1.0_all.deb", action="upload"),
)
COMPARED = replace(PLAN, base=Comparison(config_digest=DIGEST, causes=CAUSES, no_longer=NO_LONGER))


def test_text_counts_the_causes_and_marks_packages_and_deletions() -> None:
    text = plan_text(COMPARED, Style())
    assert "Whose change it is:\n  by this config: 1 to delete\n  by OBS: " in text
    assert "  on Packagecloud: 1 to upload\n" in text
    assert "; uploaded" in text and "by this config; " in text
    assert (
        "No longer, as only the old config would: 1 to upload, 1 to delete\n"
        "  - opensuse/15.6/gone-1.0-1.x86_64.rpm, now held\n"
        "  + ubuntu/jammy/new_1.0_all.deb\n"
    ) in text
    many = replace(COMPARED, base=Comparison(config_digest=DIGEST, causes=CAUSES, no_longer=NO_LONGER * 10))
    assert "  and 8 more (-v names them)\n" in plan_text(many, Style())
    assert "more (-v" not in plan_text(many, Style(), verbose=True)


def test_markdown_has_a_list_of_causes_and_a_list_of_what_is_no_longer() -> None:
    text = plan_markdown(COMPARED)
    assert "- by this config: 1 to delete\n- by OBS: " in text
    assert " · by this config" in text
    assert "- no longer, as only the old config would: 1 to upload, 1 to delete\n" in text
    assert "- `opensuse/15.6/gone-1.0-1.x86_64.rpm` to delete, now held\n" in text


def test_a_plan_without_an_old_config_says_nothing_of_causes() -> None:
    assert not [form for form in (plan_text(PLAN, Style()), plan_markdown(PLAN)) if "hose change" in form]


@given(plans())
def test_reports_of_any_comparison_keep_their_limits(plan: Plan) -> None:
    assert plan_text(plan, Style())
    assert all(length(plan_markdown(plan, limit)) <= limit for limit in (300, 2000, 65536))
