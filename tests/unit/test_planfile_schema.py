"""The quick ways of plan files beside slow ones: another validator, another canonical form, the writer of Python."""

import json
import re
from collections.abc import Iterator
from copy import deepcopy
from functools import cache
from hashlib import sha256
from typing import Any

import pytest
import rfc8785
from hypothesis import example, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, ValidationError
from jsonschema.validators import extend
from msgspec.structs import replace

from pkgsync import planfile, schemas, snapshot
from pkgsync.errors import PlanFileError
from pkgsync.model import Cause, Comparison, NoLonger
from pkgsync.planfile import strictjson, validation
from tests.support.scope import examples
from tests.support.values.samples import LEAP, PLAN, RECEIPT, SUMS
from tests.unit.test_snapshot import SAMPLE, places

_COMPARED = Comparison(
    config_digest=f"sha256:{SUMS['c']}",
    causes={action.key: Cause.CONFIG for action in PLAN.actions},
    no_longer=(NoLonger(distribution=LEAP, filename="a.rpm", action="upload"),),
)
DOCUMENTS: dict[schemas.Name, bytes] = {
    "plan": planfile.dumps(replace(PLAN, base=_COMPARED)),
    "receipt": planfile.dump_receipt(RECEIPT),
    "snapshot": snapshot.dumps(SAMPLE),
}


def _pattern(_validator: object, pattern: str, instance: object, _schema: object) -> Iterator[ValidationError]:
    """As ECMA-262 means it, where ``$`` is the very end and ``\\s`` knows Unicode."""
    if isinstance(instance, str) and not re.search(pattern.replace("$", r"\Z"), instance):
        yield ValidationError("no match")


@cache
def other_validator(name: schemas.Name) -> Any:
    kind = extend(Draft202012Validator, {"pattern": _pattern})  # type: ignore[no-untyped-call]
    return kind(schemas.load(name))


ODD: st.SearchStrategy[object] = st.sampled_from(
    [
        None, True, False, 0, -1, 1.0, 0.5, 2**53 - 1, 2**53, -(2**53), 255, 256, [], {}, [[]], [None], {"a": 1}, "", "0", "a", "a/b", "a/b/c", "a b/c",
        "a\u00a0/b", "a/b\n", "/a", "a//b", "..", "a/../b", "a\nb", "a\u2028//b", "a\x85", "ä" * 255, "ä" * 256, "\U0001f600" * 255, SUMS["1"],
        SUMS["1"] + "\n", "A" * 64, f"sha256:{SUMS['1']}", "2026-01-02T03:04:05Z", "2026-01-02T03:04:05.1+01:00", "2026-01-02t03:04:05Z", "1.0", "1.01",
        "2.0", "https://a.example/b", "https://me@a.example", "ftp://a.example", "obs", "backup", "gone", "superseded", "undo", "rpm", "missing", "told",
    ]
)  # fmt: skip


@settings(max_examples=examples(500))
@given(st.sampled_from(list(DOCUMENTS)), st.data())
def test_what_the_schema_refuses_is_refused_and_nothing_else(name: schemas.Name, data: st.DataObject) -> None:
    document = json.loads(DOCUMENTS[name])
    for _ in range(data.draw(st.integers(1, 3))):
        holder, key = data.draw(st.sampled_from(places(document)))
        new = deepcopy(data.draw(ODD))
        match data.draw(st.sampled_from(["set", "remove", "add"])):
            case "set":
                holder[key] = new
            case "remove":
                del holder[key]
            case _ if isinstance(holder, dict):
                holder[str(new)] = new
            case _:
                holder.append(new)
    try:
        validation.check(document, name, "file.json")
    except PlanFileError as error:
        assert error.message.startswith("file.json: $")
        accepted = False
    else:
        accepted = True
    assert accepted == other_validator(name).is_valid(document)


@pytest.mark.parametrize(("name", "key"), [("plan", "created_at"), ("receipt", "plan_digest"), ("snapshot", "digest")])
def test_a_lone_surrogate_is_refused_where_the_schema_asks_for_a_form(name: schemas.Name, key: str) -> None:
    document = json.loads(DOCUMENTS[name])
    document[key] = "\ud800"
    with pytest.raises(PlanFileError, match="holds text that I-JSON"):
        validation.check(document, name, "file.json")


def test_odd_keys_are_named_so_that_they_cannot_be_anything_else() -> None:
    document = json.loads(DOCUMENTS["plan"])
    document["base"]["causes"]["a.b/c\x1b[2J"] = "moon"
    with pytest.raises(PlanFileError) as caught:
        validation.check(document, "plan", "plan.json")
    assert caught.value.message.startswith(
        r"""plan.json: $.base.causes['a.b/c\x1b[2J']: "moon" is not one of "config", """
    )


def test_of_a_million_faults_the_first_is_told() -> None:
    document = json.loads(DOCUMENTS["plan"]) | {"warnings": [0] * 1_000_000}
    with pytest.raises(PlanFileError, match=r'^plan\.json: \$\.warnings\[0\]: 0 is not of type "string"$'):
        validation.check(document, "plan", "plan.json")


_TEXTS = st.text(
    st.characters(exclude_categories=["Cs"]) | st.sampled_from('\x00\x7f\u2028\ue000\uffff\U0001f600"\\/é')
)
_WHOLE = st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | _TEXTS


def _nested(leaves: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    values = st.recursive(leaves, lambda inner: st.lists(inner) | st.dictionaries(_TEXTS, inner), max_leaves=12)
    return st.dictionaries(_TEXTS, values, min_size=1)


@given(_nested(_WHOLE))
@example({"\U0001f600": 1, "\uffff": {"\ue000": 1, "\U00010000": 2}})
def test_the_digest_is_over_the_form_of_rfc_8785(document: dict[str, Any]) -> None:
    rest = {key: value for key, value in document.items() if key != "digest"}
    assert strictjson.digest(document, "x") == f"sha256:{sha256(rfc8785.dumps(rest)).hexdigest()}"


@given(_nested(_WHOLE | st.floats(allow_nan=False, allow_infinity=False)))
def test_text_is_written_as_python_indents_it(document: dict[str, Any]) -> None:
    assert strictjson.write_text(document) == (json.dumps(document, indent=2) + "\n").encode()


_FEW = st.sampled_from([None, True, False, 0, 1, 1.0, -0.0, 0.0, 300, 300.5, "", "1", "a"])
_ALIKE = st.recursive(
    _FEW,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=20,
)


@given(st.lists(_ALIKE, min_size=1))
def test_equal_objects_are_held_once_and_read_as_they_are_written(items: list[Any]) -> None:
    """1, 1.0 and true are equal to Python."""
    text = json.dumps({"items": [*items, *items]})
    found = strictjson.parse_object(text.encode(), "x")
    assert repr(found) == repr(json.loads(text))
    half = len(items)
    for first, second in zip(found["items"][:half], found["items"][half:], strict=True):
        assert first is second or not isinstance(first, dict) or any(isinstance(v, dict | list) for v in first.values())


def test_what_all_deletions_were_proven_by_is_held_once() -> None:
    (deletion,) = PLAN.deletions
    others = tuple(replace(deletion, filename=f"old-{n}.rpm") for n in range(3))
    counts = {**PLAN.summary.distributions, LEAP: replace(PLAN.summary.distributions[LEAP], deletions=4)}
    summary = replace(PLAN.summary, total=replace(PLAN.summary.total, deletions=4), distributions=counts)
    made = replace(PLAN, deletions=(deletion, *others), summary=summary)
    read = planfile.loads(planfile.dumps(made), "plan.json")
    assert read.deletions == made.deletions
    assert len({id(r) for d in read.deletions for r in d.evidence.repositories}) == len(deletion.evidence.repositories)


def test_an_iterator_is_written_as_a_list() -> None:
    document = {"some": iter([1, {"a": []}]), "none": iter(())}
    assert (
        strictjson.write_text(document)
        == b"""{
  "some": [
    1,
    {
      "a": []
    }
  ],
  "none": []
}
"""
    )


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_what_is_no_number_is_not_written(number: float) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        strictjson.write_text({"a": [{"b": number}]})
