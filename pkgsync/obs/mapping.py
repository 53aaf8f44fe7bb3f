"""Which repositories of a project are wanted, and for which distributions."""

from collections.abc import Collection, Iterable, Sequence

from msgspec import Struct

from pkgsync.config import CATCH_ALL, ObsProject, Targets
from pkgsync.errors import MappingError, MappingProblem
from pkgsync.obs.results import ProjectMeta

_SHOWN = 10


class Wanted(Struct, frozen=True, eq=False, kw_only=True):
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
    """What all projects may feed, in their order; ``metas`` are theirs. Raises MappingError for a wrong map."""
    pairs = list(zip(projects, metas, strict=True))
    if wrong := (*unmapped(pairs), *typos(pairs)):
        raise MappingError((*wrong, *absent(pairs)))
    seen = frozenset(p.places[name] for p, meta in pairs if meta for name in meta.repositories if name in p.places)
    return tuple(w for project, meta in pairs for w in wanted(project, meta, seen))


def ended(projects: Sequence[ObsProject], metas: Sequence[ProjectMeta | None]) -> tuple[MappingProblem, ...]:
    """Mapped repositories that are built for something at its end of life."""
    return tuple(
        MappingProblem(
            project.place_of(name), f"{project.name}/{name} is built for {base}, which is at its end of life"
        )
        for project, meta in zip(projects, metas, strict=True)
        for name in (meta.repositories if meta else ())
        if project.selects(name) and project.target(name) and meta and (base := meta.ended(name))
    )


def wanted(project: ObsProject, meta: ProjectMeta | None, entries: Collection[str] = ()) -> tuple[Wanted, ...]:
    """What the project may feed by its config, in the order of ``distributions``; that of ``*`` in that of ``_meta``.

    ``meta`` None: the project does not exist. What is not seen is wanted all the same, as far as the config tells:
    it may be back at any moment. But a null may say that the project never had it, and one for all projects need not
    be meant for this one: ``entries`` are the places in the config of what any project has.
    """
    repositories = {} if meta is None else meta.repositories
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


def typos(pairs: Sequence[Pair]) -> tuple[MappingProblem, ...]:
    """Names that no project has, each like one that they have and that nothing maps, or only ``*``."""
    found = []
    for name, asked in _nowhere(pairs).items():
        if near := _near(name, _unnamed(asked), 1):
            fix = f"Did you mean {near[0]}? If OBS has dropped {name}, remove the entry."
            found.append(_not_there(name, asked, fix))
    return tuple(found)


def absent(pairs: Sequence[Pair]) -> tuple[MappingProblem, ...]:
    """Names that no project has and that are like none of theirs: they may be missing for a moment only."""
    return tuple(
        _not_there(name, asked, _not_there_advice(name, _unnamed(asked)))
        for name, asked in _nowhere(pairs).items()
        if not _near(name, _unnamed(asked), 1)
    )


Known = list[tuple[ObsProject, ProjectMeta]]


def _nowhere(pairs: Sequence[Pair]) -> dict[str, Known]:
    """Mapped names that no project has, with those that were asked. A project that is absent might have any name."""
    found: dict[str, Known] = {}
    for name in dict.fromkeys(name for p, _ in pairs for name, targets in p.distributions.items() if targets):
        asked = [(p, meta) for p, meta in pairs if p.distributions.get(name) and p.selects(name)]
        known = [(p, meta) for p, meta in asked if meta is not None]
        somewhere = len(known) < len(asked) or any(name in meta.repositories for _, meta in known)
        if known and not somewhere and name != CATCH_ALL:
            found[name] = known
    return found


def _unnamed(known: Known) -> list[str]:
    """What these projects have and the config does not name."""
    return sorted({name for project, meta in known for name in meta.repositories if name not in project.distributions})


def _not_there(name: str, asked: Known, fix: str) -> MappingProblem:
    return MappingProblem(asked[0][0].place_of(name), f"no project has an OBS repository {name}", fix, name)


def _not_there_advice(name: str, unnamed: Sequence[str]) -> str:
    others = f" Not named in the config: {', '.join(unnamed[:_SHOWN])}." if unnamed else ""
    return f"If OBS has dropped {name}, remove the entry.{others}"


def unmapped(pairs: Sequence[Pair]) -> tuple[MappingProblem, ...]:
    """Repositories that nothing maps: a new one is neither synced nor passed over without a word in the config."""
    found: dict[tuple[str, str], list[ObsProject]] = {}
    for project, meta in pairs:
        for name in meta.repositories if meta else ():
            if not {name, CATCH_ALL} & project.distributions.keys() and project.selects(name):
                found.setdefault((project.map_place, name), []).append(project)
    return tuple(_unmapped(name, projects) for (_, name), projects in found.items())


def _unmapped(name: str, projects: Sequence[ObsProject]) -> MappingProblem:
    first, more = projects[0], len(projects) - 1
    others = f" and of {more} more project{'s' if more > 1 else ''}" if more else ""
    what = f"`distributions` does not map the repository {name} of {first.name}{others}"
    return MappingProblem(first.place_of(name), what, _advice(first, name), f"{first.name}/{name}")


def _fed(project: ObsProject) -> tuple[str, ...]:
    """Every distribution that the project feeds, any of which a skipped repository may have fed before."""
    return tuple(sorted({target for targets in project.distributions.values() for target in targets or ()}))


def _near(name: str, known: Iterable[str], most: int) -> list[str]:
    from difflib import get_close_matches  # here, as only a mistake needs it

    return get_close_matches(name, list(known), n=most, cutoff=0.6)


def _advice(project: ObsProject, repository: str) -> str:
    near = _near(repository, project.distributions, 3)
    like = f" (mapped names like it: {', '.join(near)})" if near else ""
    return f'Map {repository} to a distribution or to null{like}, or add `"*": null`.'
