"""What was the newest index of each repository: kept in a file, and what is older than that holds."""

import json
from datetime import UTC, datetime
from pathlib import Path

from pkgsync.model import Index, Signed
from pkgsync.obs import Newest, ObsWorld, accepting, beside
from pkgsync.obs.indexes import IndexRead
from pkgsync.obs.world import ProjectReads, RepositoryReads

API = "https://api.example.com"
SIGNED = Signed(fingerprint="A" * 40, signed_at=500, hash_algorithm="SHA256")


def world(revision: int | None, signature: Signed | None = None, project: str = "home:me") -> ObsWorld:
    index = Index(top_sha256="0" * 64, revision=revision, files=(), signature=signature)
    reads = RepositoryReads(before={}, after={}, index=IndexRead(index=index))
    found = ProjectReads(meta=None, repositories={"leap": reads, "null": RepositoryReads(before={}, after={})})
    return ObsWorld(projects={project: found}, read_at=datetime(2026, 1, 1, tzinfo=UTC), requests=0)


def newest_of(world: ObsWorld) -> int | None:
    index = world.projects["home:me"].repositories["leap"].index
    assert index
    return index.newest


def known(folder: Path) -> dict[str, int]:
    return Newest(folder, API).known


def test_only_a_newer_index_is_noted_or_one_that_is_accepted(tmp_path: Path) -> None:
    assert known(tmp_path) == {}
    for revision, accepted, expected in ((100, (), 100), (200, (), 200), (150, (), 200), (150, ("home:me/leap",), 150)):
        Newest(tmp_path, API).remember(world(revision), accepted)
        assert known(tmp_path) == {"home:me/leap": expected}
    assert Newest(tmp_path, "https://other.example.com").known == {}


def test_an_index_without_a_time_is_as_old_as_its_signature(tmp_path: Path) -> None:
    Newest(tmp_path, API).remember(world(None), ())
    assert known(tmp_path) == {}
    Newest(tmp_path, API).remember(world(None, SIGNED), ())
    assert known(tmp_path) == {"home:me/leap": 500}


def test_no_run_forgets_what_another_one_noted_meanwhile(tmp_path: Path) -> None:
    Newest(tmp_path, API).remember(world(100), ())
    one, other, late = (Newest(tmp_path, API) for _ in range(3))
    one.remember(world(300), ())
    other.remember(world(100, project="home:other"), ())
    late.remember(world(200), ())
    assert known(tmp_path) == {"home:me/leap": 300, "home:other/leap": 100}


def test_only_what_was_newer_stands_beside_an_index() -> None:
    assert newest_of(beside(world(100), {"home:me/leap": 100})) is None
    assert newest_of(beside(world(100), {"home:me/other": 101})) is None
    older = beside(world(100), {"home:me/leap": 101})
    assert newest_of(older) == 101
    assert newest_of(beside(older, {"home:me/leap": 99})) == 101
    assert newest_of(beside(older, {"home:me/leap": 102})) == 102
    assert newest_of(accepting(older, ["home:me/leap"])) is None
    assert newest_of(accepting(older, ["home:me/other"])) == 101


def test_a_damaged_file_knows_nothing_and_says_so(tmp_path: Path) -> None:
    Newest(tmp_path, API).remember(world(100), ())
    [path] = tmp_path.glob("*.json")
    sound = json.loads(path.read_bytes())
    for damaged in (
        b"",
        b"[]",
        b"{",
        json.dumps({**sound, "repositories": {"a": "1"}}).encode(),
        b"\xff",
        b"[" * 99999,
    ):
        path.write_bytes(damaged)
        read = Newest(tmp_path, API)
        assert (read.known, len(read.warnings)) == ({}, 1)
        read.remember(world(100), ())
        assert known(tmp_path) == {"home:me/leap": 100}


def test_a_folder_that_cannot_be_written_is_a_warning(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    read = Newest(tmp_path / "file", API)
    read.remember(world(100), ())
    assert read.warnings[-1].startswith("the newest indexes could not be noted")
