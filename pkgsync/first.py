"""The first config of a project: proposed from what both services show, and written for a person to read."""

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from pkgsync import packagecloud
from pkgsync.config import Config, parse
from pkgsync.errors import ConfigError, NotFoundError, UsageError
from pkgsync.model import SYNCED_TYPES, Row
from pkgsync.model.filename import FileClass, file_class, type_of
from pkgsync.obs import BaseFinder, OfferedKey, read_metas
from pkgsync.obs.results import ArchitectureResults
from pkgsync.proposals import ConfigHead, Live, Proposal, Seen, config_text, is_base, propose, together
from pkgsync.services import Services
from pkgsync.signatures import verifier
from pkgsync.surroundings import Surroundings, utc_now

# images, and packages of others than rpm and deb; logs and build statistics lie everywhere
_NO_PACKAGE = re.compile(
    r"\.(iso|raw|qcow2|vmdk|vhdx?|AppImage|apk|pkg\.tar|docker\.tar|oci\.tar|tgz)(\.(xz|gz|zst))?$"
)


class FirstConfig(Struct, frozen=True):
    """The text of a config, and what it proposes for each repository of the project, in the order of ``_meta``.

    ``keys`` are what OBS offers to verify the indexes with; the text names ``key_file``, which is not written yet.
    """

    text: str
    proposals: tuple[Proposal, ...]
    keys: tuple[OfferedKey, ...]
    key_file: Path

    @property
    def is_usable(self) -> bool:
        """Whether it maps anything: a config that does not is none."""
        return any(proposal.targets for proposal in self.proposals)


def propose_config(head: ConfigHead, path: Path, surroundings: Surroundings) -> FirstConfig:
    """Read both services, and propose what shall stand in ``path``; nothing is written.

    Raises UsageError for names and URLs that no config takes; AuthenticationError, ReadError, ConfigError.
    """
    config = _provisional(head, path)
    services = Services.of(config, surroundings, None)
    proposals = _proposals(services, config, Live.of(services.packagecloud.catalogue()))
    rows = packagecloud.gather(services.packagecloud, (), now=utc_now, progress=surroundings.progress).rows
    keys = _keys(services, head.project)
    # a colon is no part of a file name everywhere
    name = f"keys/{head.project.replace(':', '_')}.asc"
    text = config_text(replace(head, signing_key=name if keys else None), proposals, _without_source(rows, proposals))
    return FirstConfig(text, tuple(proposals), keys, path.parent / name)


def _keys(services: Services, project: str) -> tuple[OfferedKey, ...]:
    """What OBS offers, where something here can verify with it. Raises AuthenticationError, ReadError."""
    try:
        verifier()
        return services.obs.keys(project)
    except (ConfigError, NotFoundError):
        return ()


def _provisional(head: ConfigHead, path: Path) -> Config:
    """The config but for its map, to connect with."""
    anything = Proposal(repository="any", targets=("any/any",), reason="")
    try:
        return parse(path, config_text(head, [anything], {}).encode(), {})
    except ConfigError as error:
        # the file is not there yet, so nobody can look at its lines
        words = re.sub(rf"^{re.escape(str(path))}:\d+:\d+: ", "", error.message, flags=re.MULTILINE)
        raise UsageError(words, tip=error.tip) from None


def _proposals(services: Services, config: Config, live: Live) -> list[Proposal]:
    [project] = config.obs.projects
    [meta] = read_metas(services.obs, [project])
    if meta is None or not meta.repositories:
        raise ConfigError(f"{project.name} has no repository", tip="Give it some in OBS; nothing is built without.")
    result = services.obs.result(project.name)
    finder = BaseFinder(services.obs, is_base, meta)
    return together(
        propose(_seen(name, finder.base(project.name, name), result.architectures(name)), live)
        for name in meta.repositories
    )


def _seen(repository: str, base: str | None, results: ArchitectureResults) -> Seen:
    files = {file.filename for result in results.values() for package in result.packages for file in package.files}
    kinds = frozenset(kind for file in files if file_class(file) is FileClass.PACKAGE and (kind := type_of(file)))
    other = not kinds and any(_NO_PACKAGE.search(file) for file in files)
    return Seen(repository=repository, base=base, kinds=kinds, other_files=other)


def _without_source(rows: Iterable[Row], proposals: Iterable[Proposal]) -> dict[str, int]:
    fed = {target for proposal in proposals for target in proposal.targets}
    # of other types no name was checked, and one may break out of its comment
    synced = (row.distribution for row in rows if row.type in SYNCED_TYPES)
    return dict(Counter(distribution for distribution in synced if distribution not in fed))
