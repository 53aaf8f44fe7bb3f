"""``pkgsync demo``: the whole story on loopback, with real packages."""

import os
from contextlib import chdir
from importlib.util import find_spec
from pathlib import Path

import click

from pkgsync.cli.options import Command, Context, common
from pkgsync.errors import PkgsyncError

# Some of the packages tell the story as well as all of them.
_EXCLUDE = ["demo-*", "libdemo*"]
_DAY_ONE = (
    ("Read both services and write the plan.", ("plan", "-o", "plan.json")),
    (
        "The same as Markdown, for the pull request in which it is reviewed.",
        ("show", "--format", "markdown", "plan.json"),
    ),
    ("Execute exactly that file.", ("apply", "plan.json")),
    ("Plan again: nothing is left to do. What pkgsync knows nothing of, it keeps.", ("plan",)),
)
_DAY_TWO = (
    ("The new version, and the deb that was rebuilt under its old name.", ("plan", "-o", "plan2.json")),
    ("Uploads, then replacements, then deletions; what goes is backed up first.", ("apply", "plan2.json")),
    ("What is left that OBS does not publish, and why each of them stays.", ("audit",)),
)


@click.command(cls=Command)
@common()
def demo(context: Context) -> None:
    """Show plan, show, apply and audit on real packages, with servers on this machine only."""
    import tempfile

    from pkgsync.sandbox import DEMO_ORPHANS, INSTALL, Sandbox, demo_world_day1, demo_world_day2

    if find_spec("werkzeug") is None:
        raise PkgsyncError("the demo needs werkzeug, which is not installed", tip=INSTALL)
    with tempfile.TemporaryDirectory(prefix="pkgsync-demo-") as folder, Sandbox() as sandbox, chdir(folder):
        sandbox.write_config(Path(folder), {"orphans": DEMO_ORPHANS, "exclude": _EXCLUDE})
        os.environ.update(sandbox.environment | _places(Path(folder)))
        context.terminal.info("An OBS and a Packagecloud run on this machine, over real small packages.")
        demo_world_day1(sandbox)
        _tell(context, _DAY_ONE)
        context.terminal.info("\nOvernight OBS builds a new hello-tool, rebuilds netdemo and drops old-tool.")
        demo_world_day2(sandbox)
        _tell(context, _DAY_TWO)
        context.terminal.info("\nThat was all. Your own project: pkgsync help start")


def _tell(context: Context, steps: tuple[tuple[str, tuple[str, ...]], ...]) -> None:
    group = click.get_current_context().find_root().command
    for words, arguments in steps:
        context.terminal.info(f"\n# {words}")
        context.terminal.info(f"$ pkgsync {' '.join(arguments)}")
        own = Context(dict(context.values), context.shown)
        code = group.main(list(arguments), prog_name="pkgsync", standalone_mode=False, obj=own)
        if code:
            raise PkgsyncError(f"the demo failed: pkgsync {arguments[0]} ended with exit code {code}")


def _places(folder: Path) -> dict[str, str]:
    """In place of the user's own variables and options, which could lead the demo to real servers."""
    names = {"CONFIG": "pkgsync.yaml", "CACHE_DIR": "cache", "STATE_DIR": "state", "BACKUP_DIR": "backups"}
    return {f"PKGSYNC_{variable}": str(folder / name) for variable, name in names.items()}
