"""One module per command, imported when its command is called: nobody waits for what another command needs.

Nor does its own help: a command imports what it works with inside its functions.
"""

from importlib import import_module

import click

SUMMARIES = {
    "init": "Propose a config for an OBS project, from what both services show.",
    "plan": "Read OBS and Packagecloud, and say what to change.",
    "snapshot": "Save what both services hold now, to plan from it later.",
    "show": "Show a plan or a receipt, however old it is.",
    "sign": "Approve a plan with an SSH key.",
    "apply": "Execute a reviewed plan.",
    "receipts": "List the receipts of all applies from this machine.",
    "undo": "Plan back what an apply did.",
    "verify": "See whether apt and dnf get what they should.",
    "audit": "List every orphan, what would happen to it, and why.",
    "explain": "Say why a file is treated as it is, and what would change that.",
    "validate": "Check the config alone, or its map with both services.",
    "doctor": "Look at config, credentials, services and folders.",
    "keys": "Show the key that OBS signs a project with, to pin it.",
    "cache": "Look at the cache, or make it smaller.",
    "schema": "Print the JSON Schema of configs, plans, receipts or snapshots.",
    "help": "Read about a topic; without one, list them.",
    "demo": "Show all of it on real packages, on this machine only.",
}


class Commands(click.Group):
    """The group of all commands. The words for its help stand here, so that help needs no command's imports."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(SUMMARIES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in SUMMARIES:
            return None
        found: click.Command = getattr(import_module(f"{__name__}.{cmd_name}"), cmd_name)
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] not in SUMMARIES:
            from difflib import get_close_matches

            if near := get_close_matches(args[0], SUMMARIES, 1):
                ctx.fail(f"No such command {args[0]!r}. (Did you mean {near[0]!r}?)")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(SUMMARIES.items()))
