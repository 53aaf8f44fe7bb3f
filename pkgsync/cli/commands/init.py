"""``pkgsync init``."""

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pkgsync.cli.options import DEFAULT_CONFIG, Command, Context, NewFile, common
from pkgsync.errors import UsageError

if TYPE_CHECKING:
    from pkgsync.first import FirstConfig
    from pkgsync.model import Plan
    from pkgsync.proposals import Proposal

_API, _PACKAGECLOUD = "https://api.opensuse.org", "https://packagecloud.io"
_DOWNLOADS = "https://download.opensuse.org/repositories/{project_path}/{repository}"


@click.command(cls=Command)
@click.argument("project")
@click.argument("repository", metavar="USER/REPO")
@click.option("-A", "--apiurl", metavar="URL", help=f"The API of OBS [OSC_APIURL, else {_API}].")
@click.option("--packagecloud-url", metavar="URL", help=f"Packagecloud [PACKAGECLOUD_URL, else {_PACKAGECLOUD}].")
@click.option("--anonymous", is_flag=True, help="Read OBS without a login.")
@click.option("--published-url", metavar="URL", help="Where published files are, with {project_path} and {repository}.")
@click.option("-o", "--out", type=NewFile(), default=DEFAULT_CONFIG, help=f"Write the config here [{DEFAULT_CONFIG}].")
@click.option("--force", is_flag=True, help="Replace a config that is there. No other file is ever replaced.")
@common()
def init(
    context: Context,
    project: str,
    repository: str,
    apiurl: str | None,
    packagecloud_url: str | None,
    anonymous: bool,
    published_url: str | None,
    out: Path,
    force: bool,
) -> int:
    """Read OBS and Packagecloud, and propose a config: where each repository of the OBS PROJECT may go.

    Nothing but the config and the key of the project is written, and no login stands there. Then it says what the
    first plan would upload.
    """
    from pkgsync import first
    from pkgsync.files import write_atomically
    from pkgsync.proposals import ConfigHead

    _refuse_overwriting(out, force)
    api = apiurl or os.environ.get("OSC_APIURL") or _API
    published_url = published_url or (_DOWNLOADS if anonymous and api == _API else None)
    if anonymous and not published_url:
        tip = f"As in --published-url {_DOWNLOADS}"
        raise UsageError(f"--anonymous needs to know where {api} publishes files: --published-url", tip=tip)
    head = ConfigHead(
        api=api,
        project=project,
        packagecloud_url=packagecloud_url or os.environ.get("PACKAGECLOUD_URL") or _PACKAGECLOUD,
        repository=repository,
        published_url=published_url,
        anonymous=anonymous,
    )
    found = first.propose_config(head, out, context.surroundings())
    if found.keys:
        _write_keys(found)
    write_atomically(out, found.text.encode())
    context.terminal.data(_told(out, found.proposals))
    if found.keys:
        context.terminal.data(_told_keys(project, found))
    if not found.is_usable:
        context.terminal.error(f"{out} maps no repository yet", "Choose a distribution for one of them there.")
        return 1
    return _first_plan(context, out)


def _refuse_overwriting(path: Path, force: bool) -> None:
    if not path.exists():
        return
    if not force:
        tip = "Name another file with -o; --force replaces a config."
        raise UsageError(f"{path} is there already, and is not overwritten", tip=tip)
    if not _is_config(path):
        raise UsageError(f"{path} is no config of pkgsync, and is not overwritten", tip="Name another file with -o.")


def _write_keys(found: "FirstConfig") -> None:
    """Raises UsageError where another key is there already: which of them is right, only people can tell."""
    from pkgsync.files import write_atomically

    data = b"".join(key.armored for key in found.keys)
    if not found.key_file.exists():
        write_atomically(found.key_file, data)
    elif found.key_file.read_bytes() != data:
        tip = "Find out which of them is right, and move the other away."
        raise UsageError(f"{found.key_file} is there already, and OBS offers another key", tip=tip)


def _told_keys(project: str, found: "FirstConfig") -> str:
    from pkgsync.cli.commands.keys import COMPARE, told
    from pkgsync.report import visible

    lines = [visible(line) for key in found.keys for line in told(project, key)]
    return "\n".join([*lines, f"Wrote it to {found.key_file}; no index counts without it.", COMPARE])


def _is_config(path: Path) -> bool:
    """Whether it is meant to be one, right or wrong."""
    import yaml

    from pkgsync.config.document import MAX_BYTES, BrokenYamlError, compose

    with path.open("rb") as stream:
        data = stream.read(MAX_BYTES + 1)
    try:
        root = compose(data)
    except BrokenYamlError:
        return False
    keys = {key.value for key, _ in root.value} if isinstance(root, yaml.MappingNode) else set[Any]()
    return "packagecloud" in keys or not data.strip()


def _told(path: Path, proposals: "tuple[Proposal, ...]") -> str:
    from pkgsync.report import plural, visible

    width = max(len(proposal.repository) for proposal in proposals)
    lines = []
    for one in proposals:
        target = "?" if one.open else ", ".join(one.targets) or "null"
        lines.append(f"  {one.repository:<{width}}  {target}")
        lines += [] if one.targets else [f"    {one.reason}"]
    still = [one.repository for one in proposals if one.open]
    decide = f" {len(still)} to decide: {', '.join(still)}." if still else ""
    mapped = sum(bool(one.targets) for one in proposals)
    head = f"Wrote {path}: {mapped} of {plural(len(proposals), 'repository', 'repositories')} mapped.{decide}"
    return "\n".join(visible(line) for line in [head, *lines])


def _first_plan(context: Context, path: Path) -> int:
    """Say what a plan of the written config would do; nothing of it is kept."""
    from pkgsync import api
    from pkgsync.cli.commands.plan import exit_code, say_unsigned
    from pkgsync.config import load

    terminal = context.terminal
    made = api.plan(load(path, os.environ), context.surroundings())
    terminal.data(_counts(made))
    if not say_unsigned(terminal, made.source.repositories) and not made.complete:
        terminal.error("a read failed, so there may be more", "Plan again later.", "IncompletePlanError")
    named = "" if path == Path(DEFAULT_CONFIG) else f" -c {shlex.quote(str(path))}"
    steps = f"pkgsync plan{named} -o plan.json\n  pkgsync apply{named} plan.json"
    terminal.info(f"Next: read {path} and change what is wrong; then\n  {steps}")
    return exit_code(made, detailed=False)


def _counts(made: "Plan") -> str:
    from pkgsync.report import plural, size

    total = made.summary.total
    uploads = (
        f"upload {plural(total.uploads, 'file')} ({size(total.upload_bytes)})" if total.uploads else "upload nothing"
    )
    replaced = f", replace {total.replacements}" if total.replacements else ""
    lines = [f"The first plan would {uploads}{replaced}."]
    uploading = {name: counts for name, counts in made.summary.distributions.items() if counts.uploads}
    width = max(map(len, uploading), default=0)
    for name, counts in uploading.items():
        lines.append(f"  {name:<{width}}  {plural(counts.uploads, 'upload')} ({size(counts.upload_bytes)})")
    if total.orphans_kept:
        lines.append(f"  {plural(total.orphans_kept, 'package')} that OBS does not publish would stay")
    if total.held:
        lines.append(f"  {total.held} held; `pkgsync plan` says why")
    return "\n".join(lines)
