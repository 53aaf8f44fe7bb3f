"""The docs of the package as a terminal shows them. They are written to be read as they stand, at 80 columns."""

import re
from collections.abc import Callable
from pathlib import Path

_DOCS = Path(__file__).parents[1] / "docs"
_LINKS = re.compile(r"^\[\S+\]: \S+\.md$", re.MULTILINE)
_UNSEEN = re.compile(rf"^<!-- .* -->\n+|{_LINKS.pattern}\n", re.MULTILINE)


def topics() -> dict[str, str]:
    """Every topic and what it is about, by name."""
    names = sorted(page.stem for page in _DOCS.glob("*.md"))
    return {name: _markdown(name).partition("\n")[0].removeprefix("# ") for name in names}


def page(topic: str, bold: Callable[[str], str]) -> str:
    """What the docs say about a topic, without what is only markup."""
    text = _markdown(topic)
    rows: list[str] = []
    code = False
    for line in _UNSEEN.sub("", text).splitlines():
        if line.lstrip().startswith("```"):
            code = not code
        elif code:
            rows.append(f"    {line}".rstrip())
        elif line.startswith("#"):
            rows += _heading(line, bold)
        else:
            rows.append(line)
    if _LINKS.search(text):
        rows.append("What stands in [brackets] is a topic too: `pkgsync help TOPIC`.")
    return "\n".join(rows) + "\n"


def _heading(line: str, bold: Callable[[str], str]) -> list[str]:
    marks, _, words = line.partition(" ")
    return [bold(words), ("=" if marks == "#" else "-") * len(words)]


def _markdown(topic: str) -> str:
    return (_DOCS / f"{topic}.md").read_text(encoding="utf-8")
