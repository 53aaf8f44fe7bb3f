"""What a repository is built for: the base project that its paths lead to.

Source: ``<path>`` of ``_meta``, docs/api/api/project.rng of openSUSE/open-build-service.
"""

from collections.abc import Callable
from contextlib import suppress

from pkgsync.errors import AuthenticationError, ReadError
from pkgsync.obs.client import ObsClient
from pkgsync.obs.results import ProjectMeta

# people branch from branches, hardly ever deeper; and paths may lead in a circle
MAX_DEPTH = 5


class BaseFinder:
    """Follows paths over as many projects as it takes, each of them read once."""

    def __init__(self, client: ObsClient, is_base: Callable[[str], bool], *known: ProjectMeta) -> None:
        self._client = client
        self._is_base = is_base
        self._metas: dict[str, ProjectMeta | None] = {meta.name: meta for meta in known}

    def base(self, project: str, repository: str, depth: int = 0) -> str | None:
        """The base project of the repository; None if there is none, or nobody may read what lies on the way.

        The last path counts first: what stands before it is only what the project adds to its base.
        """
        meta = self._meta(project) if depth <= MAX_DEPTH else None
        for name, inner in reversed(meta.paths.get(repository, ()) if meta else ()):
            found = name if self._is_base(name) else self.base(name, inner, depth + 1)
            if found is not None:
                return found
        return None

    def _meta(self, project: str) -> ProjectMeta | None:
        if project not in self._metas:
            self._metas[project] = None
            with suppress(ReadError, AuthenticationError):
                self._metas[project] = self._client.project_meta(project)
        return self._metas[project]
