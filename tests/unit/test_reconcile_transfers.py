"""What becomes of a file that OBS offers, for everything that may stand on Packagecloud."""

import pytest

from pkgsync.model import Held, OldContent, Replacement, Shadowed, Source, Upload
from pkgsync.reasons import Reason
from tests.support.values.builders import (
    LEAP,
    architecture,
    decide,
    package,
    policy,
    problem,
    repository,
    row,
    rpm,
    sha,
)

FILE = rpm(version="1.0", content="new")
SOURCE = Source(
    kind="obs",
    project="home:me",
    repository="leap",
    architecture="x86_64",
    packages=("src",),
    path="x86_64/hello-1.0-1.x86_64.rpm",
)
SECOND = Source(
    kind="obs",
    project="home:me",
    repository="second",
    architecture="x86_64",
    packages=("src",),
    path="x86_64/hello-1.0-1.x86_64.rpm",
)
OLD = row(FILE, sha256=sha("old"))


def test_present_and_absent_is_an_upload() -> None:
    result = decide([repository(FILE)])
    assert result.uploads == (
        Upload(
            distribution=LEAP,
            filename="hello-1.0-1.x86_64.rpm",
            size=1000,
            sha256=sha("new"),
            reason=Reason.MISSING,
            source=SOURCE,
        ),
    )


def test_present_with_the_same_content_is_unchanged() -> None:
    result = decide([repository(FILE)], [row(FILE)])
    assert (result.unchanged, result.counts.changes, result.held) == (1, 0, ())


def test_present_with_other_content_is_a_replacement() -> None:
    result = decide([repository(FILE)], [OLD])
    old = OldContent(sha("old"), "2025-01-01T00:00:00.000Z")
    assert result.replacements == (
        Replacement(
            distribution=LEAP,
            filename="hello-1.0-1.x86_64.rpm",
            size=1000,
            sha256=sha("new"),
            reason=Reason.REBUILT,
            source=SOURCE,
            old=old,
        ),
    )


def test_rebuilds_hold() -> None:
    result = decide([repository(FILE)], [OLD], policy(rebuilds="hold"))
    assert [(h.action, h.reason) for h in result.held] == [("replacement", Reason.CONTENT_CHANGED)]
    assert result.replacements == ()


@pytest.mark.parametrize("rebuilds", ["replace", "hold"])
def test_unknown_content_is_held(rebuilds: str) -> None:
    result = decide([repository(FILE)], [row(FILE, sha256=None)], policy(rebuilds=rebuilds))
    assert result.held == (
        Held(
            distribution=LEAP,
            filename="hello-1.0-1.x86_64.rpm",
            action="replacement",
            reason=Reason.CONTENT_UNKNOWN,
            message="Packagecloud does not tell the checksum of its file",
        ),
    )


def test_content_under_another_name_is_neither_uploaded_nor_an_orphan() -> None:
    result = decide([repository(FILE)], [row(rpm("Hello", "1.0", content="new"))])
    assert (result.uploads, result.orphans, result.unchanged) == ((), (), 1)


def test_content_of_another_distribution_does_not_count() -> None:
    assert len(decide([repository(FILE)], [row(rpm("Hello", content="new"), "el/9")]).uploads) == 1


def test_two_sources_of_one_content_are_both_named() -> None:
    (upload,) = decide([repository(FILE), repository(FILE, name="second")]).uploads
    assert (upload.source, upload.also) == (SOURCE, (SECOND,))


def test_the_earlier_of_two_sources_wins_and_shadows_the_other() -> None:
    result = decide([repository(FILE), repository(rpm(content="other"), name="second")])
    assert [u.sha256 for u in result.uploads] == [sha("new")]
    assert result.shadowed == (
        Shadowed(distribution=LEAP, filename="hello-1.0-1.x86_64.rpm", sha256=sha("other"), source=SECOND, by=SOURCE),
    )


def test_within_a_repository_the_first_path_wins() -> None:
    late, early = rpm(content="late", folder="z"), rpm(content="early", folder="a")
    assert [u.sha256 for u in decide([repository(late, early)]).uploads] == [sha("early")]


@pytest.mark.parametrize("known", [True, False])
def test_while_an_earlier_source_is_unread_the_later_one_is_held(known: bool) -> None:
    places = [architecture("x86_64", package("src", FILE))] if known else []
    earlier = repository(name="first", index=None, problems=(problem(Reason.UNREAD),), architectures=places)
    result = decide([earlier, repository(FILE)])
    assert result.uploads == ()
    assert [(h.action, h.reason) for h in result.held] == [("upload", Reason.EARLIER_SOURCE_UNREAD)]
    held = decide([earlier, repository(FILE)], [OLD])
    assert [(h.action, h.reason) for h in held.held] == [("replacement", Reason.EARLIER_SOURCE_UNREAD)]


def test_a_later_source_that_is_unread_holds_no_upload() -> None:
    later = repository(name="last", index=None, problems=(problem(Reason.UNREAD),), architectures=[])
    assert len(decide([repository(FILE), later]).uploads) == 1


def test_an_unsettled_repository_gives_uploads_but_no_replacements() -> None:
    unsettled = repository(FILE, rpm("more"), problems=(problem(Reason.PUBLISHING),))
    result = decide([unsettled], [OLD])
    assert [u.filename for u in result.uploads] == ["more-1.0-1.x86_64.rpm"]
    assert [(h.action, h.reason) for h in result.held] == [("replacement", Reason.PUBLISHING)]


def test_another_unsettled_repository_of_the_distribution_holds_replacements() -> None:
    other = repository(rpm("more"), name="second", problems=(problem(Reason.DIRTY),))
    assert decide([repository(FILE), other], [OLD]).replacements == ()


def test_an_unsettled_architecture_holds_only_its_own_files_and_noarch() -> None:
    offered = [rpm(arch=a, content="new") for a in ("x86_64", "aarch64", "noarch")]
    places = [architecture("x86_64", package("src", *offered)), architecture("aarch64", problems=(problem(),))]
    result = decide([repository(*offered, architectures=places)], [row(f, sha256=sha("old")) for f in offered])
    assert [r.filename for r in result.replacements] == ["hello-1.0-1.x86_64.rpm"]
    excused = repository(*offered, architectures=places, ignore_architectures=("aarch64",))
    result = decide([excused], [row(f, sha256=sha("old")) for f in offered])
    assert [r.filename for r in result.replacements] == ["hello-1.0-1.noarch.rpm", "hello-1.0-1.x86_64.rpm"]


def test_what_filters_leave_out_is_neither_uploaded_nor_touched() -> None:
    offered = repository(FILE, rpm("hello-devel"), rpm("hello-debuginfo"), rpm(arch="src"))
    rows = [
        row(rpm("hello-devel", content="before")),
        row(rpm("hello-devel", "0.1")),
        row(rpm("hello-debuginfo", "0.1")),
    ]
    result = decide([offered], rows, policy(exclude=("*-devel*",)))
    assert [u.filename for u in result.uploads] == ["hello-1.0-1.x86_64.rpm"]
    assert (result.filtered, result.orphans, result.replacements) == (3, (), ())
