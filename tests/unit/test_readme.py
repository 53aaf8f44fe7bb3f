"""README's generated parts are what the code says. To write them anew: `python -m tests.unit.test_readme`."""

import re
import textwrap
from pathlib import Path

from pkgsync.config import load, managed_distributions
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


def test_the_first_config_is_valid(tmp_path: Path) -> None:
    block = README.read_text().split("```yaml\n")[1].split("```")[0]
    path = tmp_path / "pkgsync.yaml"
    path.write_text(textwrap.dedent(block))
    config = load(path, {})
    assert (config.packagecloud.repository, config.warnings) == ("me/stable", ())
    assert managed_distributions(config) == ("opensuse/15.6", "ubuntu/jammy")


def write() -> None:
    text = README.read_text()
    for name, table in TABLES.items():
        text = _between(name).sub(lambda m, t=table: f"{m[1]}\n{t()}\n\n{m[2].lstrip()}", text)
    README.write_text(text)


if __name__ == "__main__":
    write()
