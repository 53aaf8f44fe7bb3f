"""What `pkgsync verify` prints: escaped, counted, and short where one line is enough."""

import json
from typing import Any

import pytest

from pkgsync.model.served import Checked, CheckedIndex, ServedState, Verification
from pkgsync.report import Style, verification_json, verification_next, verification_text

LEAP, JAMMY = "opensuse/15.6", "ubuntu/jammy"
WIDE, NARROW = Style(), Style(width=80)


def found(*files: Checked, **other: Any) -> Verification:
    usual = {
        "repository": "me/stable",
        "created_at": "2026-03-01T12:00:00Z",
        "complete": True,
        "indexes": (
            CheckedIndex(
                distribution=LEAP, architectures=("aarch64", "x86_64"), made_at="2026-03-01T11:00:00Z",
                after_seconds=72, served=1, signed_by="ABCD",
            ),
        ),
    }  # fmt: skip
    return Verification(files=files, **{**usual, **other})


def test_all_is_served() -> None:
    assert verification_text(found(), WIDE) == (
        "opensuse/15.6: 1 file right; index for aarch64, x86_64; made 2026-03-01T11:00:00Z, 1 min 12 s after the last "
        "change; signed by ABCD\n\n"
        "Verified: package managers get the one file of OBS."
    )
    assert verification_next(found()) == ""


def test_what_is_not_so_stands_line_by_line() -> None:
    index = CheckedIndex(distribution=JAMMY, architectures=())
    files = (
        Checked(JAMMY, "a\x1b[31m.deb", state=ServedState.ABSENT, message="no index is there yet"),
        Checked(LEAP, "b.rpm", state=ServedState.DIFFERS, message="sha256 aa instead of bb"),
        Checked(LEAP, "c.rpm", state=ServedState.NOT_UPLOADED),
    )
    said = found(*files, indexes=(*found().indexes, index))
    assert verification_text(said, NARROW).splitlines() == [
        "opensuse/15.6: 1 file right; index for aarch64, x86_64; made",
        "  2026-03-01T11:00:00Z, 1 min 12 s after the last change; signed by ABCD",
        "ubuntu/jammy: no index is there yet",
        "",
        r"  ! ubuntu/jammy/a\x1b[31m.deb  not served: no index is there yet",
        "  ! opensuse/15.6/b.rpm         OTHER BYTES: sha256 aa instead of bb",
        "  ! opensuse/15.6/c.rpm         not on Packagecloud",
        "",
        "Not verified: package managers get 1 of 4 files, 1 with other bytes.",
    ]
    assert verification_next(said, "-c x.yaml ") == "What Packagecloud lacks: pkgsync -c x.yaml plan"
    assert verification_next(found(files[0])) == "Packagecloud indexes in a queue: verify again in some minutes."


def test_of_an_index_that_could_not_be_read_one_line_is_enough() -> None:
    index = CheckedIndex(distribution=LEAP, architectures=(), problem="no connection")
    files = tuple(Checked(LEAP, f"{n}.rpm", state=ServedState.UNREAD, message="x") for n in range(30))
    assert verification_text(found(*files, indexes=(index,), receipt="sha256:0"), WIDE) == (
        "opensuse/15.6: no connection\n\nNot verified: package managers get 0 of 30 changes."
    )


def test_of_many_some_are_named() -> None:
    files = tuple(Checked(LEAP, f"{n:02}.rpm", state=ServedState.ABSENT, message="x") for n in range(23))
    lines = verification_text(found(*files), WIDE).splitlines()
    assert sum(line.startswith("  ! ") for line in lines) == 20
    assert "  and 3 more (-v names them)" in lines
    assert verification_text(found(*files), WIDE, verbose=True).count("  ! ") == 23


@pytest.mark.parametrize(("receipt", "words"), [(None, "OBS publishes no file"), ("sha256:0", "nothing was changed")])
def test_nothing_to_verify(receipt: str | None, words: str) -> None:
    assert verification_text(found(indexes=(), receipt=receipt), WIDE) == f"Nothing to verify: {words}."


def test_json_has_the_states_and_the_count() -> None:
    told = json.loads(verification_json(found(Checked(LEAP, "b.rpm", state=ServedState.STILL_SERVED, message="x"))))
    assert told["files"] == [
        {"distribution": LEAP, "filename": "b.rpm", "state": "still-served", "message": "x"},
    ]  # fmt: skip
    assert (told["served"], told["complete"], told["receipt"]) == (1, True, None)


def test_an_obs_that_was_not_read_is_not_said_to_publish_nothing() -> None:
    nothing = found(complete=False, indexes=())
    assert verification_text(nothing, WIDE) == "Not verified: OBS could not be read completely."
    assert verification_text(found(indexes=()), WIDE) == "Nothing to verify: OBS publishes no file."
