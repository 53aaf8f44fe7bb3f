"""The faults of the predecessor (kata-pkgsync) in reading and planning; each test names the fault by its number.

Those in transferring and deleting are in test_predecessor_apply.py.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pkgsync.sandbox import (
    PROJECT,
    REPOSITORY,
    Fault,
    Kind,
    Switchboard,
    html_page,
    make_deb,
    make_rpm,
    replace_body,
)
from tests.support.worlds.cli_world import DEB, JAMMY, JAMMY_REPOSITORY, LEAP, LEAP_REPOSITORY, LONG_AGO, Cli, open_cli

OLD_RPM, OLD_DEB = make_rpm("hello", "0.9"), make_deb("hello", "0.9", "1")
GONE_RPM, GONE_DEB = make_rpm("gone", "1.0"), make_deb("gone", "1.0", "1")
EVERYTHING_MAY_GO = {
    "orphans": {"action": "delete", "keep_versions": 1, "names": ["*"]},
    "limits": {"deletions": 1000, "deletions_percent": 100},
}
ACTIONS = ("uploads", "replacements", "deletions", "archivings")


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cli]:
    """In step, but for a superseded and a gone package in either distribution, all of which may be deleted."""
    with open_cli(tmp_path, monkeypatch) as cli:
        cli.in_step()
        cli.put(OLD_RPM, OLD_DEB, GONE_RPM, GONE_DEB)
        cli.configure(**EVERYTHING_MAY_GO)
        yield cli


def deleted(plan: dict[str, Any]) -> set[str]:
    return {f"{action['distribution']}/{action['filename']}" for action in plan["deletions"]}


SUPERSEDED = {f"{LEAP}/{OLD_RPM.filename}", f"{JAMMY}/{OLD_DEB.filename}"}


def assert_nothing_of(plan: dict[str, Any], distribution: str) -> None:
    """No deletion and no replacement where the reads prove nothing, but business as usual elsewhere."""
    removals = [*plan["deletions"], *plan["replacements"], *plan["archivings"]]
    assert distribution not in {action["distribution"] for action in removals}
    other = JAMMY if distribution == LEAP else LEAP
    assert {key for key in SUPERSEDED if key.startswith(other)} <= deleted(plan)


def test_0_the_world_of_these_tests_has_deletions_to_lose(cli: Cli) -> None:
    assert deleted(cli.plan()) >= SUPERSEDED


@pytest.mark.parametrize(
    "fault",
    [
        Fault(kind=Kind.STATUS, status=500),
        Fault(kind=Kind.STATUS, status=429, headers={"Retry-After": "0"}),
        html_page(200),
    ],
    ids=["500", "429", "html"],
)
@pytest.mark.parametrize("path", ["_meta", "_result", "repomd.xml", "Release"])
def test_5_one_bad_answer_of_obs_is_asked_again(cli: Cli, fault: Fault, path: str) -> None:
    expected = cli.plan("--now", "2026-11-22")
    one = Fault(kind=fault.kind, path=path, status=fault.status, headers=fault.headers, body=fault.body)
    cli.sandbox.obs.faults.add(one)
    found = cli.plan("--now", "2026-11-22")
    assert one.hits == 1
    assert [found[kind] for kind in ACTIONS] == [expected[kind] for kind in ACTIONS]


@pytest.mark.parametrize("page", [1, 2, 3])
def test_6_one_500_on_a_page_of_the_listing_is_asked_again(cli: Cli, page: int) -> None:
    cli.sandbox.packagecloud.max_per_page = 2
    fault = cli.packagecloud_fault(Kind.STATUS, rf"packages\.json\?.*\bpage={page}\b", status=500)
    plan = cli.plan()
    assert (fault.hits, plan["target"]["total"]) == (1, 6)
    assert deleted(plan) >= SUPERSEDED


def test_7_a_project_that_cannot_be_read_transfers_nothing_of_any_other(cli: Cli) -> None:
    cli.sandbox.obs.add_repository("demo:second", LEAP_REPOSITORY, "rpm", ["x86_64"])
    cli.sandbox.obs.finish("demo:second", LEAP_REPOSITORY, "x86_64", "more", [make_rpm("more")])
    cli.sandbox.obs.publish_all("demo:second")
    obs = {**cli.sandbox.config()["obs"], "projects": [{"name": PROJECT}, {"name": "demo:second"}]}  # type: ignore[dict-item]
    cli.configure(obs=obs)
    cli.publish(make_rpm("hello", "2.0"))
    assert [upload["filename"] for upload in cli.plan()["uploads"]] == [
        "hello-2.0-1.x86_64.rpm",
        "more-1.0-1.x86_64.rpm",
    ]
    cli.obs_fault(Kind.STATUS, "/demo:second/", times=None, status=500)
    before = cli.names
    done = cli.run("plan", "-o", "plan.json")
    assert (done.code, len(done.errors), cli.names) == (1, 1, before)
    assert "demo:second" in done.errors[0]
    assert not (cli.folder / "plan.json").exists()


def test_8_every_tenth_request_failing_is_survived(cli: Cli) -> None:
    cli.sandbox.packagecloud.max_per_page = 1
    boards: list[Switchboard] = [cli.sandbox.obs.faults, cli.sandbox.packagecloud.faults]
    for board in boards:
        for number in range(1, 200, 10):
            board.add(Fault(kind=Kind.STATUS, nth=number, status=503))
    assert cli.run("plan", "-o", "plan.json").code == 0
    assert deleted(cli.saved()) >= SUPERSEDED
    assert cli.run("apply", "plan.json").code == 0
    assert cli.names.isdisjoint(SUPERSEDED)


def test_12_other_content_under_the_same_name_is_a_replacement(cli: Cli) -> None:
    rebuilt = make_deb("hello", "1.0", "1", salt="rebuilt")
    cli.publish(rebuilt)
    (replacement,) = cli.plan()["replacements"]
    assert (replacement["filename"], replacement["sha256"]) == (DEB.filename, rebuilt.blob.digest("sha256"))
    assert replacement["old"]["sha256"] == DEB.blob.digest("sha256")


def test_13_a_distribution_that_is_not_managed_is_never_touched(cli: Cli) -> None:
    for distribution in ("fedora/40", "opensuse/15.5", "el/9"):
        for artifact in (OLD_RPM, GONE_RPM, make_rpm("hello", "0.1")):
            cli.sandbox.packagecloud.add(REPOSITORY, distribution, artifact.blob, created_at=LONG_AGO)
    plan = cli.plan()
    assert {action["distribution"] for action in plan["deletions"]} == {LEAP, JAMMY}
    assert plan["summary"]["unmanaged"] == 9


def test_14_a_repository_mapped_to_null_deletes_nothing(cli: Cli) -> None:
    cli.configure(**EVERYTHING_MAY_GO, distributions={LEAP_REPOSITORY: None, "*": None, JAMMY_REPOSITORY: JAMMY})
    plan = cli.plan()
    assert_nothing_of(plan, LEAP)
    assert plan["summary"]["unmanaged"] == 3
    assert cli.sandbox.log.count("obs", target=f"/published/.*{LEAP_REPOSITORY}") == 0


def _no_binaries(cli: Cli) -> None:
    cli.sandbox.obs.wipe(PROJECT, LEAP_REPOSITORY, "x86_64", "hello")
    cli.sandbox.obs.publish(PROJECT, LEAP_REPOSITORY)


def _no_packages(cli: Cli) -> None:
    cli.sandbox.obs.remove_package(PROJECT, "hello")
    cli.publish(DEB)
    cli.sandbox.obs.publish(PROJECT, LEAP_REPOSITORY)


def _no_architecture(cli: Cli) -> None:
    cli.sandbox.obs.repository(PROJECT, LEAP_REPOSITORY).archs.clear()


def _no_repository(cli: Cli) -> None:
    del cli.sandbox.obs.projects[PROJECT].repositories[LEAP_REPOSITORY]


def _empty_index(cli: Cli) -> None:
    cli.sandbox.obs.repository(PROJECT, LEAP_REPOSITORY).files.clear()
    cli.sandbox.obs.publish_indexes(PROJECT, LEAP_REPOSITORY)


def _no_index(cli: Cli) -> None:
    cli.sandbox.obs.repository(PROJECT, LEAP_REPOSITORY).tree.clear()


@pytest.mark.parametrize(
    "empty", [_no_binaries, _no_packages, _no_architecture, _no_repository, _empty_index, _no_index]
)
def test_15_an_empty_repository_deletes_nothing(cli: Cli, empty: Any) -> None:
    empty(cli)
    done = cli.run("plan", "-o", "plan.json")
    plan = cli.saved()
    # a repository that nobody has is an error of the map, and the plan is complete
    assert done.code == (0 if plan["complete"] and empty is not _no_repository else 1)
    assert_nothing_of(plan, LEAP)
    (repository,) = [r for r in plan["source"]["repositories"] if r["repository"] == LEAP_REPOSITORY]
    assert (repository["settled"], bool(repository["problems"])) == (False, True)
    assert "Not settled in OBS" in done.out


@pytest.mark.parametrize("answer", [b"<resultlist state='00000000000000000000000000000000'/>", b"<resultlist/>", b""])
def test_15_an_empty_answer_about_the_project_deletes_nothing(cli: Cli, answer: bytes) -> None:
    cli.obs_fault(Kind.REWRITE, "_result", times=None, change=replace_body(answer))
    done = cli.run("plan", "-o", "plan.json")
    if done.code == 0:
        assert (cli.saved()["deletions"], cli.saved()["replacements"]) == ([], [])
    else:
        assert done.code == 1
        assert not (cli.folder / "plan.json").exists()


@pytest.mark.parametrize(
    ("code", "dirty"),
    [("building", False), ("published", True), ("finished", False), ("publishing", False), ("broken", False)],
)
def test_16_a_repository_that_is_not_at_rest_deletes_nothing(cli: Cli, code: str, dirty: bool) -> None:
    cli.sandbox.obs.set_arch(PROJECT, LEAP_REPOSITORY, "x86_64", code, dirty=dirty)
    plan = cli.plan()
    assert_nothing_of(plan, LEAP)
    assert {held["filename"] for held in plan["held"] if held["distribution"] == LEAP} >= {OLD_RPM.filename}


def test_18_a_noarch_package_of_two_architectures_is_uploaded_once(cli: Cli) -> None:
    state = cli.sandbox.obs.repository(PROJECT, LEAP_REPOSITORY).archs
    state["aarch64"] = type(state["x86_64"])()
    for arch in ("x86_64", "aarch64"):
        doc = make_rpm("doc", "1.0", arch="noarch", salt=arch)
        cli.sandbox.obs.finish(PROJECT, LEAP_REPOSITORY, arch, "doc", [doc])
    cli.sandbox.obs.publish(PROJECT, LEAP_REPOSITORY)
    assert cli.run("plan", "-o", "plan.json").code == 0
    assert [upload["filename"] for upload in cli.saved()["uploads"]] == ["doc-1.0-1.noarch.rpm"]
    assert cli.run("apply", "plan.json").code == 0
    assert cli.sandbox.log.count("packagecloud", "POST") == 1
    published = cli.sandbox.obs.repository(PROJECT, LEAP_REPOSITORY).files["noarch/doc-1.0-1.noarch.rpm"]
    held = {name: sha for _, name, sha in cli.sandbox.packagecloud.content(REPOSITORY)}
    assert held["doc-1.0-1.noarch.rpm"] == published.artifact.blob.digest("sha256")


def test_19_a_repository_without_a_mapping_is_found_before_anything_is_done(cli: Cli) -> None:
    cli.publish(make_rpm("hello", "2.0"))
    cli.sandbox.obs.add_repository(PROJECT, "zzz_last", "rpm", ["x86_64"])
    before = cli.names
    done = cli.run("plan", "-o", "plan.json")
    assert (done.code, len(done.errors), cli.names) == (1, 1, before)
    assert "zzz_last" in done.err
    assert not (cli.folder / "plan.json").exists()


@pytest.mark.parametrize("arch", ["riscv64", "armv7l", "i586", "loongarch64"])
def test_20_any_architecture_is_fine(cli: Cli, arch: str) -> None:
    state = cli.sandbox.obs.repository(PROJECT, LEAP_REPOSITORY).archs
    state[arch] = type(state["x86_64"])()
    cli.sandbox.obs.finish(PROJECT, LEAP_REPOSITORY, arch, "hello", [make_rpm("hello", "1.0", arch=arch)])
    cli.sandbox.obs.publish(PROJECT, LEAP_REPOSITORY)
    assert [upload["filename"] for upload in cli.plan()["uploads"]] == [f"hello-1.0-1.{arch}.rpm"]


def test_21_distributions_are_asked_for_not_compiled_in(cli: Cli) -> None:
    cli.configure(distributions={LEAP_REPOSITORY: "opensuse/15.6", JAMMY_REPOSITORY: "ubuntu/oracular", "*": None})
    assert [upload["distribution"] for upload in cli.plan()["uploads"]] == ["ubuntu/oracular"]


def test_21_an_unknown_distribution_ends_the_plan_and_names_the_nearest(cli: Cli) -> None:
    cli.configure(
        **EVERYTHING_MAY_GO, distributions={LEAP_REPOSITORY: "opensuse/15.66", JAMMY_REPOSITORY: JAMMY, "*": None}
    )
    done = cli.run("plan", "-o", "plan.json")
    assert done.code == 1
    assert "opensuse/15.66" in done.err
    assert "opensuse/15.6" in done.err.replace("opensuse/15.66", "")
    assert not (cli.folder / "plan.json").exists()


def test_22_a_plan_names_every_file_that_it_would_delete(cli: Cli) -> None:
    before = cli.names
    done = cli.run("plan", "-o", "plan.json")
    assert re.search(r"^Plan: 0 to upload, 0 to replace, [1-9]\d* to delete", done.out, re.MULTILINE)
    keys = deleted(cli.saved())
    assert all(f"- {key}" in done.out for key in keys)
    dry = cli.run("apply", "plan.json", "--dry-run")
    assert all(key.rpartition("/")[2] in dry.out for key in keys)
    assert f"{len(keys)} due" in dry.out
    assert cli.names == before


def test_26_debug_shows_no_credential(cli: Cli) -> None:
    cli.run("plan", "-o", "plan.json")
    runs = [cli.run(*words, "--debug") for words in (("plan",), ("audit",), ("apply", "plan.json"))]
    for secret in (cli.sandbox.token, cli.sandbox.obs.password, cli.sandbox.packagecloud.read_token):
        assert all(secret not in done.out + done.err for done in runs)


def test_27_a_401_of_obs_says_what_to_do(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OSC_PASSWORD", "outdated")
    done = cli.run("plan")
    assert (done.code, len(done.errors)) == (7, 1)
    assert cli.sandbox.obs_url in done.errors[0]
    (tip,) = [line for line in done.err.splitlines() if line.startswith("tip: ")]
    assert tip == "tip: Check OSC_USERNAME and OSC_PASSWORD."


def test_27_a_missing_login_says_what_to_do(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OSC_PASSWORD")
    done = cli.run("plan")
    assert done.code == 7
    assert "OSC_PASSWORD" in done.err


def test_all_27_rows_have_a_test() -> None:
    here = Path(__file__).parent
    text = "".join(path.read_text() for path in sorted(here.glob("test_predecessor_*.py")))
    rows = {int(number) for number in re.findall(r"^def test_(\d+)_", text, re.MULTILINE)}
    assert set(range(1, 28)) - rows == set()
