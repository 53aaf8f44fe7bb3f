"""What each service does stands in a README beside its client: comments cite its headings, the wheel leaves it out."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "pkgsync"
READMES = {name: PACKAGE / name / "README.md" for name in ("obs", "packagecloud")}
CITED = re.compile(r'(?:(obs|packagecloud)/)?README\.md((?:(?:,| and)\s+"[^"\n]+")+)')


def _headings(readme: Path) -> set[str]:
    return set(re.findall(r"^## (.+)$", readme.read_text(), re.MULTILINE))


def _citations() -> list[tuple[str, str, str]]:
    """(module, service, heading); without a folder the README beside the module is meant."""
    return [
        (str(module.relative_to(PACKAGE)), service or module.parent.name, heading)
        for module in sorted(PACKAGE.rglob("*.py"))
        for service, headings in CITED.findall(module.read_text())
        for heading in re.findall(r'"([^"]+)"', headings)
    ]


def test_cited_headings_are_there() -> None:
    headings = {name: _headings(readme) for name, readme in READMES.items()}
    citations = _citations()
    assert len(citations) > 50
    assert [c for c in citations if c[2] not in headings.get(c[1], set())] == []


def test_the_wheel_leaves_them_out() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert project["tool"]["hatch"]["build"]["targets"]["wheel"]["exclude"] == ["pkgsync/**/README.md"]
