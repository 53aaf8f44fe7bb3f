"""``pkgsync plan``."""

import shlex
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pkgsync.cli.options import FILE, NEW_PLAN, Command, Context, Moment, common, in_parts
from pkgsync.cli.terminal import Terminal, Verbosity
from pkgsync.errors import PLAN_PRECEDENCE, ExitCode, UsageError

if TYPE_CHECKING:
    from pkgsync.config import Config
    from pkgsync.model import Plan, PlannedRepository, Repository

_LATER = "Plan again later."
FORMATS = ("text", "json", "markdown", "html", "gitlab")


@click.command(cls=Command)
@click.option("-o", "--out", type=NEW_PLAN, help="Write the plan to this file.")
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", help="Form of the output [text].")
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@in_parts
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 when there are changes.")
@click.option("--target", multiple=True, metavar="GLOB", help="Only package keys (distribution/file) that match.")
@click.option("--exclude", multiple=True, metavar="GLOB", help="Leave out package keys that match.")
@click.option(
    "--orphans", type=click.Choice(["keep", "delete", "archive"]), help="Do this with orphans, over the config."
)
@click.option("--max-deletions", type=click.IntRange(min=0), metavar="N", help="Allow N deletions per distribution.")
@click.option(
    "--accept-older-index", multiple=True, metavar="PROJECT/REPO", help="Its index may be older than one seen before."
)
@click.option("--now", type=Moment(), help="Take this as the present time.")
@click.option(
    "--from-snapshot",
    type=FILE,
    metavar="FILE",
    help="Plan from this file of `pkgsync snapshot`: no network, no login.",
)
@click.option("--base", type=FILE, metavar="CONFIG", help="Compare with this old config: whose change is each action?")
@common()
def plan(
    context: Context,
    out: Path | None,
    form: str,
    as_json: bool,
    max_length: int | None,
    part: int | None,
    detailed_exitcode: bool,
    target: tuple[str, ...],
    exclude: tuple[str, ...],
    orphans: str | None,
    max_deletions: int | None,
    accept_older_index: tuple[str, ...],
    now: datetime | None,
    from_snapshot: Path | None,
    base: Path | None,
) -> int:
    """Read OBS and Packagecloud, and say what to change. Changes nothing."""
    from pkgsync import api, mapping, planfile, snapshot
    from pkgsync.config import load
    from pkgsync.model import OrphanAction, Overrides, Selection, iso

    terminal = context.terminal
    form = "json" if as_json else form
    check_parts(form, max_length, part)
    config = context.config()
    taken = snapshot.read(from_snapshot) if from_snapshot else None
    made = api.plan(
        config,
        context.surroundings(),
        overrides=Overrides(OrphanAction(orphans) if orphans else None, max_deletions, accept_older_index),
        selection=Selection(target, exclude),
        now=at(now) if now else None,
        snapshot=taken,
        # for what it decides; its credentials are not looked for
        base=load(base, {}) if base else None,
    )
    if taken is not None:
        read = f"Planned from {from_snapshot}, read {iso(taken.packagecloud.read_at)}."
        terminal.info(f"{read} No service was asked now; apply asks both again.")
    # first: a pipe that closes must not lose the plan
    made = planfile.write(made, out) if out is not None else planfile.with_digest(made)
    terminal.data(render(made, form, terminal, max_length, part))
    nowhere = mapping.nowhere(config, made.source.repositories)
    for problem in nowhere:
        terminal.error(problem.line, problem.fix, "MappingError")
    later = _LATER if taken is None else "Take a new snapshot with this config."
    say_what_next(made, out, context, config, later=later)
    return exit_code(made, detailed_exitcode, wrong_map=bool(nowhere))


def at(now: datetime | None) -> Callable[[], datetime]:
    """The clock of a run: the given time, else the real one."""
    from pkgsync.surroundings import utc_now

    return (lambda: now) if now else utc_now


def check_parts(form: str, length: int | None, part: int | None) -> None:
    """Raises UsageError where the form has no parts."""
    if form != "markdown" and (length or part):
        raise UsageError("--max-length and --part are for --format markdown", tip="Add --format markdown.")


def render(made: "Plan", form: str, terminal: Terminal, length: int | None = None, part: int | None = None) -> str:
    from pkgsync import planfile, report

    match form:
        case "json":
            return planfile.dumps(made).decode()
        case "markdown":
            return report.plan_markdown(made, length or report.GITHUB_LIMIT, part or 1)
        case "html":
            return report.plan_html(made)
        case "gitlab":
            return report.plan_gitlab(made)
        case _:
            return report.plan_text(made, terminal.style, verbose=terminal.verbosity >= Verbosity.VERBOSE)


def say_what_next(made: "Plan", out: Path | None, context: Context, config: "Config", *, later: str = _LATER) -> None:
    from pkgsync import report

    terminal = context.terminal
    unsigned = say_unsigned(terminal, made.source.repositories)
    if not made.complete and not unsigned:
        tip = report.after_failed_reads(made.source.repositories, later)
        terminal.error("the plan is incomplete: a read failed", tip, "IncompletePlanError")
    for limit in report.exceeded(made):
        terminal.error(limit.message, f"If that is right, plan again with {limit.override}.", "UnsafePlanError")
    if out is not None:
        then = _to_apply(made, shlex.quote(str(out)), context, config) if made.applyable and made.actions else ""
        terminal.info(f"Saved {out} ({made.digest}).{then}")
    elif made.actions:
        name = "plan.json" if made.undoes is None else "undo.json"
        terminal.info(f"Nothing was saved. To review and apply it: the same command with -o {name}")


def _to_apply(made: "Plan", name: str, context: Context, config: "Config") -> str:
    from pkgsync import approvals, report

    apply = f"Apply: pkgsync {context.options}apply {name}"
    needed = approvals.needed(made, config)
    return f" It needs {report.plural(needed, 'signature')}: pkgsync sign {name}\n{apply}" if needed else f" {apply}"


def say_unsigned(terminal: Terminal, repositories: "Iterable[Repository | PlannedRepository]") -> bool:
    """Whether there are indexes that no pinned key vouches for: what a run must end with."""
    from pkgsync import report

    problems = report.unsigned(repositories)
    for problem in problems:
        terminal.error(problem.message, problem.cure or problem.reason.advice, "SignatureError")
    return bool(problems)


def exit_code(made: "Plan", detailed: bool, *, wrong_map: bool = False) -> ExitCode:
    from pkgsync import report

    found = {ExitCode.OK}
    if report.unsigned(made.source.repositories):
        found.add(ExitCode.INTEGRITY)
    if not made.complete or wrong_map:
        found.add(ExitCode.ERROR)
    if made.exceeded:
        found.add(ExitCode.UNSAFE)
    if detailed and made.actions:
        found.add(ExitCode.CHANGES)
    return next(code for code in PLAN_PRECEDENCE if code in found)
