"""Whether data keeps to the config's schema: a yes or no, in a tenth of the time that loading a validator takes."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

Rule = Mapping[str, Any] | bool
_FOR_PEOPLE = {"$schema", "$id", "$defs", "title", "description", "default", "examples", "writeOnly"}
_KINDS = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool, "null": type(None)}
# by keyword: the kind of value that it is about, and whether such a value is as wanted
_LIMITS: dict[str, tuple[type, Callable[[Any, Any], bool]]] = {
    "pattern": (str, lambda wanted, text: re.search(wanted, text) is not None),
    "minLength": (str, lambda least, text: len(text) >= least),
    "minItems": (list, lambda least, items: len(items) >= least),
    "minProperties": (dict, lambda least, mapping: len(mapping) >= least),
    "minimum": (int, lambda least, number: number >= least),
    "maximum": (int, lambda most, number: number <= most),
    "required": (dict, lambda names, mapping: all(name in mapping for name in names)),
    "dependentRequired": (
        dict,
        lambda needs, mapping: all(n in mapping for key, names in needs.items() if key in mapping for n in names),
    ),
    # anything but texts: whoever can compare that may tell
    "uniqueItems": (
        list,
        lambda _, items: all(isinstance(item, str) for item in items) and len(set(items)) == len(items),
    ),
}


def accepts(schema: Mapping[str, Any], data: Any) -> bool:
    """Whether the schema surely finds nothing wrong. What is refused may be right: only a validator has words for it.

    It knows the keywords that the config's schema uses, and refuses what stands under any other.
    """
    return _keeps(schema, data, schema["$defs"])


def _keeps(rule: Rule, value: Any, definitions: Mapping[str, Rule]) -> bool:
    if isinstance(rule, bool):
        return rule
    return all(_meets(rule, keyword, value, definitions) for keyword in rule if keyword not in _FOR_PEOPLE)


def _meets(rule: Mapping[str, Any], keyword: str, value: Any, definitions: Mapping[str, Rule]) -> bool:
    wanted = rule[keyword]
    if keyword in _LIMITS:
        kind, holds = _LIMITS[keyword]
        return not isinstance(value, kind) or holds(wanted, value)
    match keyword:
        case "$ref":
            return _keeps(definitions[wanted.removeprefix("#/$defs/")], value, definitions)
        case "type":
            return type(value) in [_KINDS[kind] for kind in ([wanted] if isinstance(wanted, str) else wanted)]
        case "const" | "enum":
            # True is no 1
            choices = [wanted] if keyword == "const" else wanted
            return any(type(choice) is type(value) and choice == value for choice in choices)
    parts = _parts(rule, keyword, value)
    return parts is not None and all(_keeps(inner, part, definitions) for inner, part in parts)


def _parts(rule: Mapping[str, Any], keyword: str, value: Any) -> Iterable[tuple[Rule, Any]] | None:
    """The parts of the value that the keyword has rules for; None for a keyword that is not known here."""
    wanted = rule[keyword]
    mapping, items = (value if isinstance(value, kind) else kind() for kind in (dict, list))
    match keyword:
        case "properties":
            return [(wanted[key], mapping[key]) for key in mapping if key in wanted]
        case "additionalProperties":
            return [(wanted, mapping[key]) for key in mapping if key not in rule.get("properties", ())]
        case "propertyNames":
            return [(wanted, key) for key in mapping]
        case "items":
            return [(wanted, item) for item in items]
        case _:
            return None
