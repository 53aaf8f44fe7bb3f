"""The config that `pkgsync init` proposes, as text with comments."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct

from pkgsync.config.document import read_as
from pkgsync.proposals.proposing import Proposal

# what YAML takes for a text without quotes, but for the words of read_as
_PLAIN = re.compile(r"[A-Za-z](?:[A-Za-z0-9_.+/:-]*[A-Za-z0-9_+/-])?")
_HEAD = """\
# yaml-language-server: $schema=config.schema.json
#
# Proposed by `pkgsync init`. Read it, and change what is wrong.
# `pkgsync plan` says what it means.
# For help in your editor: pkgsync schema config > config.schema.json
# No login belongs here: pkgsync takes it from the environment, from osc's
# oscrc and from ~/.packagecloud.

version: 1

obs:
"""
_MAP = "distributions:  # OBS repository -> distribution, a list of them, or null: skip"
_REST = "# Packagecloud holds these too. Nothing in the project is for them, so pkgsync\n# never touches them:"
_SIGNED = "no index counts without it"
_ORPHANS = """
orphans: keep  # what OBS does not publish stays; `pkgsync audit` lists it
"""


class ConfigHead(Struct, frozen=True, kw_only=True):
    """All of a first config but the map."""

    api: str
    project: str
    packagecloud_url: str
    repository: str
    published_url: str | None = None
    anonymous: bool = False
    signing_key: str | None = None

    @property
    def lines(self) -> list[str]:
        return [
            f"  api: {_scalar(self.api)}",
            *(["  anonymous: true  # read without a login"] if self.anonymous else []),
            *([f"  published_url: {_scalar(self.published_url)}"] if self.published_url else []),
            "  projects:",
            f"    - name: {_scalar(self.project)}",
            *([f"      signing_key: {_scalar(self.signing_key)}  # {_SIGNED}"] if self.signing_key else []),
            "",
            "packagecloud:",
            f"  url: {_scalar(self.packagecloud_url)}",
            f"  repository: {_scalar(self.repository)}",
            "",
        ]


def config_text(head: ConfigHead, proposals: Iterable[Proposal], without_source: Mapping[str, int]) -> str:
    """The whole file. ``without_source`` counts the packages of distributions that nothing is proposed for."""
    rows = [row for proposal in proposals for row in _rows(proposal)]
    width = max((len(entry) for entry, _ in rows), default=0)
    mapped = [f"  {entry:<{width}}  # {comment}" for entry, comment in rows]
    return _HEAD + "\n".join([*head.lines, _MAP, *mapped, *_rest(without_source)]) + "\n" + _ORPHANS


def _rows(proposal: Proposal) -> Iterator[tuple[str, str]]:
    """Each line of the map, and the comment behind it."""
    name = _scalar(proposal.repository)
    if not proposal.open:
        yield f"{name}: {_value(proposal.targets)}", proposal.reason
        return
    yield from ((f"# {name}: {candidate}", "one way") for candidate in proposal.candidates)
    choice = "skipped until you choose a line above instead" if proposal.candidates else "skipped until you know better"
    yield f"{name}: null", f"to decide: {proposal.reason}; {choice}"


def _rest(without_source: Mapping[str, int]) -> list[str]:
    counts = [f"#   {name}: {n} package{'s' if n != 1 else ''}" for name, n in sorted(without_source.items())]
    return ["", _REST, *counts] if counts else []


def _value(targets: tuple[str, ...]) -> str:
    if not targets:
        return "null"
    return targets[0] if len(targets) == 1 else f"[{', '.join(targets)}]"


def _scalar(text: str) -> str:
    """The text as it stands, or in quotes as YAML and JSON both have them."""
    return text if _PLAIN.fullmatch(text) and not read_as(text) else json.dumps(text)
