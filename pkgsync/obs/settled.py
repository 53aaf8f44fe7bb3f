"""Whether what was read is final: as pure functions of two looks.

What the states of OBS prove: README.md, "Repository states". The root ``state`` of a ``_result`` proves nothing: a full
rebuild leaves it unchanged.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime

from msgspec.structs import replace

from pkgsync.model import Architecture, BuiltFile, ContentFrom, Index, IndexedFile, PackageType, Problem
from pkgsync.obs.results import ArchitectureResult, ArchitectureResults
from pkgsync.reasons import Reason

# README.md, "Published tree": some servers note the publish once more, after copying out the index that they made
_MAX_AGE_SECONDS = 600
_CURES = {
    "unpublished": "Waiting does not help: its publishing is switched off in OBS.",
    "disabled": "Switch it on in OBS, or list the architecture in `ignore_architectures`.",
    "excluded": "Switch it on in OBS, or list the architecture in `ignore_architectures`.",
    "broken": "Repair the configuration of the repository in OBS.",
}
"""What ends the states that do not end by themselves."""
_OTHER_TREE = "Plan again in a few minutes; if it stays so, look whether `published_url` leads to another tree."
_OTHER_TIMES = (
    "Plan again in a few minutes; if it stays so, look whether `published_url` leads to another tree, or set "
    "`compare_times: false` for the project if that server does not keep the times of files."
)


def judge_architectures(
    where: str,
    expected: Sequence[str],
    first: ArchitectureResults,
    second: ArchitectureResults,
    ignored: Collection[str],
    content: ContentFrom = "published",
) -> tuple[Architecture, ...]:
    """Every architecture that ``_meta`` gives (``expected``) or that OBS has, as the second look shows it.

    What unsettles only one architecture stands on it; `ignored` ones are no evidence for others. Where the ``content``
    is what is built, one that is not published is as final as one that is.
    """
    names = (*expected, *sorted(second.keys() - set(expected)))
    # README.md, "Repository states": a publish takes along what the other architectures have finished
    sibling = content == "build" or any(
        result.code == "published" for name, result in second.items() if name not in ignored
    )
    return tuple(
        _architecture(f"{where}/{name}", name, first.get(name), second.get(name), sibling, name in ignored)
        for name in names
    )


def _architecture(
    where: str,
    name: str,
    first: ArchitectureResult | None,
    second: ArchitectureResult | None,
    sibling: bool,
    ignored: bool,
) -> Architecture:
    if second is None:
        absent = Problem(Reason.ARCHITECTURE_ABSENT, f"{where}: OBS gives no result for it")
        return Architecture(name=name, code="", problems=(absent,))
    problems = list(_state_problems(where, second, sibling, ignored))
    # compared whole, with sizes and times: a rebuild may change no state
    if first != second:
        problems.append(Problem(Reason.INDEX_CHANGED, f"{where}: changed while it was read"))
    return Architecture(
        name=name,
        code=second.code,
        dirty=second.dirty,
        last_published=second.last_published,
        packages=second.packages,
        problems=tuple(problems),
    )


def _state_problems(where: str, result: ArchitectureResult, sibling: bool, ignored: bool) -> tuple[Problem, ...]:
    problems = []
    if result.dirty:
        problems.append(Problem(Reason.DIRTY, f"{where}: a change waits for the scheduler"))
    if result.details:
        # never the server's own words: a plan may be published
        problems.append(Problem(Reason.DETAILS, f"{where}: OBS names a problem of it", lasting=True))
    if result.odd_entries:
        words = f"{where}: OBS lists {result.odd_entries} packages or files without a usable name"
        problems.append(Problem(Reason.UNREAD, words, lasting=True, cure="Remove or rename them in OBS."))
    if result.code == "publishing":
        # the publisher works on a whole repository: said there, but for an architecture that does not count
        if ignored:
            problems.append(Problem(Reason.PUBLISHING, f"{where}: being published"))
    elif result.code != "published" and not (result.code == "unpublished" and sibling):
        hint = " (`content: build` syncs what is built)" if result.code == "unpublished" else ""
        words, cure = f"{where}: is {result.code}, not published{hint}", _CURES.get(result.code, "")
        problems.append(Problem(Reason.NOT_PUBLISHED, words, lasting=bool(cure), cure=cure))
    return tuple(problems)


def publishing_problems(where: str, results: ArchitectureResults, ignored: Collection[str]) -> tuple[Problem, ...]:
    """While OBS publishes a repository, its files and its index can disagree (README.md, "Published tree")."""
    names = sorted(n for n, result in results.items() if result.code == "publishing" and n not in ignored)
    if not names:
        return ()
    return (Problem(Reason.PUBLISHING, f"{where}: being published ({', '.join(names)})"),)


def shared_problems(architectures: Collection[Architecture], ignored: Collection[str]) -> tuple[Problem, ...]:
    """What on one architecture unsettles the whole repository: all but a state that is not published.

    One that never gets published holds only its own files; one that is dirty, at odds, absent or changing tells that
    the repository may be published anew at any moment.
    """
    return tuple(
        problem
        for architecture in architectures
        if architecture.name not in ignored
        for problem in architecture.problems
        if problem.reason is not Reason.NOT_PUBLISHED
    )


def index_problems(
    where: str, index: Index | None, results: ArchitectureResults, ignored: Collection[str], may_be_empty: bool
) -> tuple[Problem, ...]:
    """What is wrong with a complete index, or with there being none."""
    if index is None:
        return (Problem(Reason.INDEX_EMPTY, f"{where}: OBS publishes no index for it", lasting=True),)
    problems = []
    # it would make an orphan of every row: believed only where the config says that it may be so
    if not index.files and not may_be_empty:
        problems.append(Problem(Reason.INDEX_EMPTY, f"{where}: the published index is empty", lasting=True))
    times = [r.last_published for n, r in results.items() if r.last_published is not None and n not in ignored]
    behind = max(times, default=0) - index.revision if index.revision is not None else 0
    if behind > _MAX_AGE_SECONDS:
        problems.append(Problem(Reason.INDEX_OLD, f"{where}: the index is {behind} s older than the last publish"))
    return tuple(problems)


def older_than(where: str, index: Index, newest: int) -> Problem:
    """The problem of an index that is older than one which was seen before."""
    words = f"{where}: the index is of {_moment(index.made_at)}, but one of {_moment(newest)} was seen before"
    cure = f"Plan again later; if OBS itself went back, plan with `--accept-older-index {where}`."
    return Problem(Reason.INDEX_OLD, words, cure=cure)


def _moment(seconds: int | None) -> str:
    """For people; the format lets a server number its indexes as it likes."""
    if seconds is None or not 10**8 <= seconds < 10**11:
        return f"number {seconds}"
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}"


def doubts(where: str, index: Index, results: ArchitectureResults, compare_times: bool) -> dict[str, Problem]:
    """The files of the index that no copy in ``_result`` confirms though it has the name, by that name.

    The publisher links what was built: the size is that of some copy, and for rpm the time is that same copy's.
    Checksums prove no more than that the tree fits together: another project's does too, and so does an older one.
    """
    copies = _copies(results)
    found = ((f.filename, _doubt(where, f, copies.get(f.filename, ()), compare_times)) for f in index.files)
    return {filename: problem for filename, problem in found if problem is not None}


def _copies(results: ArchitectureResults) -> Mapping[str, list[BuiltFile]]:
    copies: dict[str, list[BuiltFile]] = {}
    for result in results.values():
        for package in result.packages:
            for file in package.files:
                copies.setdefault(file.filename, []).append(file)
    return copies


def _doubt(where: str, file: IndexedFile, copies: Sequence[BuiltFile], compare_times: bool) -> Problem | None:
    equal = [copy for copy in copies if copy.size == file.size]
    if copies and not equal:
        words = f"{where}: the index gives {file.filename} {file.size} bytes, which no build of it has"
        return Problem(Reason.INDEX_CHANGED, words, cure=_OTHER_TREE)
    timed = compare_times and file.type is PackageType.RPM
    if equal and timed and all(copy.mtime != file.mtime for copy in equal):
        words = f"{where}: the index gives {file.filename} a time that no build of it has"
        return Problem(Reason.INDEX_CHANGED, words, cure=_OTHER_TIMES)
    return None


def contradictions(
    doubted: Mapping[str, Problem], results: ArchitectureResults, ignored: Collection[str]
) -> tuple[Problem, ...]:
    """What the ``doubted`` files say of their whole repository: nothing while a publish to come explains them.

    An architecture that the config ignores may build for ever, and explains nothing.
    """
    moving = {
        file.filename
        for name, result in results.items()
        if name not in ignored and not is_final(result)
        for package in result.packages
        for file in package.files
    }
    return together({filename: problem for filename, problem in doubted.items() if filename not in moving})


def together(doubted: Mapping[str, Problem]) -> tuple[Problem, ...]:
    """One problem of the repository that names the first of its ``doubted`` files and counts the others."""
    if not doubted:
        return ()
    first = doubted[min(doubted)]
    others = len(doubted) - 1
    more = f" (and {others} more file{'' if others == 1 else 's'})" if others else ""
    return (replace(first, message=f"{first.message}{more}"),)


def is_at_rest(results: ArchitectureResults) -> bool:
    """Whether the repository claims to be published: an index that does not fit together is then broken."""
    return all(map(is_final, results.values()))


def is_final(result: ArchitectureResult) -> bool:
    return result.code in ("published", "unpublished") and not result.dirty


def changed_only(architectures: Collection[Architecture]) -> bool:
    """Whether nothing but a change between the two looks stands against an architecture: another look may settle it."""
    return any(a.problems and all(p.reason is Reason.INDEX_CHANGED for p in a.problems) for a in architectures)
