"""The JSON Schemas that pkgsync ships: of the config, the plan, the receipt and the snapshot."""

import json
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

Name = Literal["config", "plan", "receipt", "snapshot"]


@cache
def text(name: Name) -> str:
    """The schema ``name`` as it is written.

    A wheel carries the schemas inside the package, an editable install finds them beside it.
    """
    file = f"{name}.schema.json"
    shipped = files("pkgsync") / "schema" / file
    if shipped.is_file():
        return shipped.read_text(encoding="utf-8")
    return (Path(__file__).parent.parent / "schema" / file).read_text(encoding="utf-8")


def load(name: Name) -> dict[str, Any]:
    """The schema ``name``, as a fresh value that the caller may change."""
    schema: dict[str, Any] = json.loads(text(name))
    return schema
