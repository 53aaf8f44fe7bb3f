"""The picture of the house beside the house: every room stands in it, and every arrow is an import that may be."""

import re
import tomllib
from functools import cache
from pathlib import Path

import grimp
import pytest

from pkgsync.reconcile.checks import CHECKS

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "pkgsync"
README = (PACKAGE / "README.md").read_text()
NO_ROOMS = {"__init__", "__main__", "docs", "__pycache__"}


def rooms() -> set[str]:
    found = {path.stem for path in PACKAGE.glob("*.py")} | {path.name for path in PACKAGE.iterdir() if path.is_dir()}
    return found - NO_ROOMS


def floors() -> list[set[str]]:
    """The rooms from the roof down, as the picture groups them."""
    groups = re.findall(r"subgraph \w+ \[.*?\]\n(.*?)\n  end", README, re.DOTALL)
    return [set(group.split()) for group in groups]


def arrows() -> list[tuple[str, str]]:
    return re.findall(r"^  (\w+) --> (\w+)$", README, re.MULTILINE)


def layers() -> list[set[str]]:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    return [set(layer.split(" | ")) for layer in contracts[0]["layers"]]


def test_every_room_stands_in_the_picture_once() -> None:
    drawn = [room for floor in floors() for room in floor]
    assert sorted(drawn) == sorted(rooms())


def test_every_room_has_its_line() -> None:
    assert set(re.findall(r"^\| `(\w+)` \|", README, re.MULTILINE)) == rooms()


def test_floors_are_in_the_order_of_the_contract() -> None:
    height = {room: -number for number, floor in enumerate(floors()) for room in floor}
    order = [room for layer in layers() for room in sorted(layer)]
    drawn = [height[room] for room in order]
    assert drawn == sorted(drawn, reverse=True)


@cache
def imports() -> grimp.ImportGraph:
    return grimp.build_graph("pkgsync")


@pytest.mark.parametrize(("above", "below"), arrows())
def test_every_arrow_is_an_import(above: str, below: str) -> None:
    assert imports().direct_import_exists(importer=f"pkgsync.{above}", imported=f"pkgsync.{below}", as_packages=True)


@pytest.mark.parametrize(("above", "below"), [pair for pair in arrows() if "sandbox" not in pair])
def test_every_arrow_is_in_the_contract(above: str, below: str) -> None:
    height = {room: -number for number, layer in enumerate(layers()) for room in layer}
    assert height[above] > height[below]


def test_the_picture_of_a_deletion_has_every_check_in_order() -> None:
    readme = (PACKAGE / "reconcile" / "README.md").read_text()
    rows = readme[readme.index("direction LR") : readme.index("  end")].splitlines()[1:]
    assert [check.strip() for row in rows for check in row.split("-->") if check.strip()] == list(CHECKS)
    assert re.findall(r"^\| `(\w+)` \|", readme, re.MULTILINE) == list(CHECKS)


@pytest.mark.parametrize(
    "readme", [PACKAGE / room / "README.md" for room in ("apply", "reconcile")], ids=lambda path: path.parent.name
)
def test_modules_that_a_readme_names_are_there(readme: Path) -> None:
    named = set(re.findall(r"`(?:\w+/)?(\w+\.py)", readme.read_text()))
    there = {path.name for folder in (PACKAGE, ROOT / "tests") for path in folder.rglob("*.py")}
    assert named <= there


def test_paths_that_the_recipes_name_are_there() -> None:
    text = (ROOT / ".github/CONTRIBUTING.md").read_text()
    named = set(re.findall(r"`((?:tests|pkgsync|schema|examples|\.ci)/[\w./-]+)`", text))
    assert len(named) > 15
    assert [path for path in sorted(named) if "NAME" not in path and not (ROOT / path).exists()] == []
