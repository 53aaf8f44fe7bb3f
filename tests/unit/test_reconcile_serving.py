"""What package managers should get, beside the indexes that they get."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from pkgsync.model import Outcome, PackageType, PlanTarget, Receipt, ReceiptLine
from pkgsync.model.served import Checked, Expected, ServedFile, ServedIndex, ServedState, Verification, Wanted
from pkgsync.reconcile import expected_after, expected_of, reconcile, verify, wanted
from tests.support.values.builders import JAMMY, LEAP, actual, deb, desired, policy, repository, row, rpm, sha

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
CHANGED = "2026-03-01T11:00:00.000Z"
BEFORE, SOON, LATER = (int(datetime(2026, 3, 1, 11, minute, tzinfo=UTC).timestamp()) for minute in (0, 1, 10))
NAME = "hello-1.0-1.x86_64.rpm"
HELLO = Expected(LEAP, NAME, type=PackageType.RPM, architecture="x86_64", sha256=sha("a"), size=10, changed_at=CHANGED)


def index(*files: ServedFile, **other: Any) -> ServedIndex:
    usual = {"distribution": LEAP, "architectures": ("x86_64",), "revision": SOON}
    return ServedIndex(files=files, **{**usual, **other})


def check(expected: Expected, found: ServedIndex) -> tuple[str, str]:
    result = verify([expected], [found], "me/stable", NOW)
    return (result.files[0].state.value, result.files[0].message) if result.files else ("fine", "")


def test_the_very_file_is_served() -> None:
    found = verify([HELLO], [index(ServedFile(NAME, 10, sha("a")), revision=SOON)], "me/stable", NOW)
    assert (found.files, found.is_done, found.is_wrong, found.served) == ((), True, False, 1)
    assert found.indexes[0].made_at == "2026-03-01T11:01:00Z"
    assert found.indexes[0].after_seconds == 60


def test_its_content_counts_and_not_the_name_that_the_server_gave_it() -> None:
    assert check(HELLO, index(ServedFile("hello.rpm", 10, sha("a")))) == ("fine", "")


AGE = "though the index is newer, of 2026-03-01T11:10:00Z"


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (index(revision=SOON), ("absent", "not indexed yet")),
        (index(revision=None), ("absent", "not indexed yet")),
        (index(revision=LATER), ("absent", AGE)),
        (index(architectures=()), ("absent", "no index is there yet")),
        (index(ServedFile(NAME, 10, sha("old")), revision=LATER), ("old", AGE)),
        (index(ServedFile(NAME, 10, sha("b")), revision=SOON), ("old", "not indexed yet")),
        (index(ServedFile(NAME, 10, sha("b")), revision=LATER), ("differs", f"sha256 3e23e8160039 instead of {sha('a')[:12]}")),
        (index(ServedFile(NAME, 10, sha("b")), revision=None), ("old", "or changed: the index does not tell its age")),
        (index(ServedFile(NAME, 11, sha("a"))), ("differs", "the index says 11 bytes instead of 10")),
        (index(ServedFile(NAME, 10, None), revision=LATER), ("unproven", "the index states no sha256 of it")),
        # one architecture's index is newer than the other's
        (index(ServedFile(NAME, 10, sha("a")), ServedFile(NAME, 10, sha("old"))), ("old", "not indexed yet")),
        (index(problem="no connection"), ("unread", "the index could not be read")),
    ],
)  # fmt: skip
def test_what_is_no_success(found: ServedIndex, said: tuple[str, str]) -> None:
    assert check(replace(HELLO, old_sha256=sha("old")), found) == said


@pytest.mark.parametrize("revision", [2**60, -(2**60), 0])
@pytest.mark.parametrize("changed", ["9999-12-31T23:59:59.999Z", "0001-01-01T00:00:00+23:59", "soon", CHANGED])
def test_times_that_no_calendar_holds_are_no_fault_of_ours(revision: int, changed: str) -> None:
    assert check(replace(HELLO, changed_at=changed), index(revision=revision))[0] == "absent"


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ((), ("fine", "")),
        ((ServedFile(NAME, 10, sha("a")),), ("still-served", "not indexed yet")),
        ((ServedFile(NAME, 10, None),), ("still-served", "not indexed yet")),
        # uploaded anew since
        ((ServedFile(NAME, 10, sha("b")),), ("fine", "")),
    ],
)
def test_what_was_deleted_is_gone(files: tuple[ServedFile, ...], said: tuple[str, str]) -> None:
    assert check(replace(HELLO, gone=True), index(*files)) == said


@pytest.mark.parametrize("gone", [True, False])
def test_a_name_that_tells_no_architecture_proves_nothing_by_what_an_index_lacks(gone: bool) -> None:
    odd = replace(HELLO, filename="odd.rpm", architecture="", gone=gone)
    assert check(odd, index()) == ("unproven", "its file name does not tell which index it belongs in")
    there = ServedFile("odd.rpm", 10, sha("a"))
    assert check(odd, index(there)) == (("still-served", "not indexed yet") if gone else ("fine", ""))


def test_what_packagecloud_lacks_is_no_matter_of_the_index() -> None:
    assert check(replace(HELLO, listed=False), index()) == ("not-uploaded", "")
    replaced = replace(HELLO, listed=False, old_sha256=sha("b"))
    assert check(replaced, index(ServedFile(NAME, 10, sha("b")))) == ("not-uploaded", "it holds other content")


def test_an_index_holds_what_packagecloud_lists_no_more() -> None:
    kept, gone = ServedFile("kept.rpm", 1, sha("k")), ServedFile("gone.rpm", 1, sha("g"))
    renamed = ServedFile("other.rpm", 1, sha("r"))
    rows = [row(rpm("kept", content="x"), filename="kept.rpm"), row(rpm("renamed", content="r"))]
    found = verify([], [index(kept, gone, renamed)], "me/stable", NOW, rows=rows)
    message = "Packagecloud does not list it any more"
    assert found.files == (Checked(LEAP, "gone.rpm", state=ServedState.STILL_SERVED, message=message),)


def test_only_bytes_sums_and_signatures_are_wrong_for_good() -> None:
    def wrong(found: ServedIndex) -> bool:
        return verify([HELLO], [found], "me/stable", NOW).is_wrong

    assert not wrong(index())
    assert not wrong(index(problem="no connection"))
    assert wrong(index(problem="another key", broken=True))
    assert wrong(index(ServedFile(NAME, 10, sha("b")), revision=LATER))


def test_all_that_obs_offers_is_expected_but_what_is_in_doubt() -> None:
    there, missing, other, left_out = rpm("there"), rpm("missing"), rpm("other", content="new"), rpm("skip")
    world = desired(repository(there, missing, other, left_out))
    rows = [row(there), row(rpm("other", content="old")), row(rpm("orphan"))]
    decided = reconcile(world, actual(*rows), policy(exclude=("skip*",)), [LEAP], NOW)
    found = {one.filename: one for one in expected_of(decided)}
    assert {name: (one.listed, one.old_sha256) for name, one in found.items()} == {
        there.filename: (True, None),
        missing.filename: (False, None),
        other.filename: (False, sha("old")),
    }
    assert found[there.filename].changed_at == rows[0].created_at


LINE = ReceiptLine(
    action="upload", distribution=LEAP, filename=NAME, outcome=Outcome.DONE, sha256=sha("a"), size=10, finished_at=CHANGED
)  # fmt: skip
TARGET = PlanTarget(api="https://packagecloud.io", repository="me/stable", total=1, snapshot="", distributions=(LEAP,))


def receipt(*lines: ReceiptLine) -> Receipt:
    return Receipt(
        pkgsync_version="1", plan_digest="sha256:0", target=TARGET, started_at=CHANGED, finished_at=CHANGED, exit_code=0,
        complete=True, interrupted=False, lines=lines,
    )  # fmt: skip


def test_of_an_apply_is_expected_what_is_done() -> None:
    deletion = replace(LINE, action="deletion", filename="gone-1-1.noarch.rpm", size=None)
    lines = (
        LINE,
        replace(
            LINE, action="replacement", distribution=JAMMY, filename="x", stored_as="x_1_amd64.deb", old_sha256=sha("o")
        ),
        deletion,
        replace(deletion, action="archiving", outcome=Outcome.ALREADY_DONE),
        replace(LINE, outcome=Outcome.FAILED),
        replace(LINE, outcome=Outcome.LEFT),
    )
    found = expected_after(receipt(*lines))
    assert [(one.key, one.gone, one.old_sha256) for one in found] == [
        ("opensuse/15.6/hello-1.0-1.x86_64.rpm", False, None),
        ("ubuntu/jammy/x_1_amd64.deb", False, sha("o")),
        ("opensuse/15.6/gone-1-1.noarch.rpm", True, None),
        ("opensuse/15.6/gone-1-1.noarch.rpm", True, None),
    ]
    assert wanted(found) == (
        Wanted(distribution=LEAP, type=PackageType.RPM, architectures=frozenset({"x86_64", "noarch"})),
        Wanted(distribution=JAMMY, type=PackageType.DEB, architectures=frozenset({"amd64"})),
    )
    assert wanted(found[:1], [row(deb(), JAMMY)])[1].architectures == {"amd64"}


FILES = st.lists(
    st.builds(ServedFile, st.sampled_from([NAME, "b.rpm"]), st.just(10), st.sampled_from([None, sha("a"), sha("b")])),
    max_size=4,
)


@given(files=FILES, revision=st.none() | st.integers(0, 10**30), gone=st.booleans(), changed=st.none() | st.text())
def test_only_the_stated_content_is_ever_called_served(
    files: list[ServedFile], revision: int | None, gone: bool, changed: str | None
) -> None:
    expected = replace(HELLO, gone=gone, changed_at=changed)
    found: Verification = verify([expected], [index(*files, revision=revision)], "me/stable", NOW)
    named = {file.sha256 for file in files if file.filename == NAME}
    if gone:
        assert found.is_done == (not named & {None, sha("a")})
    else:
        assert found.is_done == (any(file.sha256 == sha("a") for file in files) and named <= {sha("a")})
