"""Writes the parts of pkgsync/docs that the code states: `python -m tests.tools.write_docs`."""

import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pkgsync import schemas
from pkgsync.reasons import Reason

DOCS = Path(__file__).parents[2] / "pkgsync/docs"
WIDTH = 78


def _entry(head: str, words: str) -> str:
    return textwrap.fill(
        f"- {head}: {words}", WIDTH, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
    )


def _reasons() -> str:
    return "\n".join(_entry(f"`{reason.value}`", f"{reason.meaning} {reason.advice}".strip()) for reason in Reason)


def _keys() -> str:
    schema = schemas.load("config")
    return "\n\n".join(_sections(schema, schema, ""))


def _sections(schema: dict[str, Any], part: dict[str, Any], path: str) -> Iterator[str]:
    """A section for each mapping with keys of its own, in the order of the schema."""
    keys = {key: _resolved(schema, inner) for key, inner in part["properties"].items()}
    required = part.get("required", [])
    title = f"## `{path}`\n\n{textwrap.fill(part['description'], WIDTH)}\n\n" if path else "## The file\n\n"
    yield title + "\n".join(
        _entry(_head(key, inner, key in required), inner["description"]) for key, inner in keys.items()
    )
    for key, inner in keys.items():
        below = _resolved(schema, inner.get("items", inner))
        if "properties" in below:
            mark = "[]" if "items" in inner else ""
            yield from _sections(schema, below, f"{path}.{key}{mark}".lstrip("."))


def _head(key: str, part: dict[str, Any], required: bool) -> str:
    said = [_kind(part)]
    if required:
        said.append("required")
    elif (default := part.get("default", [])) not in ([], "0"):
        said.append(f"default `{_yaml(default)}`")
    return f"`{key}` ({', '.join(said)})"


def _kind(part: dict[str, Any]) -> str:
    """The kind of value, in words."""
    match part:
        case {"enum": [*values]}:
            return " or ".join(f"`{value}`" for value in values)
        case {"const": value}:
            return f"`{value}`"
        case {"writeOnly": True}:
            return "a secret"
        case {"type": "boolean"}:
            return "`true` or `false`"
        case {"type": "integer"}:
            return "a number"
        case {"type": "array"}:
            return "a list"
        case {"type": "object"}:
            return "a mapping"
        case {"title": str(title)}:
            return title
    raise ValueError(part)


def _yaml(value: object) -> str:
    return (
        f'["{value[0]}"]' if isinstance(value, list) else str(value).lower() if isinstance(value, bool) else str(value)
    )


def _resolved(schema: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    return schema["$defs"][part["$ref"].rpartition("/")[2]] | part if "$ref" in part else part


PARTS = {
    "configuration": ("keys", _keys),
    "messages": ("reason codes", _reasons),
}


def renewed(topic: str) -> str:
    """The topic's page with what the code states now between its marks."""
    name, make = PARTS[topic]
    between = re.compile(rf"(<!-- {name} -->\n\n).*?(\n*<!-- /{name} -->)", re.DOTALL)
    text, found = between.subn(lambda match: f"{match[1]}{make()}\n\n{match[2].lstrip()}", _page(topic).read_text())
    assert found == 1, topic
    return text


def _page(topic: str) -> Path:
    return DOCS / f"{topic}.md"


if __name__ == "__main__":
    for topic in PARTS:
        _page(topic).write_text(renewed(topic))
