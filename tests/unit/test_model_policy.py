"""The policy that counts: the config's, with what the command line set over it."""

from msgspec.structs import replace

from pkgsync.model import OrphanAction, OrphanPolicy, Overrides, Policy

CONFIG = Policy(
    exclude=("*-devel*",), orphans=OrphanPolicy(action=OrphanAction.DELETE, keep_versions=3, protect=("kernel*",))
)


def test_nothing_overridden_is_the_config() -> None:
    assert Overrides().over(CONFIG) == CONFIG


def test_an_action_of_the_command_line_replaces_only_the_action() -> None:
    kept = replace(CONFIG, orphans=OrphanPolicy(action=OrphanAction.KEEP, keep_versions=3, protect=("kernel*",)))
    assert Overrides(orphans=OrphanAction.KEEP, max_deletions=5).over(CONFIG) == kept
