"""A release: what its notes say, and the workflows that test it and make it."""

import json
import re
import runpy
import tomllib
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
ACTIONS = sorted((ROOT / ".github/actions").glob("*/action.yml"))
CHANGELOG = """\
# Changelog

## 1.1.0 (2026-03-02)

- `plan` is faster.

### Fixed

- A typo.

## 1.0.0 (2026-01-01)

The first version.
"""


def notes(tag: str, changelog: str, version: str) -> str:
    said: str = runpy.run_path(str(ROOT / ".ci/release-notes"))["notes"](tag, changelog, version)
    return said


def test_the_notes_are_the_newest_section() -> None:
    assert notes("v1.1.0", CHANGELOG, "1.1.0") == "- `plan` is faster.\n\n### Fixed\n\n- A typo.\n"


def test_a_first_release_has_all_there_is() -> None:
    first = "# Changelog\n\n## 1.0.0 (2026-01-01)\n\nThe first version.\n"
    assert notes("v1.0.0", first, "1.0.0") == "The first version.\n"


@pytest.mark.parametrize(
    ("tag", "version", "changelog", "said"),
    [
        ("v1.2.0", "1.1.0", CHANGELOG, "the tag is v1.2.0, pkgsync/version.py says 1.1.0"),
        ("1.1.0", "1.1.0", CHANGELOG, "the tag is 1.1.0, pkgsync/version.py says 1.1.0"),
        ("v1.2.0", "1.2.0", CHANGELOG, "CHANGELOG.md begins with 1.1.0 (2026-03-02), not with 1.2.0 and its date"),
        ("v1.0.0", "1.0.0", CHANGELOG, "CHANGELOG.md begins with 1.1.0 (2026-03-02), not with 1.0.0 and its date"),
        (
            "v1.1.0",
            "1.1.0",
            CHANGELOG.replace("2026-03-02", "unreleased"),
            "CHANGELOG.md begins with 1.1.0 (unreleased), not with 1.1.0 and its date",
        ),
        ("v1.1.0", "1.1.0", "# Changelog\n\n## 1.1.0\n", "CHANGELOG.md has no `## X.Y.Z (YYYY-MM-DD)`"),
    ],
)
def test_what_is_no_release(tag: str, version: str, changelog: str, said: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(said)}$"):
        notes(tag, changelog, version)


def test_the_changelog_begins_with_the_version() -> None:
    """If not: `pkgsync/version.py` and the first head of CHANGELOG.md are raised together."""
    version = runpy.run_path(str(ROOT / "pkgsync/version.py"))["__version__"]
    newest = re.findall(r"^## (\S+) ", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)[0]
    assert newest == version


def document(path: Path) -> Any:
    """In YAML 1.2 as far as keys go: 1.1 would read the key ``on`` as true."""
    return {"on" if key is True else key: value for key, value in yaml.safe_load(path.read_text()).items()}


@pytest.mark.parametrize("path", [*WORKFLOWS, *ACTIONS], ids=lambda path: f"{path.parent.name}/{path.name}")
def test_github_takes_the_file(path: Path) -> None:
    kind = "github-workflows" if path in WORKFLOWS else "github-actions"
    schema = resources.files("check_jsonschema") / f"builtin_schemas/vendor/{kind}.json"
    validator = Draft7Validator(json.loads(schema.read_text()))
    assert [f"{error.json_path}: {error.message}" for error in validator.iter_errors(document(path))] == []
    assert not validator.is_valid({**document(path), "job": {}})


@pytest.mark.parametrize("path", [*WORKFLOWS, *ACTIONS], ids=lambda path: f"{path.parent.name}/{path.name}")
def test_what_others_wrote_is_pinned_by_commit(path: Path) -> None:
    """A tag can be moved; the version beside the commit is for people."""
    used = re.findall(r"uses: (.*)", path.read_text())
    foreign = [line for line in used if not line.startswith("./")]
    assert [line for line in foreign if not re.fullmatch(r"[\w-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line)] == []


def test_a_workflow_may_write_only_where_it_says_so() -> None:
    assert [document(path)["permissions"] for path in WORKFLOWS] == [{"contents": "read"}] * 2
    assert [path.name for path in WORKFLOWS if ": write" in path.read_text()] == ["release.yml"]


def test_what_the_classifiers_promise_is_tested() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    python = "Programming Language :: Python :: "
    promised = [line.removeprefix(python) for line in project["classifiers"] if line.startswith(python)]
    test = document(ROOT / ".github/workflows/test.yml")
    assert test["jobs"]["everyday"]["strategy"]["matrix"]["python"] == promised
    assert project["requires-python"] == f">={promised[0]}"


def test_what_is_built_is_what_is_tried_and_published() -> None:
    jobs = document(ROOT / ".github/workflows/release.yml")["jobs"]
    built = [step.get("run") for step in jobs["build"]["steps"]]
    assert ".ci/wheel" in built and '.ci/release-notes "$GITHUB_REF_NAME" > notes.md' in built
    assert jobs["publish"]["needs"] == "build"
    assert not [step["run"] for step in jobs["publish"]["steps"] if "build" in step.get("run", "")]


def test_examples_and_docs_name_one_tag() -> None:
    """If not: a release raises it everywhere."""
    texts = [path.read_text() for folder in ("examples", "pkgsync/docs") for path in (ROOT / folder).rglob("*.*")]
    tags = [tag for text in texts for tag in re.findall(r"(?:pkgsync/[\w./-]+@|rev: )(v\d+\.\d+\.\d+)", text)]
    assert len(tags) > 5 and len(set(tags)) == 1, sorted(set(tags))
