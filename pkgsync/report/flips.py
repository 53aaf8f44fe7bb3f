"""What would change a fate, as a sentence with the config's own lines. Nothing here is escaped yet.

The lines stay valid YAML through ``visible``: whatever that escapes stands in double quotes, where YAML reads it back.
"""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from pkgsync.model import ConfigChange, Flip

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_.+/-]*")
_WORDS_OF_YAML = frozenset({"true", "false", "yes", "no", "on", "off", "y", "n", "null"})


def told(flip: Flip) -> str:
    """``To let pkgsync manage it: `orphans: {names: [old-tool]}` ``, with a full stop where no line follows."""
    if not flip.config:
        return f"{flip.words}."
    first = flip.config[0]
    words = f"{flip.words}, in the project {first.project}" if first.project else flip.words
    if first.how == "remove":
        of_list = f": `{_flow(first.value)}`" if first.value is not None else ""
        return f"{words} `{'.'.join(first.path)}`{of_list or '.'}"
    return f"{words}: `{line(flip.config)}`"


def line(changes: Iterable[ConfigChange]) -> str:
    """What to write into the config, on one line: ``orphans: {action: delete, keep_versions: 1}``."""
    tree: dict[str, Any] = {}
    for change in changes:
        inner = tree
        for key in change.path[:-1]:
            inner = inner.setdefault(key, {})
        inner[change.path[-1]] = change.value
    return ", ".join(f"{_scalar(key)}: {_flow(value)}" for key, value in tree.items())


def _flow(value: Any) -> str:
    match value:
        case Mapping():
            return f"{{{', '.join(f'{_scalar(key)}: {_flow(inner)}' for key, inner in value.items())}}}"
        case tuple():
            return f"[{', '.join(map(_scalar, value))}]"
        case None:
            return "null"
        case int():
            return str(value)
        case _:
            return _scalar(value)


def _scalar(text: str) -> str:
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS_OF_YAML:
        return text
    return json.dumps(text, ensure_ascii=False)
