"""``pkgsync snapshot``."""

import shlex
from pathlib import Path
from typing import Any

import click

from pkgsync.cli.options import Command, Context, Moment, NewFile, common
from pkgsync.errors import ExitCode


def _is_snapshot(path: Path) -> bool:
    from pkgsync import snapshot as snapshots

    return snapshots.is_snapshot(path)


_NEW = NewFile("snapshot", _is_snapshot)


@click.command(cls=Command)
@click.option("-o", "--out", type=_NEW, required=True, help="Write the snapshot to this file.")
@click.option("--now", type=Moment(), help="Take this as the present time.")
@common()
def snapshot(context: Context, out: Path, now: Any) -> int:
    """Save what OBS and Packagecloud hold now, without secrets, to plan from it later. Changes nothing."""
    from pkgsync import api, report
    from pkgsync import snapshot as snapshots
    from pkgsync.cli.commands.plan import at, say_unsigned
    from pkgsync.services import judged

    config, terminal = context.config(), context.terminal
    made = snapshots.write(api.snapshot(config, context.surroundings(), now=at(now)), out)
    rows, projects = made.packagecloud.total, len(made.obs.projects)
    read = (
        f"{report.plural(rows, 'package')} of {made.packagecloud.repository}, {report.plural(projects, 'OBS project')}"
    )
    terminal.info(f"Saved {out} ({made.digest}): {read}.")
    desired = judged(config, made.obs)
    unread = [r.id for r in desired.repositories if r.unread]
    if say_unsigned(terminal, desired.repositories):
        return ExitCode.INTEGRITY
    if unread:
        words = f"the snapshot is incomplete: {', '.join(unread)} could not be read"
        terminal.error(words, "Take another one later: a plan from this one deletes and replaces nothing there.")
        return ExitCode.ERROR
    step = f"pkgsync {context.options}plan --from-snapshot {shlex.quote(str(out))}"
    terminal.info(f"Plan from it, without network and credentials: {step}")
    return ExitCode.OK
