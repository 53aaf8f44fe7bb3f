"""What the schema says about a document, in words: each mistake with its place and the likely fix."""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Any, cast

from msgspec import Struct

from pkgsync import schemas
from pkgsync.config.document import (
    Document,
    KeyPath,
    Mistake,
    Surprise,
    has_control,
    printable,
    read_as,
    shown,
    texts,
)

if TYPE_CHECKING:
    from jsonschema import ValidationError
    from jsonschema.protocols import Validator

CREDENTIAL_KEYS = frozenset({"username", "password", "token"})
_TYPES = {
    "object": "a mapping",
    "array": "a list",
    "string": "a text",
    "integer": "a whole number",
    "boolean": "true or false",
    "null": "null",
}


MOST_MISTAKES = 200
"""So many of a kind are looked for: a person mends some and asks again, and each costs a search for the likely fix."""
_MOST_NAMES = 1000
_PLAIN_WORD = re.compile(r"[A-Z]?[a-z_-]{1,20}")


def nearest(word: str, known: Iterable[str]) -> str:
    """The likely fix for a wrong name: the nearest known one, else all of them; empty if there are none."""
    from difflib import get_close_matches  # here, as only a mistake needs it

    names = list(islice(known, _MOST_NAMES))
    lowered = {name.lower(): name for name in names}
    if close := get_close_matches(word.lower(), lowered, n=1, cutoff=0.6):
        return f"did you mean {shown(lowered[close[0]])}?"
    return f"known: {', '.join(printable(n) for n in names)}" if 0 < len(names) <= 20 else ""


def dotted(path: KeyPath) -> str:
    """The path as messages name it: ``obs.projects[0].name``."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{printable(part)}" for part in path)
    return text.removeprefix(".") or "the config"


def schema_mistakes(document: Document, definition: str | None = None) -> list[Mistake]:
    """All that the schema of the config, or its definition of that name, finds wrong; in the order of the file."""
    schema = schemas.load("config")
    if definition:
        schema = {"$ref": f"#/$defs/{definition}", "$defs": schema["$defs"]}
    if accepts(schema, document.data):
        return []
    errors = _validator()(schema).iter_errors(document.data)
    found = (mistake for error in errors for mistake in _mistakes(document, _finding(error)))
    return sorted(set(islice(found, MOST_MISTAKES)))


def accepts(schema: dict[str, Any], data: Any) -> bool:
    """Whether the schema surely finds nothing wrong: what is compiled tells so in a tenth of the time, without words.

    It refuses some more, such as a text with a line break behind it.
    """
    from jsonschema_rs import validator_for

    try:
        return validator_for(schema).is_valid(data)
    except ValueError:  # a Surprise
        return False


def _unique_items(_validator: object, wanted: bool, value: object, _schema: object) -> Iterator["ValidationError"]:
    """jsonschema compares each mapping with each other one."""
    if wanted and isinstance(value, list) and len({repr(item) for item in value}) != len(value):
        from jsonschema import ValidationError

        yield ValidationError("a value stands twice")


@cache
def _validator() -> type["Validator"]:
    # here, as importing it takes longer than any command that reads no config
    from jsonschema import Draft202012Validator
    from jsonschema.validators import extend

    made: type[Validator] = extend(Draft202012Validator, {"uniqueItems": _unique_items})  # type: ignore[no-untyped-call]
    return made


def text_mistakes(document: Document) -> list[Mistake]:
    """Control characters anywhere, and ``${`` where no credential (``auth.user`` in the predecessor's form) stands."""
    found = []
    for path, text in texts(document.data):
        if path[:1] == ("description",):
            continue
        # in a log or a header it could begin a line of its own
        if has_control(text):
            found.append(Mistake(document.at(path), f"{dotted(path)} holds a line break or control character"))
        if "${" in text and path[-1] not in CREDENTIAL_KEYS and path[-2:] != ("auth", "user"):
            what = f"{dotted(path)}: environment variables are allowed only in {', '.join(sorted(CREDENTIAL_KEYS))}"
            found.append(Mistake(document.at(path), what, "write the value itself"))
    return found


class _Finding(Struct, frozen=True, kw_only=True):
    """One violation: the rule of the schema, what it wants, and the value (or key, for ``about_key``) at ``path``."""

    path: KeyPath
    rule: str
    wanted: Any
    value: Any
    schema: Mapping[str, Any]
    about_key: bool


def _finding(error: "ValidationError") -> _Finding:
    return _Finding(
        path=tuple(error.absolute_path),
        rule=str(error.validator),
        wanted=error.validator_value,
        value=error.instance,
        schema=cast(Mapping[str, Any], error.schema),
        about_key="propertyNames" in error.absolute_schema_path,
    )


def _mistakes(document: Document, finding: _Finding) -> Iterator[Mistake]:
    if finding.rule == "additionalProperties":
        yield from _unknown_keys(document, finding)
    elif finding.rule in ("required", "dependentRequired"):
        yield from _lacking(document, finding)
    elif finding.about_key:
        yield Mistake(document.at_key((*finding.path, finding.value)), *_value(document, finding))
    else:
        yield Mistake(document.at(finding.path), *_DESCRIBERS[finding.rule](document, finding))


def _unknown_keys(document: Document, finding: _Finding) -> Iterator[Mistake]:
    known: dict[str, Any] = finding.schema["properties"]
    where = f" in {dotted(finding.path)}" if finding.path else ""
    for key in finding.value:
        if key not in known:
            missing = [name for name in known if name not in finding.value] or list(known)
            # anything but a plain word could be a token that was pasted there: its place is enough
            named = f" {shown(key)}" if _PLAIN_WORD.fullmatch(key) else ""
            position = document.at_key((*finding.path, key))
            yield Mistake(position, f"unknown key{named}{where}", nearest(key, missing))


def _lacking(document: Document, finding: _Finding) -> Iterator[Mistake]:
    """jsonschema names the missing key only in its message; so ask the instance."""
    wanted: Collection[str] = finding.wanted
    if finding.rule == "dependentRequired":
        wanted = {need for key, needs in finding.wanted.items() if key in finding.value for need in needs}
    for key in wanted:
        if key not in finding.value:
            yield Mistake(
                document.at_key(finding.path), f"{dotted(finding.path)} lacks the key {shown(key)}", f"add `{key}: ...`"
            )


def _wrong_type(document: Document, finding: _Finding) -> tuple[str, str]:
    allowed = [finding.wanted] if isinstance(finding.wanted, str) else list(finding.wanted)
    wanted = " or ".join(_TYPES[kind] for kind in allowed)
    numeric = isinstance(finding.value, Surprise) and allowed == ["integer"]
    got = finding.value.text if numeric else _kind_of(finding.value)
    return f"{dotted(finding.path)} must be {wanted}, not {printable(got)}", _type_fix(document, finding, allowed)


def _type_fix(document: Document, finding: _Finding, allowed: list[str]) -> str:
    value = finding.value
    text = document.place(finding.path).text
    if value is None:
        return "write [] for an empty list" if "array" in allowed else "give it a value, or remove the key"
    if "string" in allowed and text is not None:
        # a secret is not repeated
        return "quote it" if finding.schema.get("writeOnly") else f'quote it: "{printable(text)}"'
    if "array" in allowed and isinstance(value, str):
        return f'write ["{printable(value)}"]'
    if isinstance(value, str) and read_as(value):
        return "write it without quotes"
    return f"such as {finding.schema['examples'][0]}" if "examples" in finding.schema else ""


def _kind_of(value: Any) -> str:
    if isinstance(value, Surprise):
        return "a date" if value.kind == "timestamp" else "a number"
    kinds = {bool: "true or false", int: "a number", dict: "a mapping", list: "a list", str: "a text"}
    return kinds.get(type(value), "null")


def _value(document: Document, finding: _Finding) -> tuple[str, str]:
    """For patterns: the title and example of the schema say what is wanted."""
    title = finding.schema.get("title", "a valid value")
    example = f"such as {finding.schema['examples'][0]}" if "examples" in finding.schema else ""
    if "URL" in title:
        return f"{dotted(finding.path)} is not {title}", example
    return f"{shown(str(finding.value))} is not {title}", example


def _choice(document: Document, finding: _Finding) -> tuple[str, str]:
    text = document.place(finding.path).text
    known = [str(choice) for choice in finding.wanted]
    what = f"{shown(text)} is not known" if text is not None else "it is not a plain value"
    return f"{dotted(finding.path)}: {what}", nearest(text or "", known)


def _version(document: Document, finding: _Finding) -> tuple[str, str]:
    text = document.place(finding.path).text
    fix = f"write `{dotted(finding.path)}: {finding.wanted}`; a later version needs a later pkgsync"
    return f"{dotted(finding.path)} {printable(text or '')} is not supported", fix


def _too_few(document: Document, finding: _Finding) -> tuple[str, str]:
    return f"{dotted(finding.path)} is empty", "give it a value, or remove the key"


def _repeated(document: Document, finding: _Finding) -> tuple[str, str]:
    return f"{dotted(finding.path)} holds a value twice", "remove one of them"


def _range(document: Document, finding: _Finding) -> tuple[str, str]:
    if "title" in finding.schema:
        return _value(document, finding)
    limit = "at least" if finding.rule == "minimum" else "at most"
    return f"{dotted(finding.path)} must be {limit} {finding.wanted}, not {finding.value}", ""


_DESCRIBERS: dict[str, Callable[[Document, _Finding], tuple[str, str]]] = {
    "type": _wrong_type,
    "pattern": _value,
    "enum": _choice,
    "const": _version,
    "minItems": _too_few,
    "minProperties": _too_few,
    "minLength": _too_few,
    "uniqueItems": _repeated,
    "minimum": _range,
    "maximum": _range,
}
