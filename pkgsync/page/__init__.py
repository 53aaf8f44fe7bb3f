"""The files that a report's HTML page is made of, as the package ships them."""

from functools import cache
from importlib.resources import files
from typing import Literal


@cache
def text(name: Literal["page.html", "page.css", "page.js"]) -> str:
    """The file ``name`` as it is written."""
    return (files(__name__) / name).read_text(encoding="utf-8")
