"""Where paths lead: to the last base project, over other people's projects, and never on and on."""

from collections.abc import Mapping
from itertools import pairwise

import pytest
from attrs import define, field

from pkgsync.errors import AuthenticationError, NotFoundError, ReadError
from pkgsync.obs.bases import BaseFinder
from pkgsync.obs.results import ProjectMeta

Paths = tuple[tuple[str, str], ...]
LEAP, FACTORY = ("base:leap", "standard"), ("base:factory", "snapshot")


@define
class Metas:
    """What OBS would answer: the paths of the repository ``r`` of each project, or an error."""

    answers: Mapping[str, Paths | Exception]
    asked: list[str] = field(factory=list)

    def project_meta(self, project: str) -> ProjectMeta:
        self.asked.append(project)
        answer = self.answers.get(project, NotFoundError(project))
        if isinstance(answer, Exception):
            raise answer
        return ProjectMeta(project, {"r": ()}, {"r": answer})


def base(answers: Mapping[str, Paths | Exception]) -> tuple[str | None, list[str]]:
    metas = Metas(answers)
    finder = BaseFinder(metas, lambda project: project.startswith("base:"))  # type: ignore[arg-type]
    return finder.base("me", "r"), metas.asked


def chain(length: int) -> dict[str, Paths | Exception]:
    """``me`` and so many projects behind it, the last of which is built for Leap."""
    names = ["me", *(f"p{n}" for n in range(1, length + 1))]
    found: dict[str, Paths | Exception] = {name: ((after, "r"),) for name, after in pairwise(names)}
    return found | {names[-1]: (LEAP,)}


def test_the_last_path_counts_first() -> None:
    assert base({"me": (FACTORY, LEAP)}) == ("base:leap", ["me"])


def test_where_the_last_leads_nowhere_the_one_before_counts() -> None:
    assert base({"me": (FACTORY, ("other", "r")), "other": ()}) == ("base:factory", ["me", "other"])


@pytest.mark.parametrize("error", [NotFoundError("x"), ReadError("x"), AuthenticationError("x")])
def test_what_cannot_be_read_leads_nowhere(error: Exception) -> None:
    assert base({"me": (LEAP, ("hidden", "r")), "hidden": error})[0] == "base:leap"
    assert base({"me": (("hidden", "r"),), "hidden": error})[0] is None


def test_five_projects_deep_and_no_further() -> None:
    assert base(chain(5)) == ("base:leap", ["me", "p1", "p2", "p3", "p4", "p5"])
    assert base(chain(6)) == (None, ["me", "p1", "p2", "p3", "p4", "p5"])


def test_a_circle_ends_and_nobody_is_asked_twice() -> None:
    found, asked = base({"me": (("a", "r"), ("b", "r")), "a": (("b", "r"), ("me", "r")), "b": (("a", "r"),)})
    assert (found, sorted(asked)) == (None, ["a", "b", "me"])


def test_thousands_of_paths_are_no_thousands_of_requests() -> None:
    everybody = tuple((f"p{n}", "r") for n in range(1000))
    found, asked = base({"me": everybody, **{name: everybody for name, _ in everybody}})
    assert (found, len(asked)) == (None, 100)
