"""What the schema of the config finds wrong, beside an implementation of all of JSON Schema."""

from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from pkgsync import schemas
from pkgsync.config.document import Surprise, compose, read
from pkgsync.config.rules import findings

SCHEMA = schemas.load("config")
DEFINITIONS = SCHEMA["$defs"]
OLD = SCHEMA["$defs"]["kata-pkgsync"]
EXAMPLE = (Path(__file__).parents[2] / "examples" / "pkgsync.yaml").read_bytes()
OLD_EXAMPLE = b"""
obsprojects:
  home:a: {auth: {user: me, password: secret}, releases: [master], architectures: [x86_64]}
  home:b: null
packagecloud: {repo: stable, auth: {user: me, token: secret}}
distro-mapping: {SLES_15: sles/15.6, SLES_12: null}
"""
ODD = [
    None, True, False, 0, 1, -1, 10**17, "", "a", "a/b", "a b", "keep", "14d", "0", "${A}", "https://a.example", "*", "\n", "a/b\n",
    [], ["a", "a"], [1, True], [None], ["a/b", "a/b"], [{"name": "a"}, {"name": "a"}], {}, {"name": 1}, {"a": {"deletions": -1}}, {"a b": None}, {"username": "a"},
    Surprise("1.10", "float"), Surprise("2026-01-02", "timestamp"), [Surprise("1.0", "float")] * 2,
]  # fmt: skip


def data_of(text: bytes) -> Any:
    root = compose(text)
    assert root is not None
    return read(root).data


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every key or number in the value, with what it is in."""
    keys = value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        yield value, key
        yield from places(value[key])


def ours(data: Any, schema: Any) -> set[Any]:
    return {(f.path, f.rule, repr(f.wanted), repr(f.value), f.about_key) for f in findings(data, schema, DEFINITIONS)}


def theirs(data: Any, schema: Any) -> set[Any]:
    return {
        (tuple(e.absolute_path), e.validator, repr(e.validator_value), repr(e.instance), "propertyNames" in e.absolute_schema_path)
        for e in Draft202012Validator({**schema, "$defs": DEFINITIONS}).iter_errors(data)
    }  # fmt: skip


@pytest.mark.parametrize(("text", "schema"), [(EXAMPLE, SCHEMA), (OLD_EXAMPLE, OLD)])
def test_what_is_right_is_right(text: bytes, schema: Any) -> None:
    assert ours(data_of(text), schema) == theirs(data_of(text), schema) == set()


@settings(max_examples=1000)
@given(st.sampled_from([(EXAMPLE, SCHEMA), (OLD_EXAMPLE, OLD)]), st.data())
def test_what_is_wrong_is_found_and_nothing_else(case: tuple[bytes, Any], data: st.DataObject) -> None:
    text, schema = case
    value = data_of(text)
    for _ in range(data.draw(st.integers(1, 3))):
        holder, key = data.draw(st.sampled_from(list(places(value))))
        new = deepcopy(data.draw(st.sampled_from(ODD)))
        match data.draw(st.sampled_from(["set", "remove", "add"])):
            case "set":
                holder[key] = new
            case "remove":
                del holder[key]
            case _ if isinstance(holder, dict):
                holder[data.draw(st.sampled_from(["a b", "A", "description", "username", "el/9", "_x", ""]))] = new
            case _:
                holder.append(new)
        if not value:
            break
    assert ours(value, schema) == theirs(value, schema)


def schemas_in(schema: Any) -> Iterator[Any]:
    yield schema
    for rule in ("items", "additionalProperties", "propertyNames"):
        if isinstance(schema.get(rule), dict):
            yield from schemas_in(schema[rule])
    for rule in ("properties", "$defs"):
        for inner in schema.get(rule, {}).values():
            yield from schemas_in(inner)


def test_every_keyword_of_the_schema_is_known() -> None:
    for schema in schemas_in(SCHEMA):
        list(findings({}, schema, DEFINITIONS))
    with pytest.raises(KeyError, match="oneOf"):
        list(findings({}, {"oneOf": []}, DEFINITIONS))
