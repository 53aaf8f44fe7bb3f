"""The schema check of plans, receipts and snapshots (JSON Schema 2020-12).

Compiled, as a plan of 100,000 actions has millions of values. Its patterns mean what ECMA-262 says.
"""

from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING, Any

from pkgsync import schemas
from pkgsync.errors import PlanFileError
from pkgsync.planfile.strictjson import NOT_I_JSON

if TYPE_CHECKING:
    from jsonschema_rs import Validator

_LONGEST_MESSAGE = 300


def check(document: dict[str, Any], schema: schemas.Name, name: str) -> None:
    """Raises PlanFileError with the JSON path of the first thing that the schema refuses."""
    from jsonschema_rs import ValidationError

    try:
        # the first alone: a hostile file can have millions
        _validator(schema).validate(document)
    except ValidationError as error:
        raise PlanFileError(f"{name}: {_json_path(error.instance_path)}: {cut(error.message)}") from None
    # of a lone surrogate where the schema asks for a form
    except ValueError:
        raise PlanFileError(f"{name}: {NOT_I_JSON}") from None


def cut(message: str) -> str:
    """A message that quotes a value of a file, which may be as long as the file."""
    return message if len(message) <= _LONGEST_MESSAGE else f"{message[:_LONGEST_MESSAGE]} ..."


def _json_path(parts: Iterable[str | int]) -> str:
    return "$" + "".join(f".{part}" if str(part).isidentifier() else f"[{part!r}]" for part in parts)


@cache
def _validator(schema: schemas.Name) -> "Validator":
    # here, as importing it takes longer than any command that checks nothing
    from jsonschema_rs import validator_for

    return validator_for(schemas.text(schema))
