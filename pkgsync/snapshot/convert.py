"""Snapshot values to JSON, and back.

What there are many thousands of is an array of columns: as objects, it would take twice the room.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from operator import attrgetter
from typing import Any, TypeVar

import msgspec
from msgspec.structs import replace

from pkgsync.errors import IntegrityError, ReadError
from pkgsync.formats.fields import is_entry
from pkgsync.model import (
    ActualState,
    BuiltFile,
    IndexedFile,
    Need,
    Needs,
    PackageType,
    Row,
    Version,
    iso,
)
from pkgsync.model.filename import FileClass, is_plain
from pkgsync.obs.built import Found, Reading
from pkgsync.obs.indexes import IndexRead
from pkgsync.obs.results import ArchitectureResult, ArchitectureResults, BuiltCopy, ProjectMeta
from pkgsync.obs.world import ObsWorld, ProjectReads, RepositoryReads

T = TypeVar("T")
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


def row_in(array: list[Any]) -> Row:
    return Row(*_exact(array))


def built_in(array: list[Any]) -> BuiltFile:
    if not is_entry(array[0]):
        raise ValueError("a built file has no usable name")
    return BuiltFile(*_exact(array))


def file_in(array: list[Any]) -> IndexedFile:
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


def _exact(array: list[Any]) -> list[Any]:
    """JSON Schema takes 1.0 for an integer."""
    if any(isinstance(value, float) for value in array):
        raise ValueError("a number of an entry has a decimal point")
    return array


def placed(place: str, read: Callable[[dict[str, Any]], T], document: dict[str, Any]) -> T:
    """What ``read`` makes of the document; its errors say where that stands. Raises ValueError."""
    try:
        return read(document)
    except (ValueError, msgspec.ValidationError) as error:
        raise ValueError(f"{place}: {error}") from None


def world_out(world: ObsWorld) -> dict[str, Any]:
    projects = {
        name: {"meta": project.meta, "repositories": {name: _reads_out(r) for name, r in project.repositories.items()}}
        for name, project in world.projects.items()
    }
    return _plain(replace(world, projects=projects, read_at=iso(world.read_at)))


def world_in(document: dict[str, Any]) -> ObsWorld:
    """Raises ValueError, or ValidationError, for what the schema cannot tell to be wrong."""
    projects = {
        name: ProjectReads(
            meta=msgspec.convert(project["meta"], ProjectMeta | None),
            repositories={
                repository: placed(f"{name}/{repository}", _reads_in, reads)
                for repository, reads in project["repositories"].items()
            },
        )
        for name, project in document["projects"].items()
    }
    return ObsWorld(
        projects=projects,
        read_at=datetime.fromisoformat(document["read_at"]),
        requests=msgspec.convert(document["requests"], int),
        warnings=tuple(document.get("warnings", ())),
    )


def actual_out(actual: ActualState) -> dict[str, Any]:
    return _plain(
        replace(
            actual,
            rows=[row_out(row) for row in actual.rows],
            distribution_ids=[[*place, number] for place, number in actual.distribution_ids.items()],
            read_at=iso(actual.read_at),
            archive=None if actual.archive is None else [row_out(row) for row in actual.archive.values()],
            needs={name: _needs_out(needs) for name, needs in actual.needs.items()},
        )
    )


def actual_in(document: dict[str, Any]) -> ActualState:
    """Raises as :func:`world_in`."""
    archive = document["archive"]
    made = {
        "rows": [row_in(row) for row in document["rows"]],
        "distribution_ids": {(kind, name): number for kind, name, number in document["distribution_ids"]},
        "archive": None if archive is None else {row.key: row for row in map(row_in, archive)},
        "needs": {name: _needs_in(needs) for name, needs in document.get("needs", {}).items()},
    }
    return msgspec.convert({**document, **made}, ActualState)


def _needs_out(needs: Needs) -> dict[str, Any]:
    on = {sha256: [need.architecture for need in of] for sha256, of in needs.files.items()}
    return {
        "files": {sha256: [[need.what, *need.of] for need in of] for sha256, of in needs.files.items()},
        "on": {sha256: names for sha256, names in on.items() if any(names)},
        "own": needs.own,
        "unread": needs.unread,
    }


def _needs_in(document: dict[str, Any]) -> dict[str, Any]:
    """What was written before needs had architectures, counts on each."""
    on = document.get("on", {})
    files = {
        sha256: [
            Need(what, tuple(of), architecture)
            for (what, *of), architecture in zip(found, on.get(sha256, [""] * len(found)), strict=True)
        ]
        for sha256, found in document["files"].items()
    }
    return {**document, "files": files}


def _plain(value: Any) -> dict[str, Any]:
    document: dict[str, Any] = msgspec.to_builtins(value)
    return document


def _reads_out(reads: RepositoryReads) -> dict[str, Any]:
    """Both looks are mostly equal, and large."""
    bare, read = _without_words(reads), reads.index
    if read is not None and read.index is not None:
        read = replace(read, index=replace(read.index, files=[file_out(file) for file in read.index.files]))
    return {
        "before": None if bare.before == bare.after else bare.before,
        "after": bare.after,
        "index": read,
        "copies": _copies_out(reads.copies),
    }


def _reads_in(document: dict[str, Any]) -> RepositoryReads:
    after, read = _results_in(document["after"]), document["index"]
    if read is not None and read["index"] is not None:
        files = [file_in(file) for file in read["index"]["files"]]
        read = {**read, "index": {**read["index"], "files": files}}
    return RepositoryReads(
        before=after if document["before"] is None else _results_in(document["before"]),
        after=after,
        index=msgspec.convert(read, IndexRead | None),
        copies=_copies_in(document["copies"]),
    )


def _results_in(document: dict[str, Any]) -> ArchitectureResults:
    made = {
        name: {**result, "packages": [_package_in(package) for package in result["packages"]]}
        for name, result in document.items()
    }
    return msgspec.convert(made, dict[str, ArchitectureResult])


def _package_in(document: dict[str, Any]) -> dict[str, Any]:
    return {**document, "files": [built_in(file) for file in document.get("files", ())]}


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


def _copies_in(listed: list[Any] | None) -> Reading | None:
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
    return replace(
        reads,
        before=_bare(reads.before, reads.after, "told before"),
        after=_bare(reads.after, reads.before, "told"),
    )


def _bare(results: ArchitectureResults, others: ArchitectureResults, changed: str) -> ArchitectureResults:
    return {name: replace(result, details=_told(result, others.get(name), changed)) for name, result in results.items()}


def _told(result: ArchitectureResult, other: ArchitectureResult | None, changed: str) -> str:
    if not result.details:
        return ""
    return "told" if other is not None and other.details == result.details else changed
