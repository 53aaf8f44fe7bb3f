"""Plan and receipt values to the JSON names of their schemas, and back.

Fields that a newer minor format may add are ignored on the way in.
"""

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from pkgsync.errors import PlanFileError
from pkgsync.model import (
    Cause,
    Deletion,
    Evidence,
    NoLonger,
    OrphanAction,
    Outcome,
    Overrides,
    Plan,
    PlannedRepository,
    PlanSource,
    PlanTarget,
    Problem,
    Receipt,
    ReceiptLine,
    Replacement,
    RepositoryEvidence,
    Selection,
    Signed,
    Source,
    Upload,
)
from pkgsync.model.filename import FileClass
from pkgsync.reasons import Reason

if TYPE_CHECKING:
    from cattrs import Converter

PlanOrReceipt = TypeVar("PlanOrReceipt", Plan, Receipt)


# Defaults say nothing in these; elsewhere every field is written, so that readers need no defaults.
_DEFAULTS_LEFT_OUT = frozenset(
    {
        Deletion,
        Evidence,
        NoLonger,
        Overrides,
        PlanSource,
        PlanTarget,
        Problem,
        ReceiptLine,
        Replacement,
        Selection,
        Signed,
        Source,
        Upload,
    }
)
_WITH_LASTPUBLISHED = frozenset({PlannedRepository, RepositoryEvidence})  # the word of OBS's own answers
_MOST_KNOWN = 1000
_FIRST: dict[Any, tuple[str, ...]] = {
    Plan: ("format_version", "pkgsync_version", "created_at", "observed", "digest", "config_digest"),
    Receipt: ("format_version", "pkgsync_version", "plan_digest", "started_at", "finished_at"),
}


def plain(value: Any) -> Any:
    """Any value of the model as what ``json.dumps`` takes, with the names that plans use."""
    return _converter().unstructure(value)


def to_document(value: Plan | Receipt) -> dict[str, Any]:
    """The value as a JSON object, its keys in a fixed order: what identifies it comes first."""
    document: dict[str, Any] = plain(value)
    if isinstance(value, Plan):
        document["summary"]["distributions"] = dict(sorted(document["summary"]["distributions"].items()))
        if value.base is not None:
            document["base"]["causes"] = dict(sorted(document["base"]["causes"].items()))
    return {key: document[key] for key in _FIRST[type(value)]} | document


def from_document(document: dict[str, Any], kind: type[PlanOrReceipt], name: str) -> PlanOrReceipt:
    """The value of a document that its schema accepts. Raises PlanFileError, naming the place in file ``name``."""
    from cattrs import BaseValidationError, transform_error

    try:
        return _converter().structure(document, kind)
    except BaseValidationError as error:
        raise PlanFileError(f"{name}: {transform_error(error)[0]}") from None


@cache
def _converter() -> "Converter":
    # here, as importing it takes longer than any command that reads no plan
    from cattrs import Converter
    from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override

    converter = Converter()
    for words in (Cause, FileClass, OrphanAction, Outcome, Reason):
        converter.register_unstructure_hook(words, lambda word: word.value)

    def lean(kind: Any) -> Callable[[Any], dict[str, Any]]:
        return make_dict_unstructure_fn(kind, converter, _cattrs_omit_if_default=True)

    converter.register_unstructure_hook_factory(_DEFAULTS_LEFT_OUT.__contains__, lean)
    for kind in _WITH_LASTPUBLISHED:
        name = override(rename="lastpublished")
        usual = override(omit_if_default=True)
        converter.register_unstructure_hook(
            kind, make_dict_unstructure_fn(kind, converter, last_published=name, content=usual, signature=usual)
        )
        converter.register_structure_hook(kind, _once(make_dict_structure_fn(kind, converter, last_published=name)))
    usual = override(omit_if_default=True)
    converter.register_unstructure_hook(
        Plan, make_dict_unstructure_fn(Plan, converter, undoes=usual, selection=usual, left_out=usual, base=usual)
    )
    converter.register_unstructure_hook(
        Receipt, make_dict_unstructure_fn(Receipt, converter, index=usual, approvals=usual)
    )
    return converter


def _once(structure: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """The same value for the very same object: strictjson gives what is equal as one."""
    known: dict[int, tuple[Any, Any]] = {}

    def structured(document: Any, kind: Any) -> Any:
        found = known.get(id(document))
        # it is held, so no other object can have its place in memory
        if found is not None:
            return found[1]
        if len(known) > _MOST_KNOWN:
            known.clear()
        value = structure(document, kind)
        known[id(document)] = document, value
        return value

    return structured
