"""One member of an unpacked tar archive (POSIX ustar, with GNU's large sizes), found in one walk forward.

Python's tarfile follows negative sizes and offsets backwards, for ever in some versions (CVE-2025-8194), and
dpkg-deb writes none of the extended headers that it knows.
"""

import re

_BLOCK = 512
_FILE_KINDS = (b"0", b"\0")
_EXTENDED_KINDS = (b"x", b"g")
_RENAMES = re.compile(rb"path=|GNU\.sparse")


def member(archive: bytes, name: str, max_bytes: int) -> bytes:
    """The content of the one file ``name`` or ``./name``.

    Raises ValueError where it is not there, or there twice, which tools read differently; where it is larger than
    ``max_bytes``, a header may rename what follows, or the archive is cut or damaged.
    """
    at, found = 0, []
    while (head := archive[at : at + _BLOCK]).strip(b"\0"):
        size, kind = _size(head), head[156:157]
        start, at = at + _BLOCK, at + _BLOCK + -(-size // _BLOCK) * _BLOCK
        if len(head) != _BLOCK or not _is_whole(head) or start + size > len(archive):
            raise ValueError("a tar archive is cut or damaged")
        if kind == b"L" or (kind in _EXTENDED_KINDS and _RENAMES.search(archive, start, start + size)):
            raise ValueError("a tar archive gives a member another name")
        if _name(head) == name:
            found.append((kind, start, size))
    if len(found) != 1 or found[0][0] not in _FILE_KINDS or found[0][2] > max_bytes:
        raise ValueError(f"a tar archive holds no usable {name}")
    _, start, size = found[0]
    return archive[start : start + size]


def _name(head: bytes) -> str:
    """As GNU tar takes it: slashes and dots that lead nowhere are no part of it."""
    prefix = head[345:500] if head[257:263] == b"ustar\0" else b""
    parts = b"/".join(field.partition(b"\0")[0] for field in (prefix, head[:100])).decode("utf-8", "replace")
    return "/".join(part for part in parts.split("/") if part not in ("", "."))


def _size(head: bytes) -> int:
    """In octal digits, or as a binary number behind a set first bit. Never negative."""
    field = head[124:136]
    if field[:1] == b"\x80":
        return int.from_bytes(field[1:], "big")
    return _octal(field)


def _octal(field: bytes) -> int:
    digits = field.strip(b" \0")
    if not digits.isdigit():
        raise ValueError("a tar archive is damaged")
    return int(digits, 8)


def _is_whole(head: bytes) -> bool:
    """The checksum counts its own field as spaces."""
    return _octal(head[148:156]) == sum(head[:148]) + sum(b"        ") + sum(head[156:])
