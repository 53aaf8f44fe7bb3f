"""Plan files: what is written can be read, and what was not written so is refused."""

import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from pkgsync import planfile, schemas
from pkgsync.errors import ExitCode, PlanFileError, UsageError
from pkgsync.model import Plan, Selection
from pkgsync.planfile import strictjson
from tests.support.scope import examples
from tests.support.values.samples import DELETION, GONE, LEAP, NOTHING, PLAN, RECEIPT, SUMS, UPLOADS
from tests.support.values.strategies import plans

WRITTEN = planfile.dumps(PLAN)


def document() -> dict[str, Any]:
    value: dict[str, Any] = json.loads(WRITTEN)
    return value


def resigned(value: dict[str, Any]) -> bytes:
    """The document with a right digest, as somebody with bad intent would write it.

    For documents of plain ASCII and small integers, RFC 8785 is sorted keys without spaces.
    """
    rest = {key: item for key, item in value.items() if key != "digest"}
    canonical = json.dumps(rest, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    return json.dumps(value | {"digest": f"sha256:{hashlib.sha256(canonical).hexdigest()}"}).encode()


def refused(data: bytes) -> str:
    with pytest.raises(PlanFileError) as caught:
        planfile.loads(data, "plan.json")
    assert caught.value.exit_code == ExitCode.INTEGRITY
    assert caught.value.message.startswith("plan.json: ")
    return caught.value.message


@given(plans())
def test_what_is_written_is_read_again(plan: Plan) -> None:
    data = planfile.dumps(plan)
    loaded = planfile.loads(data, "plan.json")
    assert replace(loaded, digest="") == plan
    assert planfile.dumps(loaded) == data


def test_the_sample_is_read_again() -> None:
    assert planfile.loads(WRITTEN, "plan.json") == planfile.with_digest(PLAN)


def test_the_digest_is_over_all_but_itself() -> None:
    """Computed here with json alone: for ASCII and small integers, sorted keys without spaces are RFC 8785."""
    assert json.loads(resigned(document()))["digest"] == document()["digest"]


@settings(max_examples=examples(400))
@given(st.integers(0, len(WRITTEN) - 1), st.integers(0, 255))
@example(WRITTEN.index(b"1258291"), ord("2"))
@example(WRITTEN.index(b"\n"), ord(" "))
def test_one_changed_byte_is_refused_or_means_the_same(place: int, byte: int) -> None:
    changed = WRITTEN[:place] + bytes([byte]) + WRITTEN[place + 1 :]
    try:
        plan = planfile.loads(changed, "plan.json")
    except PlanFileError:
        return
    assert plan == planfile.loads(WRITTEN, "plan.json")
    assert changed.split() == WRITTEN.split()


@given(st.integers(0, len(WRITTEN) - 2))
def test_a_cut_file_is_refused(end: int) -> None:
    refused(WRITTEN[:end])


def test_an_edited_file_is_refused_with_what_to_do() -> None:
    edited = WRITTEN.replace(b'"size": 1258291', b'"size": 1258292')
    assert "counts" not in refused(edited)
    assert refused(edited) == "plan.json: the digest does not match: the plan was edited or cut"


def test_keys_have_the_names_of_the_format() -> None:
    written = document()
    assert list(written)[:6] == [
        "format_version",
        "pkgsync_version",
        "created_at",
        "observed",
        "digest",
        "config_digest",
    ]
    assert written["deletions"][0] == {
        "distribution": LEAP,
        "filename": "hello-tool-1.2-1.x86_64.rpm",
        "sha256": SUMS["5"],
        "created_at": "2025-11-05T08:00:00.000Z",
        "uploader": "kata-ci",
        "reason": "superseded",
        "evidence": {
            "kind": "superseded",
            "repositories": [
                {
                    "project": "home:kata",
                    "repository": "openSUSE_Leap_15.6",
                    "architectures": [{"name": "x86_64", "code": "published"}],
                    "lastpublished": 1767323000,
                    "index_sha256": SUMS["e"],
                    "revision": 1767322999,
                }
            ],
            "total": 9,
            "superseded_by": {
                "filename": "hello-tool-1.3-1.x86_64.rpm",
                "version": "1.3-1",
                "package": "hello-tool",
                "code": "succeeded",
            },
        },
    }
    assert written["uploads"][0]["source"] == {
        "kind": "obs",
        "project": "home:kata",
        "repository": "openSUSE_Leap_15.6",
        "architecture": "x86_64",
        "packages": ["hello-tool"],
        "path": "x86_64/hello-tool-1.3-1.x86_64.rpm",
    }


def test_the_file_is_made_for_diffs() -> None:
    assert WRITTEN.endswith(b"]\n}\n")
    assert b'\n  "applyable": true,\n' in WRITTEN
    hidden = planfile.dumps(replace(PLAN, warnings=("rpm.\u202egpj",)))
    assert b"rpm.\\u202egpj" in hidden
    assert hidden.isascii()


def test_the_order_of_a_mapping_does_not_matter() -> None:
    turned = dict(reversed(list(PLAN.summary.distributions.items())))
    assert planfile.dumps(replace(PLAN, summary=replace(PLAN.summary, distributions=turned))) == WRITTEN


@pytest.mark.parametrize("seed", ["1", "2"])
def test_the_bytes_do_not_depend_on_the_hash_seed(seed: str) -> None:
    script = "import sys; from pkgsync import planfile; from tests.support.values.samples import PLAN; sys.stdout.buffer.write(planfile.dumps(PLAN))"
    root = Path(__file__).parents[2]
    run = subprocess.run(
        [sys.executable, "-c", script], cwd=root, env={"PYTHONHASHSEED": seed}, capture_output=True, check=True
    )
    assert run.stdout == WRITTEN


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "line 1, column 1: Expecting value"),
        (b"[]", "not a JSON object"),
        (b"{}", "neither a plan nor a receipt of pkgsync"),
        (b'{"a": 1, "a": 2}', "the key 'a' stands twice in one object"),
        (b'{"a": NaN}', "NaN is not JSON"),
        (b'{"a": -Infinity}', "-Infinity is not JSON"),
        (b'{"a": 9007199254740992}', "the number 9007199254740992 is out of range"),
        (b'{"a": 1e999}', "the number 1e999 is out of range"),
        (b'{"a": ' + b"9" * 100_000 + b"}", f"the number {'9' * 32} is out of range"),
        (b'{"a": "\xff"}', "not UTF-8 at byte 7"),
        (b"\xef\xbb\xbf{}", "line 1, column 1: Unexpected UTF-8 BOM (decode using utf-8-sig)"),
        (b"[" * 500_000, "nested too deeply"),
        (b'{"a":' * 40 + b"1" + b"}" * 40, "nested more than 32 levels deep"),
    ],
)
def test_what_is_no_strict_json_is_refused(data: bytes, message: str) -> None:
    assert refused(data) == f"plan.json: {message}"


def test_a_lone_surrogate_is_refused_when_read_and_when_written() -> None:
    written = json.dumps(document() | {"warnings": ["\ud800"]}).encode()
    assert "I-JSON" in refused(written)
    with pytest.raises(PlanFileError, match="I-JSON"):
        planfile.dumps(replace(PLAN, warnings=("\ud800",)))


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strictjson, "MAX_BYTES", 1000)
    path = tmp_path / "plan.json"
    path.write_bytes(WRITTEN)
    with pytest.raises(PlanFileError, match="larger than"):
        planfile.read(path)
    assert "larger than" in refused(WRITTEN)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=re.escape(f"cannot read {tmp_path}/none.json: No such file or directory")):
        planfile.read(tmp_path / "none.json")
    with pytest.raises(UsageError, match="Is a directory"):
        planfile.read(tmp_path)


def test_writing_and_reading_a_file(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "plan.json"
    written = planfile.write(PLAN, path)
    assert written.digest == document()["digest"]
    assert planfile.read(path) == written
    assert [entry.name for entry in path.parent.iterdir()] == ["plan.json"]


def test_another_major_format_is_refused_in_a_sentence() -> None:
    assert refused(resigned(document() | {"format_version": "2.0"})) == (
        "plan.json: has format 2.0; this pkgsync reads format 1 only"
    )


def test_what_a_newer_minor_format_adds_is_ignored_but_signed() -> None:
    newer = document() | {"format_version": "1.7", "signature": {"by": "x"}}
    newer["uploads"][0]["speed"] = 3
    plan = planfile.loads(resigned(newer), "plan.json")
    assert plan.uploads == UPLOADS
    assert "the digest does not match" in refused(json.dumps(newer).encode())


def test_a_reason_of_a_newer_format_is_refused() -> None:
    newer = document() | {"format_version": "1.7"}
    newer["held"][0]["reason"] = "phase-of-the-moon"
    assert "held[0].reason" in refused(resigned(newer))


def test_a_wrong_proof_is_named_by_its_place() -> None:
    edited = document()
    edited["deletions"][0]["evidence"]["repositories"][0]["revision"] = 1.0
    place = "$.deletions[0].evidence.repositories[0].revision"
    assert refused(resigned(edited)) == f"plan.json: Expected `int | null`, got `float` - at `{place}`"


def test_of_a_long_value_the_beginning_is_told() -> None:
    newer = document()
    newer["held"][0]["reason"] = "x" * 10**6
    assert refused(resigned(newer)).endswith(f"Invalid enum value '{'x' * 280} ...")


def test_the_globs_of_a_partial_plan_are_kept() -> None:
    partial = replace(PLAN, targeted=True, selection=Selection(("ubuntu/*",), ("*.rpm",)))
    written = planfile.dumps(planfile.with_digest(partial))
    assert list(json.loads(written))[-1] == "selection"
    assert json.loads(written)["selection"] == {"targets": ["ubuntu/*"], "excludes": ["*.rpm"]}
    assert planfile.loads(written, "plan.json").selection == partial.selection
    assert "selection" not in document()


def test_globs_of_a_plan_that_calls_itself_whole_are_refused() -> None:
    edited = document() | {"selection": {"targets": ["ubuntu/*"]}}
    assert refused(resigned(edited)) == ("plan.json: it names what it was limited to, but calls itself the whole plan")


def test_a_receipt_is_no_plan() -> None:
    assert refused(planfile.dump_receipt(RECEIPT)) == "plan.json: a receipt, not a plan"


def test_a_file_is_what_it_says_to_be(tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    path.write_bytes(planfile.dump_receipt(RECEIPT))
    assert (planfile.kind(path), planfile.read_either(path)) == ("receipt", RECEIPT)
    written = planfile.write(PLAN, path)
    assert (planfile.kind(path), planfile.read_either(path)) == ("plan", written)
    path.write_bytes(b"{}")
    for read in (planfile.kind, planfile.read_either):
        with pytest.raises(PlanFileError, match="neither a plan nor a receipt of pkgsync"):
            read(path)


def _remove(value: dict[str, Any], *path: str | int) -> None:
    for step in path[:-1]:
        value = value[step]  # type: ignore[index]
    del value[path[-1]]  # type: ignore[arg-type]


def _set(value: dict[str, Any], new: object, *path: str | int) -> None:
    for step in path[:-1]:
        value = value[step]  # type: ignore[index]
    value[path[-1]] = new  # type: ignore[index]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        (("deletions", 0, "evidence"), '$.deletions[0]: "evidence" is a required property'),
        (
            ("deletions", 0, "evidence", "superseded_by"),
            '$.deletions[0].evidence: "superseded_by" is a required property',
        ),
        (
            ("archivings", 0, "evidence", "packages_read"),
            '$.archivings[0].evidence: "packages_read" is a required property',
        ),
        (("archivings", 0, "archive_to"), '$.archivings[0]: "archive_to" is a required property'),
        (("uploads", 0, "source", "path"), '$.uploads[0].source: "path" is a required property'),
        (("target",), '$: "target" is a required property'),
    ],
)
def test_a_missing_field_is_named(path: tuple[str | int, ...], message: str) -> None:
    value = document()
    _remove(value, *path)
    assert refused(resigned(value)) == f"plan.json: {message}"


@pytest.mark.parametrize(
    ("new", "path"),
    [
        ("12", ("uploads", 0, "size")),
        (-1, ("uploads", 0, "size")),
        (True, ("uploads", 0, "size")),
        (None, ("deletions", 0, "sha256")),
        ("A" * 64, ("uploads", 0, "sha256")),
        (f"{SUMS['1']}\n", ("uploads", 0, "sha256")),
        ("a/b.rpm", ("uploads", 0, "filename")),
        ("..", ("uploads", 0, "filename")),
        ("a\n", ("uploads", 0, "filename")),
        ("", ("uploads", 0, "filename")),
        ("opensuse", ("uploads", 0, "distribution")),
        ("../x86_64/a.rpm", ("uploads", 0, "source", "path")),
        ("/x86_64/a.rpm", ("uploads", 0, "source", "path")),
        ("https://evil.example/a.rpm", ("uploads", 0, "source", "path")),
        ("x86_64/..", ("uploads", 0, "source", "path")),
        ("keep", ("uploads", 0, "reason")),
        ("missing", ("deletions", 0, "reason")),
        ([], ("deletions", 0, "evidence", "repositories")),
        ("https://user:secret@packagecloud.io", ("target", "api")),
        ("https://packagecloud.io?token=x", ("target", "api")),
        ("file:///etc", ("source", "api")),
        ("yes", ("applyable",)),
    ],
)
def test_a_wrong_value_is_refused_by_the_schema_at_its_place(new: object, path: tuple[str | int, ...]) -> None:
    value = document()
    _set(value, new, *path)
    place = "$" + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    assert refused(resigned(value)).startswith(f"plan.json: {place}: ")


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        (
            replace(PLAN, uploads=(UPLOADS[0], *UPLOADS)),
            "opensuse/15.6/hello-tool-1.3-1.x86_64.rpm: 2 actions for one file",
        ),
        (
            replace(PLAN, uploads=(replace(UPLOADS[0], filename="a\u202ebmpr.rpm"), UPLOADS[1])),
            "is not a plain file name",
        ),
        (replace(PLAN, uploads=(replace(UPLOADS[0], filename="ä" * 128), UPLOADS[1])), "is not a plain file name"),
        (replace(NOTHING, deletions=(DELETION,)), "summary.total says 0 deletions, the plan lists 1"),
        (
            replace(PLAN, uploads=(replace(UPLOADS[0], size=5), UPLOADS[1])),
            "summary.total says 1293919 upload_bytes, the plan lists 35633",
        ),
        (
            replace(PLAN, deletions=(replace(DELETION, evidence=GONE),)),
            "deleted as superseded, but the evidence is for gone",
        ),
        (
            replace(PLAN, uploads=(replace(UPLOADS[0], distribution="el/9"), UPLOADS[1])),
            "the plan does not manage its distribution",
        ),
        (
            replace(PLAN, replacements=(replace(PLAN.replacements[0], sha256=SUMS["4"]),)),
            "old and new content are the same",
        ),
    ],
)
def test_a_plan_that_contradicts_itself_is_neither_written_nor_read(plan: Plan, message: str) -> None:
    with pytest.raises(PlanFileError, match=re.escape(message)):
        planfile.dumps(plan)
    value = json.loads(json.dumps(planfile.convert.to_document(plan)))
    assert message in refused(resigned(value))


def test_a_plan_over_a_limit_is_not_applyable() -> None:
    value = document()
    value["exceeded"] = [
        {
            "distribution": LEAP,
            "limit": "deletions",
            "allowed": 0,
            "found": 1,
            "message": "too many",
            "override": "--max-deletions 1",
        }
    ]
    assert "a limit is exceeded" in refused(resigned(value))


@given(plans())
def test_every_written_plan_fits_the_schema_of_another_validator(plan: Plan) -> None:
    """The schema is what other tools see: it may not need pkgsync's own reading of patterns."""
    from jsonschema import Draft202012Validator

    Draft202012Validator(schemas.load("plan")).validate(json.loads(planfile.dumps(plan)))


@pytest.mark.parametrize("name", ["plan", "receipt"])
def test_the_schemas_are_schemas(name: schemas.Name) -> None:
    from jsonschema import Draft202012Validator

    Draft202012Validator.check_schema(schemas.load(name))
