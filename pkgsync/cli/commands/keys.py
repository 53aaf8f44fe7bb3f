"""``pkgsync keys``."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pkgsync.cli.options import Command, Context, NewFile, common
from pkgsync.errors import NotFoundError, UsageError

if TYPE_CHECKING:
    from pkgsync.obs import OfferedKey

COMPARE = (
    "Compare the fingerprint with one that came to you another way, such as from a\n"
    "machine that trusts the repository already: whoever could change the index\n"
    "could change this answer too."
)


@click.command(cls=Command)
@click.argument("project")
@click.option("-o", "--out", type=NewFile(), help="Write the key to this file, which must not be there yet.")
@common()
def keys(context: Context, project: str, out: Path | None) -> None:
    """Show the key that OBS signs the indexes of the PROJECT with, to pin it as `signing_key`."""
    from pkgsync.files import write_atomically
    from pkgsync.report import visible
    from pkgsync.services import Services

    if out is not None and out.exists():
        raise UsageError(f"{out} is there already, and is not overwritten", tip="Name another file, and compare them.")
    try:
        offered = Services.of(context.config(), context.surroundings(), None).obs.keys(project)
    except NotFoundError:
        raise NotFoundError(f"{project}: OBS has no such project", tip="Check its name and your rights.") from None
    if not offered:
        raise NotFoundError(f"{project}: OBS offers no signing key for it", tip="Its indexes are not signed.")
    lines = [visible(line) for key in offered for line in told(project, key)]
    context.terminal.data("\n".join([*lines, COMPARE]))
    if out is not None:
        write_atomically(out, b"".join(key.armored for key in offered))
        context.terminal.info(f"Wrote {out}. To pin it, write `signing_key: {out}` below the project in the config.")


def told(project: str, key: "OfferedKey") -> Iterator[str]:
    """What OBS says of the key, not escaped yet; the fingerprint is the key's own."""
    from pkgsync.signatures import shown

    whose = f", inherited from {key.project}" if key.project not in ("", project) else ""
    yield f"{project} is signed by the key{whose}:"
    yield f"  {shown(key.fingerprint)}"
    said = filter(None, (key.kind, key.expires and f"expires {key.expires}", key.user))
    yield f"  {', '.join(said)}"
