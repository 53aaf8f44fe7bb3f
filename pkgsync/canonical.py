"""The canonical form of JSON (RFC 8785), and the digest over it, which other tools can make too."""

import hashlib
import json
from typing import Any


def digest(document: dict[str, Any]) -> str:
    """``sha256:`` of the canonical form of a document whose numbers are whole.

    Raises UnicodeEncodeError for a lone surrogate, which has no such form.
    """
    return f"sha256:{hashlib.sha256(_canonical(document).encode()).hexdigest()}"


def _canonical(document: dict[str, Any]) -> str:
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    # beyond ASCII, Python's order of keys may be another than that of UTF-16
    return text if text.isascii() else json.dumps(_in_order(document), ensure_ascii=False, separators=(",", ":"))


def _in_order(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _in_order(value[key]) for key in sorted(value, key=lambda key: key.encode("utf-16-be"))}
    return [_in_order(item) for item in value] if isinstance(value, list | tuple) else value
