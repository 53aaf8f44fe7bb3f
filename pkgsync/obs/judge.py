"""The desired state out of what was read. Pure: what a config wants and no read shows is unread, never absent."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from msgspec.structs import replace

from pkgsync.config import CATCH_ALL, ObsProject
from pkgsync.errors import ReadError
from pkgsync.model import Architecture, DesiredState, Problem, Repository
from pkgsync.obs import settled
from pkgsync.obs.built import Wants, chosen, index_of
from pkgsync.obs.indexes import IndexRead
from pkgsync.obs.mapping import Wanted, all_wanted, ended
from pkgsync.obs.results import ProjectMeta
from pkgsync.obs.world import ObsWorld, ProjectReads, RepositoryReads
from pkgsync.reasons import Reason

_READ_IT = "Take a new snapshot with this config."


def judge(projects: Sequence[ObsProject], world: ObsWorld, wants: Wants) -> DesiredState:
    """What ``projects`` offer by what was read. ``wants`` tells of built files which are synced.

    Raises MappingError for a repository that nothing maps, ReadError for a project that was not read.
    """
    metas = [_meta(project, world) for project in projects]
    repositories = tuple(_seen(w, world.projects[w.project.name], wants) for w in all_wanted(projects, metas))
    warnings = (*(problem.what for problem in ended(projects, metas)), *_signature_warnings(repositories))
    return DesiredState(
        repositories=repositories, read_at=world.read_at, requests=world.requests, warnings=(*warnings, *world.warnings)
    )


def _signature_warnings(repositories: Iterable[Repository]) -> Iterator[str]:
    signed = {r.id: r.index.signature for r in repositories if r.index and r.index.signature}
    return (f"{name}: {words}" for name, signature in signed.items() for words in signature.warnings)


def _meta(project: ObsProject, world: ObsWorld) -> ProjectMeta | None:
    found = world.projects.get(project.name)
    if found is None:
        raise ReadError(f"{project.name}: the snapshot did not read this project", tip=_READ_IT)
    if found.meta is None and not project.optional:
        words = f"{project.name}: OBS had no such project when the snapshot was taken"
        raise ReadError(words, tip="List it in `optional_projects` if it comes and goes.")
    return found.meta


def _seen(w: Wanted, reads: ProjectReads, wants: Wants) -> Repository:
    # what is absent stays among them: it may be the reason why a package is not offered
    if w.expected is None:
        return _missing(w, reads.meta is None)
    found = reads.repositories.get(w.name, RepositoryReads(before={}, after={}))
    return _judged(w, found, _index(w, found, wants))


def _index(w: Wanted, reads: RepositoryReads, wants: Wants) -> IndexRead | None:
    if w.filtered:
        return None
    if w.project.content == "published":
        return reads.index or _not_read(f"{w.id}: the snapshot did not read its index")
    copies = chosen(w, reads.before, wants)
    unread = [made for made in copies if reads.copies is None or made not in reads.copies]
    if reads.copies is None or unread:
        what = unread[0].path if unread else "what is built for it"
        return _not_read(f"{w.id}: the snapshot did not read {what}")
    return index_of(w, {made: reads.copies[made] for made in copies}, reads.after, wants)


def _not_read(words: str) -> IndexRead:
    return IndexRead(index=None, problems=(Problem(Reason.UNREAD, words, lasting=True, cure=_READ_IT),), unread=True)


def architectures_of(w: Wanted, reads: RepositoryReads) -> tuple[Architecture, ...]:
    """The architectures as both looks show them."""
    ignored = w.project.ignore_architectures
    return settled.judge_architectures(w.id, w.expected or (), reads.before, reads.after, ignored, w.project.content)


def _judged(w: Wanted, reads: RepositoryReads, outcome: IndexRead | None) -> Repository:
    ignored, after = w.project.ignore_architectures, reads.after
    architectures = architectures_of(w, reads)
    shared = settled.shared_problems(architectures, ignored)
    problems = (*settled.publishing_problems(w.id, after, ignored), *shared)
    if not architectures:
        words, cure = f"{w.id}: the repository has no architecture", "Give it one in OBS, or map it to null."
        problems = (Problem(Reason.ARCHITECTURE_ABSENT, words, lasting=True, cure=cure),)
    if outcome is None:
        return _repository(w, architectures=architectures, problems=problems)
    if w.project.content == "published":
        outcome = _checked(w, outcome, reads)
    # what the whole index is at odds with is told once, not once more for its files
    own = {name: doubt for name, doubt in outcome.doubts.items() if doubt not in outcome.problems}
    return _repository(
        w,
        architectures=architectures,
        index=outcome.index,
        problems=(*problems, *outcome.problems, *settled.contradictions(own, after, ignored)),
        doubts=outcome.doubts,
        unread=outcome.unread,
    )


def _checked(w: Wanted, read: IndexRead, reads: RepositoryReads) -> IndexRead:
    """A published index with what speaks against it."""
    # why there is none, if it is known, needs no second reason
    if read.index is None and read.problems:
        return read
    if w.project.signing_key is not None and read.index is not None and read.index.signature is None:
        words = f"{w.id}: the snapshot was taken without a look at the signature of its index"
        unsigned = Problem(Reason.SIGNATURE, words, lasting=True, cure=_READ_IT)
        return IndexRead(index=None, problems=(unsigned,), unread=True)
    may_be_empty = w.name in w.project.may_be_empty
    against = settled.index_problems(w.id, read.index, reads.before, w.project.ignore_architectures, may_be_empty)
    compare_times = w.project.compare_times
    doubts = settled.doubts(w.id, read.index, reads.after, compare_times) if read.index is not None else {}
    if read.index is not None and read.newest is not None:
        # of what it lists, only what is there already is known to be wanted
        older = settled.older_than(w.id, read.index, read.newest)
        against, doubts = (*against, older), dict.fromkeys((file.filename for file in read.index.files), older)
    return replace(read, problems=(*read.problems, *against), doubts=doubts)


def _missing(w: Wanted, project_absent: bool) -> Repository:
    """A mapped repository that cannot be read because it is not there: known to be unsettled."""
    if project_absent:
        problem = Problem(Reason.PROJECT_ABSENT, f"{w.project.name}: OBS has no such project", lasting=True)
    elif w.name == CATCH_ALL:
        words = f"{w.project.name}: its _meta has no repository that `*` stands for"
        problem = Problem(Reason.REPOSITORY_ABSENT, words, lasting=True)
    else:
        words = f"{w.id}: the project's _meta does not have the repository"
        problem = Problem(Reason.REPOSITORY_ABSENT, words, lasting=True)
    return _repository(w, problems=(problem,))


def _repository(w: Wanted, **found: Any) -> Repository:
    return Repository(
        project=w.project.name,
        name=w.name,
        distributions=w.distributions,
        filtered=w.filtered,
        skipped=w.skipped,
        catch_all=w.catch_all,
        filter_architectures=w.project.architectures,
        ignore_architectures=w.project.ignore_architectures,
        content=w.project.content,
        **found,
    )
