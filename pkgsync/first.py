"""The first config of a project: proposed from what both services show, and written for a person to read."""

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from attrs import frozen

from pkgsync import packagecloud
from pkgsync.config import Config, parse
from pkgsync.errors import ConfigError, UsageError
from pkgsync.model import Row
from pkgsync.model.filename import FileClass, file_class, type_of
from pkgsync.obs import BaseFinder, read_metas
from pkgsync.obs.results import ArchitectureResults
from pkgsync.proposals import ConfigHead, Live, Proposal, Seen, config_text, is_base, propose
from pkgsync.services import Services
from pkgsync.surroundings import Surroundings, utc_now

# images, and packages of others than rpm and deb; logs and build statistics lie everywhere
_NO_PACKAGE = re.compile(
    r"\.(iso|raw|qcow2|vmdk|vhdx?|AppImage|apk|pkg\.tar|docker\.tar|oci\.tar|tgz)(\.(xz|gz|zst))?$"
)


@frozen
class FirstConfig:
    """The text of a config, and what it proposes for each repository of the project, in the order of ``_meta``."""

    text: str
    proposals: tuple[Proposal, ...]

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
    proposals = _proposals(services, config, Live(services.packagecloud.catalogue()))
    rows = packagecloud.gather(services.packagecloud, (), now=utc_now, progress=surroundings.progress).rows
    return FirstConfig(config_text(head, proposals, _without_source(rows, proposals)), tuple(proposals))


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
    return [
        propose(_seen(name, finder.base(project.name, name), result.architectures(name)), live)
        for name in meta.repositories
    ]


def _seen(repository: str, base: str | None, results: ArchitectureResults) -> Seen:
    files = {file.filename for result in results.values() for package in result.packages for file in package.files}
    kinds = frozenset(kind for file in files if file_class(file) is FileClass.PACKAGE and (kind := type_of(file)))
    other = not kinds and any(_NO_PACKAGE.search(file) for file in files)
    return Seen(repository=repository, base=base, kinds=kinds, other_files=other)


def _without_source(rows: Iterable[Row], proposals: Iterable[Proposal]) -> dict[str, int]:
    fed = {target for proposal in proposals for target in proposal.targets}
    return dict(Counter(row.distribution for row in rows if row.distribution not in fed))
