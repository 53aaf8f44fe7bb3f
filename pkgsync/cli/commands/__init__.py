"""One module per command."""

import click

from pkgsync.cli.commands.apply import apply
from pkgsync.cli.commands.audit import audit
from pkgsync.cli.commands.cache import cache
from pkgsync.cli.commands.demo import demo
from pkgsync.cli.commands.plan import plan
from pkgsync.cli.commands.schema import schema
from pkgsync.cli.commands.show import show
from pkgsync.cli.commands.validate import validate

ALL: tuple[click.Command, ...] = (plan, show, apply, audit, validate, cache, schema, demo)
