"""The JSON Schemas that pkgsync ships: of the config, the plan, the receipt and the snapshot."""

import json
from functools import cache
from pathlib import Path
from typing import Any, Literal

Name = Literal["config", "plan", "receipt", "snapshot"]


@cache
def text(name: Name) -> str:
    """The schema ``name`` as it is written.

    A wheel carries the schemas inside the package, an editable install finds them beside it.
    """
    package = Path(__file__).parent
    places = (folder / "schema" / f"{name}.schema.json" for folder in (package, package.parent))
    return next(place for place in places if place.is_file()).read_text(encoding="utf-8")


def load(name: Name) -> dict[str, Any]:
    """The schema ``name``, as a fresh value that the caller may change."""
    schema: dict[str, Any] = json.loads(text(name))
    return schema
