"""One member of an unpacked tar archive (POSIX ustar, with GNU's large sizes), found in one walk forward.

Python's tarfile follows negative sizes and offsets backwards, for ever in some versions (CVE-2025-8194), and
dpkg-deb writes none of the extended headers that it knows.
"""

_BLOCK = 512
_FILE_KINDS = (b"0", b"\0")


def member(archive: bytes, name: str, max_bytes: int) -> bytes:
    """The content of the file ``name`` or ``./name``.

    Raises ValueError where it is not there, larger than ``max_bytes``, or before it the archive is cut or damaged.
    """
    at = 0
    while (head := archive[at : at + _BLOCK]).strip(b"\0"):
        size = _size(head)
        start, at = at + _BLOCK, at + _BLOCK + -(-size // _BLOCK) * _BLOCK
        if len(head) != _BLOCK or not _is_whole(head) or start + size > len(archive):
            raise ValueError("a tar archive is cut or damaged")
        if head[156:157] in _FILE_KINDS and _name(head) == name and size <= max_bytes:
            return archive[start : start + size]
    raise ValueError(f"a tar archive holds no usable {name}")


def _name(head: bytes) -> str:
    return head[:100].partition(b"\0")[0].decode("utf-8", "replace").removeprefix("./")


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
