"""Which repositories of a project are wanted, and for which distributions."""

from difflib import get_close_matches

from attrs import frozen

from pkgsync.config import CATCH_ALL, ObsProject
from pkgsync.errors import ConfigError
from pkgsync.obs.results import ProjectMeta


@frozen(eq=False, kw_only=True)
class Wanted:
    """A mapped repository. ``expected`` are the architectures of ``_meta``, None where it lacks the repository.

    ``filtered``: the project's ``repositories`` leaves it out; it offers nothing, but what it built protects.
    ``skipped``: it is mapped to null; so that a new null cannot turn into deletions, the very names it built protect.
    """

    project: ObsProject
    name: str
    distributions: tuple[str, ...]
    expected: tuple[str, ...] | None
    filtered: bool = False
    skipped: bool = False

    @property
    def id(self) -> str:
        return f"{self.project.name}/{self.name}"


def wanted(project: ObsProject, meta: ProjectMeta | None) -> tuple[Wanted, ...]:
    """The mapped repositories in the order of ``distributions``, those of ``*`` in the order of ``_meta``.

    ``meta`` None: the project does not exist. Raises ConfigError for a repository that nothing maps.
    """
    repositories = {} if meta is None else meta.repositories
    _check_mapped(project, tuple(repositories))
    found: list[Wanted] = []
    for key, targets in project.distributions.items():
        skipped = targets is None
        fed = _fed(project) if targets is None else targets
        if skipped and not fed:
            continue
        names = [key] if key != CATCH_ALL else [r for r in repositories if r not in project.distributions]
        for name in names:
            filtered = skipped or not project.selects(name)
            # one that is wanted and not there is a problem to tell; one that is left out anyway may be missing
            if name in repositories or not filtered:
                found.append(
                    Wanted(
                        project=project,
                        name=name,
                        distributions=fed,
                        expected=repositories.get(name),
                        filtered=filtered,
                        skipped=skipped,
                    )
                )
    return tuple(found)


def _fed(project: ObsProject) -> tuple[str, ...]:
    """Every distribution that the project feeds, any of which a skipped repository may have fed before."""
    return tuple(sorted({target for targets in project.distributions.values() for target in targets or ()}))


def _check_mapped(project: ObsProject, repositories: tuple[str, ...]) -> None:
    if CATCH_ALL in project.distributions:
        return
    # a new repository is neither synced nor passed over without a word in the config
    unmapped = [r for r in repositories if r not in project.distributions and project.selects(r)]
    if unmapped:
        plural = "repositories" if len(unmapped) > 1 else "repository"
        message = f"{project.name}: `distributions` does not map the {plural} {', '.join(unmapped)}"
        raise ConfigError(message, tip=_advice(project, unmapped[0]))


def _advice(project: ObsProject, repository: str) -> str:
    near = get_close_matches(repository, project.distributions, n=3, cutoff=0.6)
    like = f" (mapped names like it: {', '.join(near)})" if near else ""
    return f'Map {repository} to a distribution or to null{like}, or add `"*": null`.'
