"""One target for each parser of foreign bytes: any bytes give a value or one of the errors that the parser states.

A target also holds what else must be true of a value: that a slow and plain reader, or the file written anew, gives the
same one. Every text of a value can be written as UTF-8: half a character would end a plan far from its cause.
"""

import gzip
import hashlib
import io
import json
import lzma
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from email.message import Message
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import Any, cast

import requests
import urllib3
import zstandard
from msgspec import Struct
from msgspec.structs import astuple, replace

from pkgsync import approvals, config, planfile, snapshot
from pkgsync.apply import journal
from pkgsync.cache import Cache
from pkgsync.credentials import files as credentials
from pkgsync.errors import (
    AuthenticationError,
    ConfigError,
    IntegrityError,
    PkgsyncError,
    PlanFileError,
    ReadError,
    RefusedError,
    SignatureError,
)
from pkgsync.formats import debian, rpmmd, tar
from pkgsync.formats.headers import read_package
from pkgsync.formats.sums import Stated, opened
from pkgsync.formats.xml import in_pieces
from pkgsync.model import Origin, Row
from pkgsync.obs import judge, parsed
from pkgsync.obs.keys import parse_keyinfo
from pkgsync.obs.memo import Memo
from pkgsync.obs.newest import Newest
from pkgsync.obs.results import parse_meta, parse_result
from pkgsync.packagecloud import distributions, listing, refusals, routes, rows
from pkgsync.reconcile import build_plan, reconcile
from pkgsync.report import (
    Style,
    plan_gitlab,
    plan_html,
    plan_markdown,
    plan_text,
    receipt_html,
    receipt_markdown,
    receipt_text,
)
from pkgsync.session.authorization import signature_challenge
from pkgsync.session.body import read_body
from pkgsync.session.download import DownloadState
from pkgsync.session.limits import DEFAULT_LIMITS
from pkgsync.session.reply import Reply, TransientError, check_status, checked_content, retry_after
from pkgsync.session.urls import redirect_target
from pkgsync.session.watch import Watch
from pkgsync.session.words import told
from pkgsync.signatures import gpgv, openpgp, public_keys, sequoia
from tests.support.values import builders, slowparsers
from tests.support.values.builders import LEAP, NOW

Target = Callable[[bytes], None]
TARGETS: dict[str, Target] = {}
_MOST = 2**20  # bytes that a document may unpack to
_WATCH = Watch(DEFAULT_LIMITS, read_seconds=60, total_seconds=None)
_ORIGIN, _REPOSITORY = "https://packagecloud.io", "kata/testing"


def target(*errors: type[Exception]) -> Callable[[Callable[[bytes], Any]], Target]:
    """``errors`` are those that the parser states; the parser returns what its value is."""

    def made(parse: Callable[[bytes], Any]) -> Target:
        def run(data: bytes) -> None:
            try:
                value = parse(data)
            except errors:
                return
            for text in _texts(value):
                text.encode()

        TARGETS[parse.__name__] = run
        return run

    return made


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Struct):
        yield from _texts(astuple(value))
    elif isinstance(value, dict):
        yield from _texts([*value.keys(), *value.values()])
    elif isinstance(value, list | tuple | set | frozenset):
        for one in value:
            yield from _texts(one)


def _file(name: str, data: bytes) -> Path:
    """A file with these bytes. One folder serves all runs of a process: to make one takes longer than to parse."""
    path = Path(tempfile.gettempdir(), f"pkgsync-fuzz-{os.getpid()}", name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def _agrees(read: Callable[[], object], value: object) -> None:
    """Another way to read the same gives the same; that it refuses what was read is a finding, too."""
    try:
        other = read()
    except Exception as error:
        raise AssertionError(f"{value!r} is refused by another reader") from error
    if other != value:
        raise AssertionError(f"{value!r} is read as {other!r}")


# OBS


@target(IntegrityError)
def result(data: bytes) -> object:
    found = parse_result(data, "demo:release")
    _agrees(lambda: slowparsers.result(data, "demo:release"), found)
    return found


@target(IntegrityError)
def meta(data: bytes) -> object:
    return parse_meta(data, "demo:release")


@target(IntegrityError)
def keyinfo(data: bytes) -> object:
    return parse_keyinfo(data, "_keyinfo")


# rpm-md


@target(IntegrityError)
def repomd(data: bytes) -> object:
    return rpmmd.parse_top(data, "repomd.xml")


@target(IntegrityError)
def primary(data: bytes) -> object:
    found = list(rpmmd.parse_packages(in_pieces(data), "primary"))
    _agrees(lambda: list(rpmmd.parse_packages(in_pieces(data, 7), "primary")), found)
    _agrees(lambda: slowparsers.primary(data), found)
    return found


@target(IntegrityError)
def primary_relations(data: bytes) -> object:
    found = list(rpmmd.parse_relations(in_pieces(data), "primary"))
    _agrees(lambda: list(rpmmd.parse_packages(in_pieces(data), "primary")), [entry for entry, _ in found])
    return found


# Debian


@target(IntegrityError)
def release(data: bytes) -> object:
    return _pointers(debian.parse_release(data, "Release"))


@target(IntegrityError)
def inrelease(data: bytes) -> object:
    return _pointers(debian.parse_release(debian.signed_text(data, "InRelease"), "InRelease"))


def _pointers(found: debian.Release) -> object:
    """Without what nobody asks for, and the origin, which is only compared."""
    pointers = (found.packages(), found.packages("main/binary-amd64/"))
    return [replace(pointer, origin=None) for pointer in pointers if pointer]


@target(IntegrityError)
def packages(data: bytes) -> object:
    found = list(debian.parse_packages(in_pieces(data), "Packages"))
    _agrees(lambda: list(debian.parse_packages(in_pieces(data, 7), "Packages")), found)
    _agrees(lambda: slowparsers.packages(data), found)
    return found


@target(IntegrityError)
def packages_relations(data: bytes) -> object:
    found = list(debian.parse_relations(in_pieces(data), "Packages"))
    _agrees(lambda: list(debian.parse_packages(in_pieces(data), "Packages")), [entry for entry, _ in found])
    return found


# compressed files and packages

_PLAIN: dict[bytes, tuple[str, Callable[[bytes], bytes]]] = {
    b"\x1f\x8b": (".gz", gzip.decompress),
    b"\xfd7": (".xz", lzma.decompress),
    b"\x28\xb5": (
        ".zst",
        lambda data: zstandard.ZstdDecompressor().stream_reader(data, read_across_frames=True).read(_MOST + 1),
    ),
}


@target(IntegrityError)
def compressed(data: bytes) -> object:
    suffix, plain = _PLAIN.get(data[:2], ("", bytes))
    found = b"".join(opened(data, f"Packages{suffix}", Stated(), _MOST))
    _agrees(lambda: plain(data), found)
    return None


@target(IntegrityError)
def rpm(data: bytes) -> object:
    found = read_package(io.BytesIO(data), "hello.rpm", verify=False)
    read_package(io.BytesIO(data), "hello.rpm", verify=True)
    return found


@target(IntegrityError)
def deb(data: bytes) -> object:
    return read_package(io.BytesIO(data), "hello.deb", verify=True)


@target(IntegrityError)
def control(data: bytes) -> object:
    return debian.parse_control(data, "hello.deb")


@target(ValueError)
def archive(data: bytes) -> object:
    tar.member(data, "control", _MOST)
    return None


# signatures


@target(IntegrityError)
def keys(data: bytes) -> object:
    return public_keys(data, "key.asc")


_KEY = Path(__file__).parent / "corpus/keys/ed25519.asc"


@target(SignatureError)
def signature(data: bytes) -> object:
    """As where gpgv is not installed, of which one run for each input would be too slow."""
    try:
        packets = openpgp.dearmored(data, "Release.gpg")
        each = [openpgp.whole(tag, body) for tag, body in openpgp.packets(packets, "Release.gpg") if tag == 2]
    except IntegrityError:
        return None
    if not each:
        return None
    return sequoia.verify(b"text\n", each, public_keys(_KEY.read_bytes(), "key.asc").packets, "Release")


@target()
def clearsigned(data: bytes) -> object:
    return openpgp.is_one_clearsigned(data)


@target(IntegrityError)
def gpgv_status(data: bytes) -> object:
    return gpgv.judged(data.decode("utf-8", "replace").splitlines(), ["A" * 40], "Release")


@target(IntegrityError)
def approval(data: bytes) -> object:
    return approvals._read(_file("plan.json.sig", data))


# Packagecloud


@target(ReadError, RefusedError)
def package_rows(data: bytes) -> object:
    found = rows.parse_rows(data, "packages.json")
    return found, [_routes(row) for row in found]


def _routes(row: Row) -> object:
    place: dict[str, Any] = {"origin": _ORIGIN, "repository": _REPOSITORY, "row": row}
    routes.of_details(row.package_url, **place)
    routes.of_downloads(row.downloads_count_url, **place)
    routes.of_download(row.download_url.text, repository=_REPOSITORY, row=row)
    return routes.checked(row.destroy_url, **place), routes.checked(row.promote_url, **place, suffix="promote")


@target(ReadError)
def package_details(data: bytes) -> object:
    return rows.parse_details(data, "package.json")


@target(ReadError)
def download_count(data: bytes) -> object:
    return rows.parse_count(data, "count.json")


@target(ReadError)
def known_distributions(data: bytes) -> object:
    found = distributions.parse(data)
    return found, distributions.unknown(["opensuse/15.6", "fedora/41"], found)


@target()
def refusal(data: bytes) -> object:
    error = refusals.error(422, data, "upload of hello.deb")
    return error.message, error.tip, told(data, ["secret-token"])


# answers of any server


@target(PkgsyncError, TransientError)
def reply(data: bytes) -> object:
    """A whole answer, header and body, as it comes over the wire."""
    response = _response(data)
    if response is None:
        return None
    headers = response.headers
    found = [retry_after(headers), signature_challenge(headers.get("WWW-Authenticate", ""))]
    _try(lambda: listing.page_of(1, (), headers, f"{_ORIGIN}/api"))
    _try(lambda: redirect_target(f"{_ORIGIN}/x", f"{_ORIGIN}/x", headers.get("Location")))
    body = read_body(response, _WATCH, "GET x", _MOST)
    answer = Reply(status=response.status_code, headers=headers, body=body, url="x")
    check_status(answer, "GET x", quota=True, login="")
    checked_content(answer, ("application/json",))
    return found


@target(ReadError, TransientError)
def download(data: bytes) -> object:
    response = _response(data)
    if response is None:
        return None
    sink = io.BytesIO(b"abcd")
    return DownloadState(sink, 20, 4, lambda count: None, DEFAULT_LIMITS).receive(response, _WATCH, "GET x")


def _try(read: Callable[[], object]) -> None:
    with suppress(ReadError):
        read()


class _Socket:
    def __init__(self, data: bytes) -> None:
        self._data = data

    def makefile(self, mode: str) -> io.BytesIO:
        return io.BytesIO(self._data)


def _response(data: bytes) -> requests.Response | None:
    """As urllib3 and requests make it; None where they find no header, which the session calls a broken connection."""
    raw = HTTPResponse(cast("Any", _Socket(data)), method="GET")
    try:
        raw.begin()
        headers = urllib3.HTTPHeaderDict(cast("Message", raw.msg).items())
        answer = urllib3.HTTPResponse(
            raw, headers=headers, status=raw.status, preload_content=False, original_response=raw, request_method="GET"
        )
    except (HTTPException, urllib3.exceptions.HTTPError, OSError, ValueError):
        return None
    request = requests.Request("GET", f"{_ORIGIN}/x").prepare()
    return requests.adapters.HTTPAdapter().build_response(request, answer)


# files of the user's own


@target(ConfigError)
def config_file(data: bytes) -> object:
    return config.parse(Path("pkgsync.yaml"), data, {})


@target(AuthenticationError)
def login_files(data: bytes) -> object:
    with suppress(AuthenticationError):
        credentials.packagecloud(Origin.of(_ORIGIN), _file(".packagecloud", data).parent)
    credentials.oscrc(Origin.of("https://api.opensuse.org"), {}, _file(".oscrc", data).parent)
    return None


@target(PlanFileError)
def plan(data: bytes) -> object:
    found = planfile.loads(_with_digest(data), "plan.json")
    # what a later minor version adds is not written again, so that the digest is another one
    _agrees(lambda: replace(planfile.loads(planfile.dumps(found), "plan.json"), digest=found.digest), found)
    for width in (None, 40):
        plan_text(found, Style(width=width), verbose=width is None)
    return found, plan_markdown(found), plan_html(found), plan_gitlab(found)


@target(PlanFileError)
def receipt(data: bytes) -> object:
    found = planfile.load_receipt(data, "receipt.json")
    _agrees(lambda: planfile.load_receipt(planfile.dump_receipt(found), "receipt.json"), found)
    for width in (None, 40):
        receipt_text(found, Style(width=width), verbose=width is None)
    return found, receipt_markdown(found), receipt_html(found)


@target(PkgsyncError)
def snapshot_file(data: bytes) -> object:
    """And the plan that is made of it."""
    found = snapshot.loads(_with_digest(data), "world.json")
    _agrees(lambda: snapshot.loads(snapshot.dumps(found), "world.json"), found)
    policy = builders.policy()
    actual = found.actual_for(policy, NOW)
    project = config.ObsProject(name="home:me", distributions={"leap": (LEAP,)})
    desired = judge([project], found.obs, lambda name, architectures: True)
    decided = reconcile(desired, actual, policy, (LEAP,), NOW)
    planfile.dumps(build_plan(decided, desired, actual, policy, NOW, builders.SETTING))
    return None


def _with_digest(data: bytes) -> bytes:
    """With the right digest, which nothing but luck would give to a changed file."""
    try:
        document = json.loads(data)
        del document["digest"]
        if "obs" in document:
            sum_over = json.dumps(document, separators=(",", ":"), allow_nan=False) + "\n"
            document["digest"] = f"sha256:{hashlib.sha256(sum_over.encode()).hexdigest()}"
        else:
            document["digest"] = planfile.strictjson.digest(document, "plan.json")
        return json.dumps(document).encode()
    except (ValueError, LookupError, TypeError, RecursionError, PlanFileError):
        return data


# files of the state and the cache


@target()
def journal_file(data: bytes) -> object:
    ledger, length = journal._folded(data)
    _agrees(lambda: journal._folded(data[:length]), (ledger, length))
    journal.put_there(ledger)
    return None


@target()
def note(data: bytes) -> object:
    Cache(_file("notes/00/" + "0" * 64, data).parents[2]).read_note("0" * 64)
    parsed._files(b"about\n" + data, b"about")
    return None


@target()
def state_files(data: bytes) -> object:
    """What was noted of the newest indexes, and of built files."""
    there = _file("x", data).parent
    _file(Newest(there, "api")._path.name, data)
    Newest(there, "api")
    _file(Memo(there, "api", "demo")._path.name, data)
    Memo(there, "api", "demo")
    return None
