"""``pkgsync help``."""

from difflib import get_close_matches

import click
from click.shell_completion import CompletionItem

from pkgsync.cli import manual
from pkgsync.cli.options import Context, common
from pkgsync.errors import UsageError


class _Subject(click.ParamType[str]):
    """A topic or a command."""

    name = "topic"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        names = {**manual.topics(), **dict.fromkeys(_commands(ctx), "")}
        return [CompletionItem(name, help=title) for name, title in names.items() if name.startswith(incomplete)]


@click.command()
@click.argument("subject", metavar="[TOPIC|COMMAND]", type=_Subject(), nargs=-1)
@common()
def help(context: Context, subject: tuple[str, ...]) -> None:
    """Read about a topic or a command; without one, list the topics."""
    terminal, ctx = context.terminal, click.get_current_context()
    if not subject:
        terminal.data(_list())
        return
    name, *further = subject
    parts = [_usage(ctx, subject)]
    if name in (topics := manual.topics()) and not further:
        parts.append(manual.page(name, terminal.bold))
    text = "\n\n".join(part for part in parts if part)
    if not text:
        known = sorted({*topics, *_commands(ctx)} - {name})
        near = " or ".join([one for one in known if name in one] or get_close_matches(name, known, 2))
        tip = f"Did you mean {near}?" if near else "`pkgsync help` lists the topics, `pkgsync --help` the commands."
        raise UsageError(f"there is no topic and no command {' '.join(subject)!r}", tip=tip)
    terminal.page(text)


def _list() -> str:
    width = max(map(len, manual.topics()))
    rows = [f"  {name:{width}}  {title}" for name, title in manual.topics().items()]
    return "\n".join(["Topics, read with `pkgsync help TOPIC`:", "", *rows, "", "Commands: `pkgsync --help`."])


def _commands(ctx: click.Context) -> list[str]:
    root = ctx.find_root()
    return root.command.list_commands(root) if isinstance(root.command, click.Group) else []


def _usage(ctx: click.Context, words: tuple[str, ...]) -> str:
    """The help of a command such as `plan` or `cache prune`; empty where there is none."""
    ctx = ctx.find_root()
    for word in words:
        command = ctx.command.get_command(ctx, word) if isinstance(ctx.command, click.Group) else None
        if command is None:
            return ""
        ctx = click.Context(command, info_name=word, parent=ctx)
    return ctx.get_help()
