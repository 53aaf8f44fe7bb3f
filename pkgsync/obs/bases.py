"""What a repository is built for: the base project that its paths lead to.

Source: ``<path>`` of ``_meta``, docs/api/api/project.rng of openSUSE/open-build-service.
"""

from collections.abc import Callable
from contextlib import suppress

from pkgsync.errors import AuthenticationError, ReadError
from pkgsync.obs.client import ObsClient
from pkgsync.obs.results import ProjectMeta

# people branch from branches, hardly ever deeper
MAX_DEPTH = 5
# anybody can write a _meta with thousands of paths
MAX_PROJECTS = 100


class BaseFinder:
    """Follows paths over as many projects as it takes, each of them read once."""

    def __init__(self, client: ObsClient, is_base: Callable[[str], bool], *known: ProjectMeta) -> None:
        self._client = client
        self._is_base = is_base
        self._metas: dict[str, ProjectMeta | None] = {meta.name: meta for meta in known}

    def base(self, project: str, repository: str) -> str | None:
        """The base project of the repository; None if there is none, or nobody may read what lies on the way.

        The last path counts first: what stands before it is only what the project adds to its base.
        """
        return self._walk(project, repository, set(), 0)

    def _walk(self, project: str, repository: str, been: set[tuple[str, str]], depth: int) -> str | None:
        # paths may lead in a circle, and meet again
        if depth > MAX_DEPTH or (project, repository) in been:
            return None
        been.add((project, repository))
        meta = self._meta(project)
        for name, inner in reversed(meta.paths.get(repository, ()) if meta else ()):
            found = name if self._is_base(name) else self._walk(name, inner, been, depth + 1)
            if found is not None:
                return found
        return None

    def _meta(self, project: str) -> ProjectMeta | None:
        if project not in self._metas and len(self._metas) < MAX_PROJECTS:
            self._metas[project] = None
            with suppress(ReadError, AuthenticationError):
                self._metas[project] = self._client.project_meta(project)
        return self._metas.get(project)
