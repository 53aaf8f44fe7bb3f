"""The small part of the "newc" cpio format that the OBS backend speaks."""

from collections.abc import Iterable

MAGIC = b"070701"
END = "TRAILER!!!"


def read(data: bytes) -> dict[str, bytes]:
    """The files of a newc archive, by name."""
    files: dict[str, bytes] = {}
    at = 0
    while True:
        head = data[at : at + 110]
        if head[:6] != MAGIC:
            raise ValueError(f"not a newc cpio archive at offset {at}")
        size, name_length = int(head[54:62], 16), int(head[94:102], 16)
        name = data[at + 110 : at + 110 + name_length].rstrip(b"\0").decode()
        at = padded(at + 110 + name_length)
        if name == END:
            return files
        files[name] = data[at : at + size]
        at = padded(at + size)


def write(entries: Iterable[tuple[str, bytes, int]]) -> bytes:
    """The archive of (name, content, mtime in unix seconds) entries."""
    out = bytearray()
    for name, body, mtime in [*entries, (END, b"", 0)]:
        raw = name.encode() + b"\0"
        mode = 0 if name == END else 0o100644
        numbers = [0, mode, 0, 0, 1, mtime, len(body), 0, 0, 0, 0, len(raw), 0]
        out += MAGIC + b"".join(b"%08x" % number for number in numbers) + raw
        out += b"\0" * (padded(len(out)) - len(out))
        out += body
        out += b"\0" * (padded(len(out)) - len(out))
    return bytes(out)


def padded(length: int) -> int:
    return length + -length % 4
