"""Cells of the fault matrix: what a published index may say, its checksums in order or not."""

import gzip
import hashlib
import re
from collections.abc import Callable, Iterator

from pkgsync.sandbox import PROJECT, Blob
from tests.support.faults.faultanswers import HELLO_X86, JAMMY_KEYS, LEAP_KEYS
from tests.support.faults.faultcells import HELD, Cell, packed_zeros
from tests.support.faults.faultmatrix import JAMMY, LEAP, LEAP_DIST, OTHER, RHEL, Stage, rpm

Play = Callable[[Stage], None]


def _tree(stage: Stage, repository: str) -> dict[str, Blob]:
    return stage.sandbox.obs.repository(PROJECT, repository).tree


def _text(stage: Stage, repository: str, path: str) -> bytes:
    return _tree(stage, repository)[path].read()


def _put(stage: Stage, repository: str, path: str, data: bytes | None) -> None:
    stage.sandbox.obs.replace_published(PROJECT, repository, path, data)


TOP = "repodata/repomd.xml"


def _repomd(old: str, new: str, count: int = 0) -> Callable[[Stage], None]:
    def play(stage: Stage) -> None:
        text = _text(stage, LEAP, TOP).decode()
        changed = re.sub(old, new, text, count=count, flags=re.DOTALL)
        assert changed != text
        _put(stage, LEAP, TOP, changed.encode())

    return play


def _record(stage: Stage) -> str:
    found = re.search(r'<data type="primary">.*?</data>', _text(stage, LEAP, TOP).decode(), re.DOTALL)
    assert found
    return found[0]


def _primary(stage: Stage) -> tuple[str, bytes]:
    path = next(p for p in _tree(stage, LEAP) if p.endswith("-primary.xml.gz"))
    return path, gzip.decompress(_text(stage, LEAP, path))


def _new_primary(
    change: Callable[[bytes], bytes], pack: Callable[[bytes], bytes] = gzip.compress, sizes: bool = True
) -> Play:
    """Another primary, whose checksums and sizes repomd states rightly; without ``sizes`` it says nothing unpacked."""

    def play(stage: Stage) -> None:
        path, document = _primary(stage)
        document = change(document)
        packed = pack(document)
        record = (
            f'<data type="primary"><checksum type="sha256">{hashlib.sha256(packed).hexdigest()}</checksum>'
            f'<location href="{path}"/><size>{len(packed)}</size>'
        )
        if sizes:
            sum_ = hashlib.sha256(document).hexdigest()
            record += f'<open-checksum type="sha256">{sum_}</open-checksum><open-size>{len(document)}</open-size>'
        top = _text(stage, LEAP, TOP).decode().replace(_record(stage), f"{record}</data>")
        _put(stage, LEAP, path, packed)
        _put(stage, LEAP, TOP, top.encode())

    return play


def _no_packages(document: bytes) -> bytes:
    return re.sub(
        rb'packages="\d+"', b'packages="0"', re.sub(rb"<package .*</package>\n", b"", document, flags=re.DOTALL)
    )


def _without(document: bytes, filename: bytes) -> bytes:
    """The index lacks a file that _result shows."""
    entries = re.findall(rb'<package type="rpm">.*?</package>\n', document, re.DOTALL)
    gone = next(e for e in entries if filename in e)
    return document.replace(gone, b"").replace(b'packages="%d"' % len(entries), b'packages="%d"' % (len(entries) - 1))


def _older_version_missing(stage: Stage) -> None:
    """Two packages build one name; the index lacks the older file, which _result still shows."""
    stage.sandbox.obs.finish(PROJECT, LEAP, "x86_64", "hello-lts", [rpm("hello", "1.1")])
    stage.sandbox.obs.publish(PROJECT, LEAP)
    _new_primary(lambda document: _without(document, b"hello-1.1-1.x86_64.rpm"))(stage)


def _other_index(stage: Stage) -> None:
    """A mirror's mistake: the whole index of another repository, whose files then count as published here too."""
    other, leap = stage.sandbox.obs.repository(OTHER, RHEL), stage.sandbox.obs.repository(PROJECT, LEAP)
    leap.files.update(other.files)
    for path, blob in other.tree.items():
        if path.startswith("repodata/"):
            _put(stage, LEAP, path, blob.read())


def _removed(repository: str, pattern: str) -> Callable[[Stage], None]:
    def play(stage: Stage) -> None:
        for path in [p for p in _tree(stage, repository) if re.search(pattern, p)]:
            _put(stage, repository, path, None)

    return play


def _old_index(stage: Stage) -> None:
    """The publisher moved on, the index did not: an hour later hello 1.3 is published, and the old index is served."""
    obs = stage.sandbox.obs
    before = {p: blob for p, blob in _tree(stage, LEAP).items() if p.startswith("repodata/")}
    stage.sandbox.clock.advance(3600)
    obs.finish(PROJECT, LEAP, "x86_64", "hello", [rpm("hello", "1.3")])
    obs.publish(PROJECT, LEAP)
    for path in [p for p in _tree(stage, LEAP) if p.startswith("repodata/")]:
        _put(stage, LEAP, path, None)
    for path, blob in before.items():
        _put(stage, LEAP, path, blob.read())


def _release(old: str, new: str, count: int = 0) -> Callable[[Stage], None]:
    def play(stage: Stage) -> None:
        text = _text(stage, JAMMY, "Release").decode()
        changed = re.sub(old, new, text, count=count, flags=re.DOTALL)
        assert changed != text
        _put(stage, JAMMY, "Release", changed.encode())

    return play


def _new_packages(change: Callable[[bytes], bytes], pack: Callable[[bytes], bytes] = gzip.compress) -> Play:
    """Another Packages, whose checksums Release states rightly, as sha256 only."""

    def play(stage: Stage) -> None:
        document = change(_text(stage, JAMMY, "Packages"))
        packed = pack(document)
        lines = [
            f" {hashlib.sha256(d).hexdigest()} {len(d)} {n}"
            for n, d in (("Packages", document), ("Packages.gz", packed))
        ]
        head = re.sub(
            r"^(MD5Sum|SHA1|SHA256):\n( .*\n)*", "", _text(stage, JAMMY, "Release").decode(), flags=re.MULTILINE
        )
        _put(stage, JAMMY, "Packages", document)
        _put(stage, JAMMY, "Packages.gz", packed)
        _put(stage, JAMMY, "Release", (head + "\n".join(["SHA256:", *lines]) + "\n").encode())

    return play


def _without_stanza(document: bytes) -> bytes:
    return b"\n\n".join(s for s in document.split(b"\n\n") if not s.startswith(b"Package: hello"))


INDEXES: tuple[tuple[str, Callable[[Stage], None], str, frozenset[str]], ...] = (
    ("rpm-checksum", _repomd(r'(<data type="primary">\s*<checksum[^>]*>).{8}', r"\g<1>00000000"), HELD, LEAP_KEYS),
    ("rpm-open-checksum", _repomd(r'(<data type="primary">.*?<open-checksum[^>]*>).{8}', r"\g<1>00000000", 1), HELD, LEAP_KEYS),
    ("rpm-size", _repomd(r'(<data type="primary">.*?<size>)', r"\g<1>1", 1), HELD, LEAP_KEYS),
    ("rpm-open-size-small", _repomd(r'(<data type="primary">.*?<open-size>)\d+', r"\g<1>10", 1), HELD, LEAP_KEYS),
    ("rpm-no-checksum", _repomd(r'(<data type="primary">)\s*<checksum.*?</checksum>', r"\g<1>"), HELD, LEAP_KEYS),
    ("rpm-odd-checksum", _repomd(r'type="sha256"', 'type="crc32"'), HELD, LEAP_KEYS),
    ("rpm-no-primary", _repomd(r'type="primary"', 'type="secondary"'), HELD, LEAP_KEYS),
    ("rpm-two-primaries", _repomd(r'type="filelists"', 'type="primary"'), HELD, LEAP_KEYS),
    ("rpm-path-outside", _repomd(r'href="repodata/', 'href="../../other/'), HELD, LEAP_KEYS),
    ("rpm-path-absolute", _repomd(r'href="repodata/', 'href="/source/'), HELD, LEAP_KEYS),
    ("rpm-other-host", _repomd(r'<location href', '<location xml:base="http://127.0.0.1:9/" href'), HELD, LEAP_KEYS),
    ("rpm-revision-old", _repomd(r"<revision>\d+", "<revision>1700000000"), HELD, LEAP_KEYS),
    ("rpm-index-of-yesterday", _old_index, HELD, LEAP_KEYS),
    ("rpm-empty", _new_primary(_no_packages), HELD, LEAP_KEYS),
    ("rpm-count-too-high", _new_primary(lambda d: re.sub(rb'packages="', b'packages="1', d)), HELD, LEAP_KEYS),
    ("rpm-count-too-low", _new_primary(lambda d: re.sub(rb'packages="\d+"', b'packages="1"', d)), HELD, LEAP_KEYS),
    ("rpm-file-missing", _new_primary(lambda d: _without(d, b"hello-1.2-1.x86_64.rpm")), HELD, HELLO_X86),
    ("rpm-older-file-missing", _older_version_missing, HELD, frozenset({f"{LEAP_DIST}/hello-1.1-1.x86_64.rpm"})),
    ("rpm-cut", _new_primary(lambda d: d[: len(d) // 2]), HELD, LEAP_KEYS),
    ("rpm-cut-gz", _new_primary(lambda d: d, lambda d: gzip.compress(d)[:-9]), HELD, LEAP_KEYS),
    ("rpm-cut-gz-unstated", _new_primary(lambda d: d, lambda d: gzip.compress(d)[:-9], sizes=False), HELD, LEAP_KEYS),
    ("rpm-bomb", _new_primary(lambda d: d, lambda d: packed_zeros(), sizes=False), HELD, LEAP_KEYS),
    ("rpm-bomb-stated", _new_primary(lambda d: bytes(48 * 2**20), lambda d: packed_zeros()), HELD, LEAP_KEYS),
    ("rpm-not-gz", _new_primary(lambda d: d, lambda d: d), HELD, LEAP_KEYS),
    ("rpm-entities", _new_primary(lambda d: d.replace(b"<metadata", b'<!DOCTYPE metadata [<!ENTITY x "y">]><metadata', 1)), HELD, LEAP_KEYS),
    ("rpm-of-another-repository", _other_index, HELD, LEAP_KEYS),
    ("rpm-primary-missing", _removed(LEAP, "primary"), HELD, LEAP_KEYS),
    ("rpm-nothing-published", _removed(LEAP, ""), HELD, LEAP_KEYS),
    ("deb-checksum", _release(r" [0-9a-f]{8}([0-9a-f]+ +\d+ Packages)", r" 00000000\g<1>"), HELD, JAMMY_KEYS),
    ("deb-size", _release(r"(\d+ Packages\.gz)", r"1\g<1>"), HELD, JAMMY_KEYS),
    ("deb-nothing-listed", _release(r"(MD5Sum|SHA1|SHA256):", r"X-\g<1>:"), HELD, JAMMY_KEYS),
    ("deb-no-packages-listed", _release(r" Packages", " Sourcery"), HELD, JAMMY_KEYS),
    ("deb-date-old", _release(r"Date: [^\n]*", "Date: Tue, 14 Nov 2023 22:13:20 UTC"), HELD, JAMMY_KEYS),
    ("deb-empty", _new_packages(lambda d: b"\n"), HELD, JAMMY_KEYS),
    ("deb-file-missing", _new_packages(_without_stanza), HELD, frozenset(k for k in JAMMY_KEYS if "hello" in k)),
    ("deb-cut-in-stanza", _new_packages(lambda d: d[: d.rindex(b"Filename")]), HELD, JAMMY_KEYS),
    ("deb-cut-gz", _new_packages(lambda d: d, lambda d: gzip.compress(d)[:-9]), HELD, JAMMY_KEYS),
    ("deb-bomb", _new_packages(lambda d: bytes(48 * 2**20), lambda d: packed_zeros()), HELD, JAMMY_KEYS),
    ("deb-path-outside", _new_packages(lambda d: d.replace(b"Filename: ./amd64/", b"Filename: ../../")), HELD, JAMMY_KEYS),
    ("deb-packages-missing", _removed(JAMMY, "Packages"), HELD, JAMMY_KEYS),
    ("deb-nothing-published", _removed(JAMMY, ""), HELD, JAMMY_KEYS),
)  # fmt: skip


def cells() -> Iterator[Cell]:
    for name, play, expect, held in INDEXES:
        yield Cell(f"index-{name}", play, {expect}, held)
