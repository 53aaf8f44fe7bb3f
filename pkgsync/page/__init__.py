"""The files that a report's HTML page is made of, as the package ships them."""

from functools import cache
from pathlib import Path
from typing import Literal


@cache
def text(name: Literal["page.html", "page.css", "page.js"]) -> str:
    """The file ``name`` as it is written."""
    return (Path(__file__).parent / name).read_text(encoding="utf-8")
