"""Which repositories of a project are wanted, and for which distributions."""

from collections.abc import Collection, Sequence
from difflib import get_close_matches

from attrs import frozen

from pkgsync.config import CATCH_ALL, ObsProject, Targets
from pkgsync.errors import ConfigError
from pkgsync.obs.results import ProjectMeta


@frozen(eq=False, kw_only=True)
class Wanted:
    """A mapped repository. ``expected`` are the architectures of ``_meta``, None where it lacks the repository.

    ``filtered``: the project's ``repositories`` leaves it out; it offers nothing, but what it built protects.
    ``skipped``: it is mapped to null; so that a new null cannot turn into deletions, the very names it built protect.
    ``catch_all``: it came by ``*``, whose name it has where the project has no repository for that.
    """

    project: ObsProject
    name: str
    distributions: tuple[str, ...]
    expected: tuple[str, ...] | None
    filtered: bool = False
    skipped: bool = False
    catch_all: bool = False

    @property
    def id(self) -> str:
        return f"{self.project.name}/{self.name}"


Pair = tuple[ObsProject, ProjectMeta | None]


def all_wanted(projects: Sequence[ObsProject], metas: Sequence[ProjectMeta | None]) -> tuple[Wanted, ...]:
    """What all projects may feed, in their order; ``metas`` are theirs. Raises ConfigError for a wrong map."""
    pairs = list(zip(projects, metas, strict=True))
    seen = frozenset(p.places[name] for p, meta in pairs if meta for name in meta.repositories if name in p.places)
    found = tuple(w for project, meta in pairs for w in wanted(project, meta, seen))
    check_names(pairs)
    return found


def wanted(project: ObsProject, meta: ProjectMeta | None, entries: Collection[str] = ()) -> tuple[Wanted, ...]:
    """What the project may feed by its config, in the order of ``distributions``; that of ``*`` in that of ``_meta``.

    ``meta`` None: the project does not exist. What is not seen is wanted all the same, as far as the config tells:
    it may be back at any moment. But a null may say that the project never had it, and one for all projects need not
    be meant for this one: ``entries`` are the places in the config of what any project has.
    Raises ConfigError for a repository that nothing maps.
    """
    repositories = {} if meta is None else meta.repositories
    _check_mapped(project, tuple(repositories))
    found: list[Wanted] = []
    for key, targets in project.distributions.items():
        fed = _fed(project) if targets is None else targets
        if not fed or (targets is None and meta is None):
            continue
        for name in _names(key, targets, project, repositories):
            seen = name in repositories
            if targets is None and not seen and (name in project.disowned or project.place_of(name) in entries):
                continue
            # wanted or left out: what is not there may be missing for a moment only
            found.append(
                Wanted(
                    project=project,
                    name=name,
                    distributions=fed,
                    expected=repositories.get(name),
                    filtered=targets is None or not (project.selects(name) or name == CATCH_ALL),
                    skipped=targets is None and seen,
                    catch_all=key == CATCH_ALL and targets is not None,
                )
            )
    return tuple(found)


def _names(key: str, targets: Targets, project: ObsProject, repositories: Collection[str]) -> list[str]:
    if key != CATCH_ALL:
        return [key]
    others = [name for name in repositories if name not in project.distributions]
    return others or ([CATCH_ALL] if targets else [])


def check_names(pairs: Sequence[Pair]) -> None:
    """Raises ConfigError for a typo: a name that no project has, like one that they have and that only ``*`` maps.

    Other names may be missing for a moment, and a project that is absent might have them: that is for the plan to say.
    """
    for name in dict.fromkeys(name for p, _ in pairs for name, targets in p.distributions.items() if targets):
        asked = [(p, meta) for p, meta in pairs if p.distributions.get(name) and p.selects(name)]
        known = [(p, meta) for p, meta in asked if meta is not None]
        if len(known) < len(asked) or any(name in meta.repositories for _, meta in known):
            continue
        unnamed = {repository for p, meta in known for repository in meta.repositories.keys() - p.distributions.keys()}
        if near := get_close_matches(name, sorted(unnamed), n=1, cutoff=0.6):
            raise ConfigError(
                f"{known[0][0].place_of(name)}: no project has an OBS repository {name}",
                tip=f"Did you mean {near[0]}? If OBS has dropped {name}, remove the entry.",
            )


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
