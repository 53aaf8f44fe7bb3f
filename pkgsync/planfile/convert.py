"""Plan and receipt values to the JSON names of their schemas, and back.

What a class leaves out of files, and which of its names differ there, stands at the class. Fields that a newer minor
format may add are ignored on the way in.
"""

from contextlib import suppress
from typing import Any, TypeVar

import msgspec

from pkgsync.errors import PlanFileError
from pkgsync.model import Plan, Receipt, RepositoryEvidence
from pkgsync.planfile import validation

PlanOrReceipt = TypeVar("PlanOrReceipt", Plan, Receipt)

_FIRST: dict[Any, tuple[str, ...]] = {
    Plan: ("format_version", "pkgsync_version", "created_at", "observed", "digest", "config_digest"),
    Receipt: ("format_version", "pkgsync_version", "plan_digest", "started_at", "finished_at"),
}
# they come last; of all else, every field is written, so that readers need no defaults
_LEFT_OUT: dict[Any, dict[str, Any]] = {
    Plan: {"selection": {}, "left_out": (), "undoes": None, "base": None},
    Receipt: {"index": None, "approvals": ()},
}


def plain(value: Any) -> Any:
    """Any value of the model as what ``json.dumps`` takes, with the names that plans use."""
    return msgspec.to_builtins(value)


def to_document(value: Plan | Receipt) -> dict[str, Any]:
    """The value as a JSON object, its keys in a fixed order: what identifies it comes first."""
    document: dict[str, Any] = plain(value)
    if isinstance(value, Plan):
        document["summary"]["distributions"] = dict(sorted(document["summary"]["distributions"].items()))
        if value.base is not None:
            document["base"]["causes"] = dict(sorted(document["base"]["causes"].items()))
    last = {key: document.pop(key) for key in _LEFT_OUT[type(value)]}
    first = {key: document[key] for key in _FIRST[type(value)]}
    return first | document | {key: item for key, item in last.items() if item != _LEFT_OUT[type(value)][key]}


def from_document(document: dict[str, Any], kind: type[PlanOrReceipt], name: str) -> PlanOrReceipt:
    """The value of a document that its schema accepts. Raises PlanFileError, naming the place in file ``name``."""
    # a wrong one is left as it is, to be refused at its place
    with suppress(msgspec.ValidationError):
        _convert_proofs_once(document)
    try:
        return msgspec.convert(document, kind)
    except msgspec.ValidationError as error:
        raise PlanFileError(f"{name}: {validation.cut(str(error))}") from None


def _convert_proofs_once(document: dict[str, Any]) -> None:
    """Put one value for the very same object behind all removals: strictjson gives what is equal as one."""
    known: dict[int, RepositoryEvidence] = {}
    for removal in (*document.get("deletions", ()), *document.get("archivings", ())):
        proofs = removal["evidence"].get("repositories", [])
        for place, proof in enumerate(proofs):
            # a list that several removals share is done already; no id comes twice, as the document gets no new objects
            if isinstance(proof, dict):
                if id(proof) not in known:
                    known[id(proof)] = msgspec.convert(proof, RepositoryEvidence)
                proofs[place] = known[id(proof)]
