"""Snapshot values to JSON, and back.

What there are many thousands of is an array of columns: as objects, it would take twice the room and ten times the
time to check.
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from typing import Any

from attrs import evolve, frozen
from cattrs import Converter
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override

from pkgsync.errors import IntegrityError, ReadError
from pkgsync.formats.fields import is_entry
from pkgsync.model import (
    ActualState,
    BuiltFile,
    BuiltPackage,
    IndexedFile,
    Need,
    PackageType,
    Problem,
    Row,
    Version,
    iso,
)
from pkgsync.model.filename import FileClass, is_plain
from pkgsync.obs.built import Found, Reading
from pkgsync.obs.indexes import IndexRead
from pkgsync.obs.results import ArchitectureResult, ArchitectureResults, BuiltCopy
from pkgsync.obs.world import RepositoryReads
from pkgsync.reasons import Reason

_SHA256 = re.compile(r"[0-9a-f]{64}")
_TEXT, _NUMBER, _NULL = str, int, type(None)
_FAILURES: Mapping[str, Callable[..., ReadError | IntegrityError]] = {
    "ReadError": ReadError,
    "IntegrityError": IntegrityError,
}


@frozen
class _Columns:
    """What an array holds, in this order, and of which JSON types each may be."""

    types: Mapping[str, tuple[type, ...]]

    def values(self, array: Any) -> dict[str, Any]:
        """By name. Raises ValueError where they are not what they must be."""
        if not isinstance(array, list) or len(array) != len(self.types):
            raise ValueError(f"an entry is not {len(self.types)} columns ({', '.join(self.types)})")
        for (name, types), value in zip(self.types.items(), array, strict=True):
            if type(value) not in types:
                raise ValueError(f"the {name} of an entry is of a wrong type")
        return dict(zip(self.types, array, strict=True))


_ROW = _Columns(
    {
        "distribution": (_TEXT,),
        "filename": (_TEXT,),
        "type": (_TEXT,),
        "name": (_TEXT,),
        "version": (_TEXT, _NULL),
        "release": (_TEXT, _NULL),
        "epoch": (_NUMBER, _NULL),
        "architecture": (_TEXT, _NULL),
        "sha256": (_TEXT, _NULL),
        "created_at": (_TEXT,),
        "uploader": (_TEXT, _NULL),
        "indexed": (bool,),
    }
)
_BUILT = _Columns({"filename": (_TEXT,), "size": (_NUMBER,), "mtime": (_NUMBER,)})
_FILE = _Columns(
    {
        "path": (_TEXT,),
        "size": (_NUMBER,),
        "sha256": (_TEXT,),
        "type": (_TEXT,),
        "name": (_TEXT,),
        "epoch": (_NUMBER,),
        "version": (_TEXT,),
        "release": (_TEXT,),
        "architecture": (_TEXT,),
        "file_class": (_TEXT,),
        "mtime": (_NUMBER, _NULL),
    }
)


def row_out(row: Row) -> list[Any]:
    """All but the server's routes: some hold a token, and no plan needs them."""
    return [getattr(row, name) for name in _ROW.types]


def row_in(array: Any, _: Any = None) -> Row:
    row = Row(**_ROW.values(array))
    if row.sha256 is not None:
        _check_sha256(row.sha256)
    return row


def built_out(file: BuiltFile) -> list[Any]:
    return [file.filename, file.size, file.mtime]


def built_in(array: Any, _: Any = None) -> BuiltFile:
    values = _BUILT.values(array)
    if not is_entry(values["filename"]) or values["size"] < 0:
        raise ValueError("a built file has no usable name or size")
    return BuiltFile(**values)


def file_out(file: IndexedFile) -> list[Any]:
    version = file.version
    own = [file.path, file.size, file.sha256, file.type.value, file.name, version.epoch, version.version]
    return [*own, version.release, file.architecture, file.file_class.value, file.mtime]


def file_in(array: Any, _: Any = None) -> IndexedFile:
    values = _FILE.values(array)
    _check_sha256(values["sha256"])
    parts = values["path"].split("/")
    if not all(map(is_plain, parts)) or values["size"] < 0:
        raise ValueError("a file has no usable path or size")
    version = Version(values.pop("epoch"), values.pop("version"), values.pop("release"))
    kind, category = PackageType(values.pop("type")), FileClass(values.pop("file_class"))
    return IndexedFile(filename=parts[-1], type=kind, version=version, file_class=category, **values)


def need_in(array: Any, _: Any = None) -> Need:
    what, *of = array
    return Need(what, tuple(of))


def _check_sha256(text: str) -> None:
    if not _SHA256.fullmatch(text):
        raise ValueError("a sha256 is not 64 hex digits")


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
    for kind in (ArchitectureResult, BuiltPackage, IndexRead, Problem):
        made.register_unstructure_hook(kind, make_dict_unstructure_fn(kind, made, _cattrs_omit_if_default=True))
    _register(made, ActualState, distribution_ids=(_ids_out, _ids_in), archive=(_archive_out, _archive_in))
    _register_reads(made)
    return made


def _register(made: Converter, kind: Any, **own: tuple[Callable[..., Any], Callable[..., Any]]) -> None:
    how: dict[str, Any] = {name: override(unstruct_hook=out, struct_hook=into) for name, (out, into) in own.items()}
    made.register_unstructure_hook(kind, make_dict_unstructure_fn(kind, made, **how))
    made.register_structure_hook(kind, make_dict_structure_fn(kind, made, **how))


def _ids_out(ids: Mapping[tuple[str, str], int]) -> list[list[Any]]:
    return [[kind, name, number] for (kind, name), number in ids.items()]


def _ids_in(listed: list[list[Any]], _: Any) -> dict[tuple[str, str], int]:
    return {(kind, name): number for kind, name, number in listed}


def _archive_out(rows: Mapping[str, Row] | None) -> list[Any] | None:
    return None if rows is None else [row_out(row) for row in rows.values()]


def _archive_in(listed: list[Any] | None, _: Any) -> dict[str, Row] | None:
    return None if listed is None else {row.key: row for row in map(row_in, listed)}


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
