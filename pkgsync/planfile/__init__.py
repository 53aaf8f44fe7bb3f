"""Plan and receipt files: deterministic JSON, checked against their schemas, a plan bound by its digest.

What is read may come from anybody: it is refused with a PlanFileError unless this module could have written it, but
for fields that a newer minor format adds.
"""

import re
from pathlib import Path
from typing import Any, Literal

from msgspec.structs import replace

from pkgsync.errors import PlanFileError
from pkgsync.files import write_atomically
from pkgsync.model import Plan, Receipt
from pkgsync.planfile import strictjson, validation
from pkgsync.planfile.checks import check_plan, check_receipt
from pkgsync.planfile.convert import from_document, to_document

_MAJOR = 1
_NEW_PLAN, _NEW_RECEIPT = "the new plan", "the new receipt"


def dumps(plan: Plan) -> bytes:
    """The plan file's bytes, with its digest. Equal plans give equal bytes. Raises PlanFileError for a faulty plan."""
    return strictjson.write_text(_document(plan))


def with_digest(plan: Plan) -> Plan:
    """The plan with the digest over all the rest of it. Raises PlanFileError for text that JSON cannot hold."""
    return replace(plan, digest=strictjson.digest(to_document(plan), _NEW_PLAN))


def loads(data: bytes, name: str) -> Plan:
    """The plan that ``data`` is; ``name`` is used in messages. Raises PlanFileError."""
    return _plan(strictjson.parse_object(data, name), name)


def write(plan: Plan, path: Path) -> Plan:
    """Write the plan file; returns the plan with its digest. Raises PlanFileError, OSError."""
    document = _document(plan)
    write_atomically(path, strictjson.write_text(document))
    return replace(plan, digest=document["digest"])


def read(path: Path) -> Plan:
    """The plan of a file. Raises UsageError where the file cannot be read, PlanFileError where it is no sound plan."""
    return _plan(strictjson.read_object(path), str(path))


def dump_receipt(receipt: Receipt) -> bytes:
    """The receipt file's bytes. Equal receipts give equal bytes. Raises PlanFileError for a faulty receipt."""
    document = to_document(receipt)
    validation.check(document, "receipt", _NEW_RECEIPT)
    check_receipt(receipt, _NEW_RECEIPT)
    return strictjson.write_text(document)


def dump_dry_run(receipt: Receipt) -> bytes:
    """What a dry run found, in the words of a receipt. It is none: `due` stands in no receipt file."""
    return strictjson.write_text({**to_document(receipt), "dry_run": True})


def load_receipt(data: bytes, name: str) -> Receipt:
    """The receipt that ``data`` is; ``name`` is used in messages. Raises PlanFileError."""
    return _receipt(strictjson.parse_object(data, name), name)


def read_receipt(path: Path) -> Receipt:
    """The receipt of a file. Raises UsageError where it cannot be read, PlanFileError where it is no sound receipt."""
    return _receipt(strictjson.read_object(path), str(path))


def read_either(path: Path) -> Plan | Receipt:
    """The plan or receipt of a file. Raises as :func:`read` does."""
    document, name = strictjson.read_object(path), str(path)
    return _plan(document, name) if _kind(document, name) == "plan" else _receipt(document, name)


def kind(path: Path) -> Literal["plan", "receipt"]:
    """What a file says to be. Raises UsageError where it cannot be read, PlanFileError where it is neither."""
    return _kind(strictjson.read_object(path), str(path))


def _document(plan: Plan) -> dict[str, Any]:
    """What the file holds, with the digest; checked as if somebody else had written it.

    No plan is written that apply would refuse.
    """
    document = to_document(plan)
    document["digest"] = strictjson.digest(document, _NEW_PLAN)
    validation.check(document, "plan", _NEW_PLAN)
    check_plan(plan, _NEW_PLAN)
    return document


def _plan(document: dict[str, Any], name: str) -> Plan:
    _expect(document, "plan", name)
    validation.check(document, "plan", name)
    # this finds accidents; who may change a plan can change its digest too, hence apply --expect-digest
    if document["digest"] != strictjson.digest(document, name):
        raise PlanFileError(f"{name}: the digest does not match: the plan was edited or cut", tip="Make a new plan.")
    plan = from_document(document, Plan, name)
    check_plan(plan, name)
    return plan


def _receipt(document: dict[str, Any], name: str) -> Receipt:
    _expect(document, "receipt", name)
    validation.check(document, "receipt", name)
    receipt = from_document(document, Receipt, name)
    check_receipt(receipt, name)
    return receipt


def _kind(document: dict[str, Any], name: str) -> Literal["plan", "receipt"]:
    if "plan_digest" in document:
        return "receipt"
    if "format_version" in document and "config_digest" in document:
        return "plan"
    raise PlanFileError(f"{name}: neither a plan nor a receipt of pkgsync")


_OTHER = {
    "plan": "Make one: pkgsync plan -o plan.json",
    "receipt": "`pkgsync receipts` lists all receipts, the newest first.",
}


def _expect(document: dict[str, Any], expected: Literal["plan", "receipt"], name: str) -> None:
    """The other kind of file and other major formats get a sentence of their own instead of the schema's."""
    found = _kind(document, name)
    if found != expected:
        raise PlanFileError(f"{name}: a {found}, not a {expected}", tip=_OTHER[expected])
    version = document.get("format_version")
    major = re.match(r"([0-9]{1,6})\.", version) if isinstance(version, str) else None
    if major and int(major[1]) != _MAJOR:
        raise PlanFileError(
            f"{name}: has format {version}; this pkgsync reads format {_MAJOR} only",
            tip=f"Use the pkgsync that wrote it, or make the {expected} anew.",
        )
