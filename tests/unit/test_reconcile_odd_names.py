"""One file name for several packages, names that read like others', and plans edited by them: nothing goes for that."""

import pytest
from msgspec.structs import replace

from pkgsync.model import IndexedFile, OldContent, OrphanAction, OrphanPolicy, Outcome, Problem, Replacement
from pkgsync.reasons import Reason
from pkgsync.reconcile import recheck
from tests.support.values.builders import (
    JAMMY,
    LEAP,
    LONG_AGO,
    NOW,
    actual,
    architecture,
    deb,
    decide,
    desired,
    package,
    plan,
    policy,
    repository,
    row,
    rpm,
    sha,
    verdict,
)

VANISH = policy(OrphanPolicy(action=OrphanAction.DELETE, keep_versions=0, names=("*",)))


def called(file: IndexedFile, filename: str) -> IndexedFile:
    return replace(file, filename=filename, path=f"{file.architecture}/{filename}")


FOO, BAR = called(rpm("foo", "2.0"), "latest.rpm"), called(rpm("bar", "2.0"), "latest.rpm")


def test_a_package_whose_file_name_an_earlier_source_has_is_not_gone() -> None:
    sources = [repository(FOO, name="one"), repository(BAR, name="two", project="home:me:two")]
    assert decide(sources, [row(rpm("bar", "1.0"))], VANISH).deletions == ()


def test_a_package_whose_file_name_is_left_out_twice_is_not_gone() -> None:
    sources = [repository(FOO, rpm("x"), name="one"), repository(BAR, rpm("y"), name="two")]
    assert decide(sources, [row(rpm("bar", "1.0"))], replace(VANISH, exclude=("latest*",))).deletions == ()


def test_a_package_that_a_filter_leaves_out_is_not_gone_for_another_of_its_file_name() -> None:
    hidden, x = called(rpm("bar", "2.0", arch="i586"), "latest.rpm"), rpm("x")
    one = repository(
        hidden,
        x,
        name="one",
        filter_architectures=("x86_64",),
        architectures=[architecture("i586", package("s", hidden)), architecture("x86_64", package("x", x))],
    )
    two = repository(
        FOO,
        name="two",
        architectures=[
            architecture("i586", package("q", rpm("x", arch="i586"))),
            architecture("x86_64", package("x", FOO)),
        ],
    )
    assert decide([one, two], [row(rpm("bar", "1.0", arch="i586"))], VANISH).deletions == ()


def test_a_successor_comes_only_with_its_own_content() -> None:
    """`setup.deb` here is foo; the newer bar of that name is left out, and never arrives."""
    bar, foo, other = called(deb("bar", "3.0-1", arch="i386"), "setup.deb"), deb("foo", "2.0-1"), deb("o", arch="i386")
    one = repository(
        bar,
        foo,
        name="one",
        distributions=(JAMMY,),
        filter_architectures=("x86_64",),
        architectures=[architecture("i586", package("bar", bar)), architecture("x86_64", package("foo", foo))],
    )
    two = repository(
        other, name="two", distributions=(JAMMY,), architectures=[architecture("i586", package("o", other))]
    )
    rows = [
        row(foo, JAMMY, filename="setup.deb", sha256=sha("old")),
        row(deb("bar", "1.0-1", arch="i386"), JAMMY),
        row(other, JAMMY),
    ]
    assert decide([one, two], rows, VANISH, JAMMY).deletions == ()


def test_a_binary_of_another_repository_proves_nothing_for_a_failed_package() -> None:
    source, binary = called(rpm("foo", "2.0", arch="src"), "x.rpm"), called(rpm("q", "2.0"), "x.rpm")
    failed = architecture("x86_64", package("foo", source, code="failed"), package("z", rpm("z")))
    one = repository(source, rpm("z"), name="one", architectures=[failed])
    result = decide([one, repository(binary, name="two")], [row(rpm("bar", "1.0"))], VANISH)
    assert verdict(result, rpm("bar", "1.0")) == ("held", Reason.OWNER_UNKNOWN)


@pytest.mark.parametrize("odd", ["tool-1.9-Linux.x86_64.rpm", "tool-1.9-1-special.x86_64.rpm", "tool-1.9-1.amd64.rpm"])
def test_a_built_rpm_whose_name_reads_like_another_s_is_not_superseded(odd: str) -> None:
    new, old = rpm("tool", "2.0"), rpm("tool", "1.9")
    built = architecture("x86_64", package("src", new), package("old", odd))
    result = decide([repository(new, architectures=[built])], [row(old), row(new)], VANISH)
    assert verdict(result, old) == ("held", Reason.BUILT_NOT_PUBLISHED)


@pytest.mark.parametrize("odd", ["tool_1.9_Linux-64bit.deb", "tool_1.9_Linux.deb", "tool_1.9-1_x86_64.deb"])
def test_a_built_deb_whose_name_reads_like_another_s_is_not_superseded(odd: str) -> None:
    new, old = deb("tool", "2.0-1"), deb("tool", "1.9-1")
    built = architecture("x86_64", package("src", new), package("old", odd))
    offered = repository(new, architectures=[built], distributions=(JAMMY,))
    result = decide([offered], [row(old, JAMMY), row(new, JAMMY)], VANISH, JAMMY)
    assert verdict(result, old) == ("held", Reason.BUILT_NOT_PUBLISHED)


def test_an_unread_file_of_an_earlier_source_may_be_the_same_package() -> None:
    odd, other, file = "tool_2.0_Linux-64bit.rpm", rpm("other"), rpm("tool", "2.0", content="second")
    first = repository(
        other,
        name="first",
        content="build",
        doubts={odd: Problem(Reason.UNREAD, "it is no package")},
        architectures=[architecture("x86_64", package("o", other), package("t", odd))],
    )
    result = decide([first, repository(file, name="second")])
    assert [(u.filename, u.source.repository) for u in result.uploads] == [(other.filename, "first")]
    assert [(h.filename, h.reason) for h in result.held] == [(file.filename, Reason.EARLIER_SOURCE_UNREAD)]


@pytest.mark.parametrize("protect", [(), ("precious*",)])
def test_an_upload_that_was_edited_into_a_replacement_of_another_row_is_stale(protect: tuple[str, ...]) -> None:
    new, precious = rpm("tool", "2.0"), rpm("precious", "1.0")
    wanted = policy(OrphanPolicy(protect=protect))
    made = plan([repository(new)], [row(precious)], wanted)
    (upload,) = made.uploads
    forged = Replacement(
        distribution=LEAP,
        filename=precious.filename,
        size=upload.size,
        sha256=upload.sha256,
        reason=Reason.REBUILT,
        source=upload.source,
        old=OldContent(precious.sha256, LONG_AGO),
    )
    edited = replace(made, uploads=(), replacements=(forged,))
    (found,) = recheck(edited, desired(repository(new)), actual(row(precious)), wanted, (LEAP,), NOW)
    assert (found.outcome, found.reason) == (Outcome.STALE, Reason.SOURCE_CHANGED)


def test_a_package_that_went_to_an_earlier_source_is_not_called_unpublished() -> None:
    file, first = called(rpm("foo", "2.0"), "a.rpm"), called(rpm("foo", "2.0", content="first"), "b.rpm")
    second = repository(file, name="two")
    made = plan([second], [])
    (found,) = recheck(made, desired(repository(first, name="one"), second), actual(), policy(), (LEAP,), NOW)
    assert (found.outcome, found.message) == (
        Outcome.STALE,
        f"{second.id} still publishes a.rpm, but another file has its package's place now",
    )


def test_a_deb_under_a_name_that_the_server_would_not_give_is_not_replaced() -> None:
    """The new file would land beside it, under the name of its header."""
    new = deb("foo", "2.0-1", content="new")
    there = row(new, JAMMY, filename="foo-2.0-1_amd64.deb", sha256=sha("old"))
    result = decide([repository(new, distributions=(JAMMY,))], [there], VANISH, JAMMY)
    assert (result.replacements, [(h.filename, h.reason) for h in result.held]) == (
        (),
        [("foo-2.0-1_amd64.deb", Reason.SAME_IDENTITY), ("foo_2.0-1_amd64.deb", Reason.SAME_IDENTITY)],
    )
