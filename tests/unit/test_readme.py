"""README's generated parts are what the code says. To write them anew: `python -m tests.unit.test_readme`."""

import re
from pathlib import Path

from pkgsync.errors import EXIT_CODE_MEANINGS
from pkgsync.reasons import Reason

README = Path(__file__).parents[2] / "README.md"


def _exit_codes() -> str:
    rows = (f"| {code.value} | {meaning} |" for code, meaning in EXIT_CODE_MEANINGS.items())
    return "\n".join(["| code | meaning |", "|---|---|", *rows])


def _reasons() -> str:
    rows = (f"| `{reason.value}` | {reason.meaning} | {reason.advice} |" for reason in Reason)
    return "\n".join(["| code | what it means | what to do |", "|---|---|---|", *rows])


TABLES = {"reasons": _reasons, "exit codes": _exit_codes}


def _between(name: str) -> re.Pattern[str]:
    return re.compile(rf"(<!-- {name} -->\n).*?(\n?<!-- /{name} -->)", re.DOTALL)


def test_tables_are_those_of_the_code() -> None:
    text = README.read_text()
    for name, table in TABLES.items():
        match = _between(name).search(text)
        assert match is not None, name
        assert match[0] == f"<!-- {name} -->\n\n{table()}\n\n<!-- /{name} -->", name


def write() -> None:
    text = README.read_text()
    for name, table in TABLES.items():
        text = _between(name).sub(lambda m, t=table: f"{m[1]}\n{t()}\n\n{m[2].lstrip()}", text)
    README.write_text(text)


if __name__ == "__main__":
    write()
