"""The config's map of OBS repositories to distributions, beside what both services have: all that is wrong at once.

A proposal is only advice here: people write the map.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import TypeVar

from msgspec import Struct

from pkgsync import proposals
from pkgsync.config import CATCH_ALL, Config, managed_distributions
from pkgsync.errors import MappingError, MappingProblem, PkgsyncError
from pkgsync.model import ActualState, DesiredState, PlannedRepository
from pkgsync.obs import BaseFinder, ObsClient, read_metas
from pkgsync.obs import mapping as obs_mapping
from pkgsync.packagecloud import PackagecloudClient
from pkgsync.packagecloud import distributions as catalogue
from pkgsync.reasons import Reason

T = TypeVar("T")


class MapReader(Struct, frozen=True, kw_only=True):
    """Reads what the map is judged by: the ``_meta`` of all projects, and the list of distributions."""

    config: Config
    obs: ObsClient
    packagecloud: PackagecloudClient

    def check(self) -> tuple[str, ...]:
        """Warnings about the map. Raises MappingError with all that is wrong; ReadError, AuthenticationError."""
        known = self.packagecloud.catalogue()
        projects = self.config.obs.projects
        metas = read_metas(self.obs, projects)
        pairs = list(zip(projects, metas, strict=True))
        wrong = (
            *catalogue.unknown(managed_distributions(self.config), known),
            *obs_mapping.unmapped(pairs),
            *obs_mapping.typos(pairs),
            *obs_mapping.absent(pairs),
        )
        if wrong:
            raise self._error(wrong, proposals.Live.of(known))
        return tuple(problem.line for problem in obs_mapping.ended(projects, metas))

    def explained(self, *errors: BaseException | None) -> MappingError:
        """One error out of those of both services, with the places in the config and proposals."""
        problems = [problem for error in errors if isinstance(error, MappingError) for problem in error.problems]
        known = proposals.Live()
        # it is only for advice; what failed here is told by whoever needs it
        with suppress(PkgsyncError):
            known = proposals.Live.of(self.packagecloud.catalogue())
        return self._error(problems, known)

    def _error(self, problems: Iterable[MappingProblem], live: "proposals.Live") -> MappingError:
        finder = BaseFinder(self.obs, proposals.is_base)
        return _sorted(self.config, (self._proposed(problem, finder, live) for problem in problems))

    def _proposed(self, problem: MappingProblem, finder: BaseFinder, live: "proposals.Live") -> MappingProblem:
        project, slash, repository = problem.subject.partition("/")
        if not problem.place or not slash or not live.known:
            return problem
        base = finder.base(project, repository)
        return problem._replace(fix=_advice(proposals.propose(proposals.Seen(repository=repository, base=base), live)))


def checked(config: Config, value: Callable[[], T], check: Callable[[], object]) -> T:
    """The value. Raises one MappingError of what both raise, with the places in the config."""
    problems: list[MappingProblem] = []
    try:
        check()
    except MappingError as error:
        problems += error.problems
    try:
        found = value()
    except MappingError as error:
        problems += error.problems
    if problems:
        raise _sorted(config, problems)
    return found


def _sorted(config: Config, problems: Iterable[MappingProblem]) -> MappingError:
    """One error, in the order of the config, with all places there."""
    told = [located for problem in problems for located in _located(config, problem)]
    return MappingError(sorted(told, key=lambda one: (_position(one.place), one.what)))


def _located(config: Config, problem: MappingProblem) -> list[MappingProblem]:
    """A problem of a distribution stands wherever the config names that."""
    if problem.place:
        return [problem]
    places = (
        project.place_of(name)
        for project in config.obs.projects
        for name, targets in project.distributions.items()
        if problem.subject in (targets or ())
    )
    return [problem._replace(place=place) for place in dict.fromkeys(places)] or [problem]


def _position(place: str) -> tuple[int, ...]:
    return tuple(int(number) for number in place.rsplit(":", 2)[1:] if number.isdecimal())


def _advice(proposal: "proposals.Proposal") -> str:
    name = proposal.repository
    if proposal.targets:
        first = proposal.targets[0] if len(proposal.targets) == 1 else f"[{', '.join(proposal.targets)}]"
        return f"Add `{name}: {first}` ({proposal.reason}), or `{name}: null` to skip it."
    if proposal.candidates:
        near = ", ".join(proposal.candidates)
        return f"Add `{name}: null` to skip it, or a distribution such as {near} ({proposal.reason})."
    return f"Add `{name}: null` to skip it ({proposal.reason}), or a distribution."


def nowhere(config: Config, repositories: Sequence[PlannedRepository]) -> tuple[MappingProblem, ...]:
    """Names of the map that no project has, as a plan has seen them: the plan is right, and the map is not."""
    projects = {project.name: project for project in config.obs.projects}
    seen: dict[str, list[PlannedRepository]] = {}
    for one in repositories:
        project = projects.get(one.project)
        name = one.repository
        if name != CATCH_ALL and project is not None and project.selects(name) and project.distributions.get(name):
            seen.setdefault(name, []).append(one)
    return tuple(
        MappingProblem(
            projects[found[0].project].place_of(name),
            f"no project has an OBS repository {name}",
            f"If OBS has dropped {name}, remove the entry; `pkgsync validate --online` lists what there is.",
        )
        for name, found in seen.items()
        if all([p.reason for p in one.problems] == [Reason.REPOSITORY_ABSENT] for one in found)
    )


def check_types(config: Config, desired: DesiredState, actual: ActualState) -> None:
    """A distribution takes rpm or deb files, hardly ever both: find a wrong map before any upload."""
    projects = {project.name: project for project in config.obs.projects}
    fix = "Map the repository to a distribution of the same kind, or to null to skip it."
    wrong = [
        MappingProblem(
            projects[repository.project].place_of(repository.name),
            f"{repository.id} publishes {kind} files, but {distribution} does not take them",
            fix,
        )
        for repository in desired.repositories
        for distribution in repository.distributions
        for kind in sorted({file.type for file in repository.index.files} if repository.index else ())
        if (kind, distribution) not in actual.distribution_ids
    ]
    if wrong:
        raise MappingError(wrong)
