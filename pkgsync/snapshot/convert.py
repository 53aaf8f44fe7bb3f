"""Snapshot values to JSON, and back.

What there are many thousands of is an array of columns: as objects, it would take twice the room.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from operator import attrgetter
from typing import Any

from attrs import evolve
from cattrs import Converter
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override

from pkgsync.errors import IntegrityError, ReadError
from pkgsync.formats.fields import is_entry
from pkgsync.model import (
    ActualState,
    BuiltFile,
    BuiltPackage,
    Index,
    IndexedFile,
    Need,
    PackageType,
    Problem,
    Row,
    Signed,
    Version,
    iso,
)
from pkgsync.model.filename import FileClass, is_plain
from pkgsync.obs.built import Found, Reading
from pkgsync.obs.indexes import IndexRead
from pkgsync.obs.results import ArchitectureResult, ArchitectureResults, BuiltCopy
from pkgsync.obs.world import ObsWorld, RepositoryReads
from pkgsync.reasons import Reason

_FAILURES: Mapping[str, Callable[..., ReadError | IntegrityError]] = {
    "ReadError": ReadError,
    "IntegrityError": IntegrityError,
}


# what the columns are and may be, the schema says
row_out = attrgetter(
    "distribution", "filename", "type", "name", "version", "release", "epoch", "architecture", "sha256", "created_at",
    "uploader", "indexed",
)  # fmt: skip
built_out = attrgetter("filename", "size", "mtime")
file_out = attrgetter(
    "path", "size", "sha256", "type.value", "name", "version.epoch", "version.version", "version.release",
    "architecture", "file_class.value", "mtime",
)  # fmt: skip


def row_in(array: list[Any], _: Any = None) -> Row:
    return Row(*_exact(array))


def built_in(array: list[Any], _: Any = None) -> BuiltFile:
    if not is_entry(array[0]):
        raise ValueError("a built file has no usable name")
    return BuiltFile(*_exact(array))


def file_in(array: list[Any], _: Any = None) -> IndexedFile:
    path, size, sha256, kind, name, epoch, version, release, architecture, category, mtime = _exact(array)
    parts = path.split("/")
    if not all(map(is_plain, parts)):
        raise ValueError("a file has no usable path")
    return IndexedFile(
        filename=parts[-1],
        path=path,
        size=size,
        sha256=sha256,
        type=PackageType(kind),
        name=name,
        version=Version(epoch, version, release),
        architecture=architecture,
        file_class=FileClass(category),
        mtime=mtime,
    )


def need_in(array: Any, _: Any = None) -> Need:
    what, *of = array
    return Need(what, tuple(of))


def _exact(array: list[Any]) -> list[Any]:
    """JSON Schema takes 1.0 for an integer."""
    if any(isinstance(value, float) for value in array):
        raise ValueError("a number of an entry has a decimal point")
    return array


@cache
def converter() -> Converter:
    made = Converter()
    for words in (FileClass, PackageType, Reason):
        made.register_unstructure_hook(words, lambda word: word.value)
    made.register_unstructure_hook(datetime, iso)
    made.register_structure_hook(datetime, lambda text, _: datetime.fromisoformat(text))
    made.register_unstructure_hook(Row, row_out)
    made.register_structure_hook(Row, row_in)
    made.register_unstructure_hook(BuiltFile, built_out)
    made.register_structure_hook(BuiltFile, built_in)
    made.register_unstructure_hook(IndexedFile, file_out)
    made.register_structure_hook(IndexedFile, file_in)
    made.register_unstructure_hook(Need, lambda need: [need.what, *need.of])
    made.register_structure_hook(Need, need_in)
    for kind in (ArchitectureResult, BuiltPackage, Signed, Index, IndexRead, Problem):
        made.register_unstructure_hook(kind, make_dict_unstructure_fn(kind, made, _cattrs_omit_if_default=True))
    _register(
        made,
        ActualState,
        distribution_ids=(
            lambda ids: [[*place, number] for place, number in ids.items()],
            lambda listed, _: {(kind, name): number for kind, name, number in listed},
        ),
        archive=(
            lambda rows: None if rows is None else [row_out(row) for row in rows.values()],
            lambda listed, _: None if listed is None else {row.key: row for row in map(row_in, listed)},
        ),
    )
    _register_reads(made)
    made.register_unstructure_hook(ObsWorld, make_dict_unstructure_fn(ObsWorld, made, _cattrs_omit_if_default=True))
    return made


def _register(made: Converter, kind: Any, **own: tuple[Callable[..., Any], Callable[..., Any]]) -> None:
    how: dict[str, Any] = {name: override(unstruct_hook=out, struct_hook=into) for name, (out, into) in own.items()}
    made.register_unstructure_hook(kind, make_dict_unstructure_fn(kind, made, **how))
    made.register_structure_hook(kind, make_dict_structure_fn(kind, made, **how))


def _register_reads(made: Converter) -> None:
    _register(made, RepositoryReads, copies=(_copies_out, _copies_in))
    to_dict = made.get_unstructure_hook(RepositoryReads)
    from_dict = made.get_structure_hook(RepositoryReads)

    def reads_out(reads: RepositoryReads) -> dict[str, Any]:
        """Both looks are mostly equal, and large."""
        bare = _without_words(reads)
        document: dict[str, Any] = to_dict(bare)
        return document | ({"before": None} if bare.before == bare.after else {})

    def reads_in(document: dict[str, Any], kind: Any) -> RepositoryReads:
        before = document["after"] if document["before"] is None else document["before"]
        found: RepositoryReads = from_dict({**document, "before": before}, kind)
        return found

    made.register_unstructure_hook(RepositoryReads, reads_out)
    made.register_structure_hook(RepositoryReads, reads_in)


def _copies_out(reading: Reading | None) -> list[Any] | None:
    if reading is None:
        return None
    return [
        [made.repository, made.architecture, made.package, built_out(made.file), _found_out(found)]
        for made, found in reading.items()
    ]


def _found_out(found: Found) -> Any:
    if isinstance(found, IndexedFile):
        return file_out(found)
    if found is None:
        return None
    kind = "ReadError" if isinstance(found, ReadError) else "IntegrityError"
    return {"failed": kind, "message": found.message, "tip": found.tip}


def _copies_in(listed: list[Any] | None, _: Any) -> Reading | None:
    if listed is None:
        return None
    return {
        BuiltCopy(repository=repository, architecture=architecture, package=package, file=built_in(file)): _found_in(
            found
        )
        for repository, architecture, package, file, found in listed
    }


def _found_in(found: Any) -> Found:
    if found is None:
        return None
    if isinstance(found, dict):
        return _FAILURES[found["failed"]](found["message"], tip=found["tip"])
    return file_in(found)


def _without_words(reads: RepositoryReads) -> RepositoryReads:
    """``details`` are OBS's own words: only whether there are any counts, and whether they stayed the same."""
    return evolve(
        reads,
        before=_bare(reads.before, reads.after, "told before"),
        after=_bare(reads.after, reads.before, "told"),
    )


def _bare(results: ArchitectureResults, others: ArchitectureResults, changed: str) -> ArchitectureResults:
    return {name: evolve(result, details=_told(result, others.get(name), changed)) for name, result in results.items()}


def _told(result: ArchitectureResult, other: ArchitectureResult | None, changed: str) -> str:
    if not result.details:
        return ""
    return "told" if other is not None and other.details == result.details else changed
