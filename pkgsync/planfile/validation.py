"""The schema check of plans and receipts (JSON Schema 2020-12)."""

import re
from collections.abc import Iterator
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Any

from pkgsync import schemas
from pkgsync.errors import PlanFileError

if TYPE_CHECKING:
    from jsonschema import ValidationError
    from jsonschema.protocols import Validator

# best_match asks for all of them, and a hostile file can have millions
_ERRORS_LOOKED_AT = 50
_LONGEST_MESSAGE = 300


def check(document: dict[str, Any], schema: schemas.Name, name: str) -> None:
    """Raises PlanFileError with the JSON path of what the schema refuses most clearly."""
    # here, as importing it takes longer than any command that checks nothing
    from jsonschema.exceptions import best_match

    error = best_match(islice(_validator(schema).iter_errors(document), _ERRORS_LOOKED_AT))
    if error is not None:
        message = error.message if len(error.message) <= _LONGEST_MESSAGE else f"{error.message[:_LONGEST_MESSAGE]} ..."
        raise PlanFileError(f"{name}: {error.json_path}: {message}")


@cache
def _validator(schema: schemas.Name) -> "Validator":
    from jsonschema import Draft202012Validator
    from jsonschema.validators import extend

    validator: type[Validator] = extend(Draft202012Validator, {"pattern": _pattern})  # type: ignore[no-untyped-call]
    return validator(schemas.load(schema))


def _pattern(_validator: object, pattern: str, instance: object, _schema: object) -> Iterator["ValidationError"]:
    """``pattern`` as ECMA-262 means it: Python's ``$`` would also match before a last newline."""
    if isinstance(instance, str) and not _compiled(pattern).search(instance):
        from jsonschema import ValidationError

        yield ValidationError(f"{instance!r} does not match {pattern!r}")


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern.replace("$", r"\Z"), re.ASCII)
