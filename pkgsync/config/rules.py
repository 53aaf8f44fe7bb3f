"""What the JSON Schema of the config says about data: each violation, with all that it takes to put it in words.

Here are just the keywords that this schema uses: to import all of JSON Schema takes longer than to read a config.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from attrs import frozen

from pkgsync.config.document import KeyPath

Schema = Mapping[str, Any]


@frozen(kw_only=True)
class Finding:
    """One violation: the rule of the schema, what it wants, and the value (or key, for ``about_key``) at ``path``."""

    path: KeyPath
    rule: str
    wanted: Any
    value: Any
    schema: Schema
    about_key: bool


def findings(
    value: Any, schema: Schema, definitions: Mapping[str, Schema], path: KeyPath = (), *, about_key: bool = False
) -> Iterator[Finding]:
    """All violations in the value at ``path``. Raises KeyError for a keyword that is not known here."""
    for rule, wanted in schema.items():
        if rule in _ANNOTATIONS:
            continue
        if rule == "$ref":
            referred = definitions[wanted.removeprefix("#/$defs/")]
            yield from findings(value, referred, definitions, path, about_key=about_key)
        elif not _holds(rule, value, schema):
            yield Finding(path=path, rule=rule, wanted=wanted, value=value, schema=schema, about_key=about_key)
        for step, part, its in _parts(rule, value, schema):
            yield from findings(part, its, definitions, (*path, *step), about_key=rule == "propertyNames")


def _holds(rule: str, value: Any, schema: Schema) -> bool:
    kind, holds = _RULES[rule]
    # no isinstance: true is no number
    return (type(value) is not kind and kind is not object) or holds(value, schema[rule], schema)


def _parts(rule: str, value: Any, schema: Schema) -> Iterator[tuple[KeyPath, Any, Schema]]:
    """What of the value the rule has a schema for, and where in it that stands."""
    wanted = schema[rule]
    match rule, value:
        case "items", list():
            yield from (((number,), item, wanted) for number, item in enumerate(value))
        case "properties", dict():
            yield from (((key,), value[key], its) for key, its in wanted.items() if key in value)
        case "additionalProperties", dict() if wanted is not False:
            known = schema.get("properties", {})
            yield from (((key,), part, wanted) for key, part in value.items() if key not in known)
        case "propertyNames", dict():
            yield from (((), key, wanted) for key in value)


def _is_of_type(value: Any, wanted: str | list[str]) -> bool:
    return type(value) in {_TYPES[name] for name in ([wanted] if isinstance(wanted, str) else wanted)}


_TYPES = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool, "null": type(None)}

_ANNOTATIONS = frozenset({"$defs", "$schema", "default", "description", "examples", "title", "writeOnly"})

# by rule: the type of value that it is about, and whether value, what is wanted and the schema around it agree
_RULES: dict[str, tuple[type, Callable[[Any, Any, Schema], bool]]] = {
    "type": (object, lambda value, wanted, _: _is_of_type(value, wanted)),
    "const": (object, lambda value, wanted, _: type(value) is type(wanted) and value == wanted),
    "enum": (object, lambda value, wanted, _: value in wanted),
    "pattern": (str, lambda value, wanted, _: re.search(wanted, value) is not None),
    "minimum": (int, lambda value, wanted, _: value >= wanted),
    "maximum": (int, lambda value, wanted, _: value <= wanted),
    "minLength": (str, lambda value, wanted, _: len(value) >= wanted),
    "minItems": (list, lambda value, wanted, _: len(value) >= wanted),
    "minProperties": (dict, lambda value, wanted, _: len(value) >= wanted),
    # by text: of mappings each would be compared with each
    "uniqueItems": (list, lambda value, wanted, _: not wanted or len(set(map(repr, value))) == len(value)),
    "required": (dict, lambda value, wanted, _: value.keys() >= set(wanted)),
    "dependentRequired": (
        dict,
        lambda value, wanted, _: all(value.keys() >= set(needs) for key, needs in wanted.items() if key in value),
    ),
    "additionalProperties": (
        dict,
        lambda value, wanted, schema: wanted is not False or value.keys() <= schema["properties"].keys(),
    ),
    **dict.fromkeys(("items", "properties", "propertyNames"), (object, lambda *_: True)),  # all about parts
}
