"""A server's own words: for whoever runs with ``-v``, and never for a plan, a receipt, a report or the journal."""

import base64
import re
from collections.abc import Iterable, Iterator
from urllib.parse import unquote, unquote_plus

from pkgsync.session.urls import clean_text

_SHOWN = 200  # characters
_SEARCHED = 2000  # characters: so much more than is shown that no end of a secret can be cut off
_ROUNDS = 3
_JSON_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(.))", re.DOTALL)
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{6,}")
_HEX = re.compile(r"[0-9a-fA-F]{8,}")
_CONTROLS = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}
WITHHELD = "(words that repeat a credential)"


def told(body: bytes, secrets: Iterable[str]) -> str:
    """The words of a refusal on one line, cut; OBS says them in ``<status><summary>``. Empty for a page for people.

    None of them where they hold one of the ``secrets``, however it is spelled.
    """
    text = body.decode("utf-8", "replace")
    summary = text.partition("<summary>")[2].partition("</summary>")[0]
    words = clean_text(summary or text)
    if holds(words[:_SEARCHED], secrets):
        return WITHHELD
    return words if len(words) <= _SHOWN else f"{words[: _SHOWN - 1]}…"


def holds(text: str, secrets: Iterable[str]) -> bool:
    """Whether a secret stands in ``text``, also as in JSON, XML, a URL, base64 or hex, or one of them in another."""
    wanted = [_squeezed(secret) for secret in secrets if secret]
    seen: set[str] = set()
    texts = {text}
    for _ in range(_ROUNDS + 1):
        if any(secret in _squeezed(one) for one in texts for secret in wanted):
            return True
        seen |= texts
        texts = {other for one in texts for other in _decoded(one)} - seen
    return False


def _squeezed(text: str) -> str:
    """Without what a line break, an indent or another case may have put between."""
    return "".join(character for character in text if character.isprintable() and character != " ").casefold()


def _decoded(text: str) -> Iterator[str]:
    import html  # here, as its table of names is of use for refusals alone

    yield html.unescape(text)
    yield unquote(text)
    yield unquote_plus(text)
    yield _JSON_ESCAPE.sub(_unescaped, text)
    whole = "".join(text.split())
    for offset in range(4):
        yield " ".join(_from_base64(run[offset:]) for run in _BASE64.findall(whole))
    for offset in range(2):
        yield " ".join(_from_hex(run[offset:]) for run in _HEX.findall(whole))


def _unescaped(match: re.Match[str]) -> str:
    code = match[1] or match[2]
    return chr(int(code, 16)) if code else _CONTROLS.get(match[3], match[3])


def _from_base64(run: str) -> str:
    """What the characters stand for, as far as they are whole bytes; in both alphabets (RFC 4648)."""
    even = run + "=" * (-len(run) % 4) if len(run) % 4 != 1 else run[:-1]
    return base64.b64decode(even.replace("-", "+").replace("_", "/")).decode("utf-8", "replace")


def _from_hex(run: str) -> str:
    return bytes.fromhex(run[: len(run) // 2 * 2]).decode("utf-8", "replace")
