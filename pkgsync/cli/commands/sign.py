"""``pkgsync sign``."""

import os
from pathlib import Path

import click

from pkgsync.cli.options import FILE, Command, Context, NewFile, common
from pkgsync.errors import StorageError, UsageError


@click.command(cls=Command)
@click.argument("file", metavar="PLAN", type=FILE)
@click.option("--key", metavar="KEY", help="Key file, or SHA256:... of a key in the agent [the only one there].")
@click.option("-o", "--out", type=NewFile(), help="Where to add the signature [PLAN.sig].")
@common()
def sign(context: Context, file: Path, key: str | None, out: Path | None) -> None:
    """Approve a plan: show what it does, and sign its digest with an SSH key."""
    from pkgsync import approvals, planfile, report, ssh
    from pkgsync.model.secret import SshKey

    reviewed, target, terminal = planfile.read(file), out or approvals.place(file), context.terminal
    terminal.data(report.headline_text(reviewed, terminal.style))
    agent = os.environ.get("SSH_AUTH_SOCK", "")
    if key and not key.startswith("SHA256:") and not Path(key).is_file():
        raise UsageError(f"there is no SSH key {key}", tip="Name a key file, or SHA256:... as `ssh-add -l` lists it.")
    used = SshKey(username="", key=key or ssh.only_key(agent), agent=agent)
    try:
        fingerprint, count = approvals.sign(reviewed, used, target)
    except OSError as error:
        raise StorageError(f"{target} cannot be written: {error.strerror or error}.") from None
    terminal.info(f"Signed with {fingerprint}.\n{target} holds {report.plural(count, 'signature')}.")
