"""Explanations as they are told: each step, the stop, and the line that changes it."""

import json

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from pkgsync.model import Answer, ConfigChange, Explanation, Flip, Step
from pkgsync.reasons import Reason
from pkgsync.report import Style, explain_json, explain_text
from tests.support.values.samples import LEAP

FOUND = Explanation(
    distribution=LEAP,
    filename="old-tool-0.9-1.noarch.rpm",
    fortune="keep",
    reason=Reason.NOT_OWNED,
    message="nothing shows that it is ours: OBS offers no old-tool there, and `orphans` does not claim it",
    steps=(
        Step("managed", True, "fed by home:kata/openSUSE_Leap_15.6"),
        Step(
            "ours",
            False,
            "nothing shows that it is ours: OBS offers no old-tool there, and `orphans` does not claim it",
        ),
    ),
    flip=Flip("To let pkgsync manage it", (ConfigChange(("orphans", "names"), "add", ("old-tool",)),)),
)


def test_an_explanation_at_80_columns() -> None:
    text = explain_text(Answer(query="old-tool", explanations=(FOUND,)), Style(width=80))
    assert text.splitlines() == [
        "opensuse/15.6/old-tool-0.9-1.noarch.rpm",
        "  kept (not-owned): nothing shows that it is ours: OBS offers no old-tool there,",
        "    and `orphans` does not claim it",
        "",
        "  ok    managed  fed by home:kata/openSUSE_Leap_15.6",
        "  stop  ours     nothing shows that it is ours: OBS offers no old-tool there,",
        "                 and `orphans` does not claim it",
        "",
        "  To let pkgsync manage it: `orphans: {names: [old-tool]}`",
    ]


def test_colour_changes_no_word() -> None:
    answer = Answer(query="old-tool", explanations=(FOUND, replace(FOUND, flip=None)))
    painted = explain_text(answer, Style(colour=True, width=80))
    assert "\x1b[31mstop\x1b[0m" in painted
    for code in ("0", "1", "31", "32"):
        painted = painted.replace(f"\x1b[{code}m", "")
    assert painted == explain_text(answer, Style(width=80))


def test_near_names() -> None:
    answer = Answer(query="hello-tol", explanations=(), near=("hello-tool", "hello-tool-doc"))
    assert explain_text(answer, Style()).splitlines() == [
        "Neither OBS nor Packagecloud knows `hello-tol`.",
        "Near names:",
        "  hello-tool",
        "  hello-tool-doc",
    ]


def test_as_json() -> None:
    document = json.loads(explain_json(Answer(query="old-tool", explanations=(FOUND,))))
    (found,) = document["explanations"]
    assert (document["query"], document["near"]) == ("old-tool", [])
    assert (found["distribution"], found["filename"], found["fortune"], found["reason"]) == (
        "opensuse/15.6", "old-tool-0.9-1.noarch.rpm", "keep", "not-owned",
    )  # fmt: skip
    assert found["steps"][0] == {"name": "managed", "passed": True, "said": "fed by home:kata/openSUSE_Leap_15.6"}
    assert found["flip"] == {
        "told": "To let pkgsync manage it: `orphans: {names: [old-tool]}`",
        "words": "To let pkgsync manage it",
        "config": [{"path": ["orphans", "names"], "how": "add", "value": ["old-tool"], "project": ""}],
        "world": None,
    }


@given(st.text())
def test_no_foreign_text_reaches_the_terminal(text: str) -> None:
    found = replace(FOUND, filename=text, message=text, steps=(Step("obs", False, text),), flip=Flip(text))
    answers = (Answer(query=text, explanations=(found,)), Answer(query=text, explanations=(), near=(text,)))
    told = [explain_text(answer, Style(width=width)) for answer in answers for width in (80, None)]
    assert all(line.isprintable() for lines in told for line in lines.split("\n"))
