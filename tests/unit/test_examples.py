"""The example configs are themselves valid, and together with the schema they leave out no key."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from pkgsync import schemas
from pkgsync.config import load
from pkgsync.errors import ConfigError

Keys = tuple[str, ...]
EXAMPLES = Path(__file__).parents[2] / "examples"
ENVIRONMENT = {"OSC_USERNAME": "u", "OSC_PASSWORD": "p", "PACKAGECLOUD_TOKEN": "t"}


def resolved(schema: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    return {**schema["$defs"][part["$ref"].rpartition("/")[2]], **part} if "$ref" in part else part


def keys_of(schema: dict[str, Any], part: dict[str, Any], path: Keys = ()) -> Iterator[Keys]:
    """Every key that the schema knows, with the path to it; list items count as their list."""
    part = resolved(schema, part)
    for key, inner in part.get("properties", {}).items():
        yield (*path, key)
        yield from keys_of(schema, inner, (*path, key))
    if "items" in part:
        yield from keys_of(schema, part["items"], path)


def keys_in(data: Any, path: Keys = ()) -> Iterator[Keys]:
    if isinstance(data, dict):
        for key, value in data.items():
            yield (*path, key)
            yield from keys_in(value, (*path, key))
    if isinstance(data, list):
        for item in data:
            yield from keys_in(item, path)


@pytest.mark.parametrize("name", ["anonymous", "minimal", "pkgsync"])
def test_an_example_is_valid_without_a_warning(name: str) -> None:
    path = EXAMPLES / f"{name}.yaml"
    assert load(path, ENVIRONMENT).warnings == ()
    assert path.read_text().startswith("# yaml-language-server: $schema=../schema/config.schema.json\n")


@pytest.mark.parametrize("name", ["anonymous", "minimal", "pkgsync"])
def test_an_example_satisfies_the_schema_as_an_editor_sees_it(name: str) -> None:
    data = yaml.safe_load((EXAMPLES / f"{name}.yaml").read_text())
    assert list(Draft202012Validator(schemas.load("config")).iter_errors(data)) == []


def test_no_other_example_is_left_untested() -> None:
    assert {path.stem for path in EXAMPLES.glob("*.yaml")} == {"anonymous", "kata-pkgsync", "minimal", "pkgsync"}


def test_one_example_shows_every_key() -> None:
    schema = schemas.load("config")
    shown = set(keys_in(yaml.safe_load((EXAMPLES / "pkgsync.yaml").read_text())))
    assert set(keys_of(schema, schema)) - shown == set(), "show it in examples/pkgsync.yaml, with a comment"


def changed(data: Any, path: Keys, change: Callable[[Any], Any]) -> Any:
    """The data with what stands at the path changed, or gone where that is None."""
    if isinstance(data, list):
        return [changed(item, path, change) for item in data]
    if not isinstance(data, dict) or path[0] not in data:
        return data
    new = changed(data[path[0]], path[1:], change) if len(path) > 1 else change(data[path[0]])
    return {key: new if key == path[0] else value for key, value in data.items() if key != path[0] or new is not None}


def another(value: Any) -> Any:
    """Another value of the kind, for keys whose default the example shows."""
    match value:
        case bool():
            return not value
        case int():
            return value + 1
        case list():
            return [*value, "x"]
        case _:
            return OTHER.get(value, "x")


OTHER = {"keep": "delete", "replace": "hold", "published": "build"}
OTHER |= dict.fromkeys(("https://api.opensuse.org", "https://packagecloud.io"), "https://example.org")


def test_every_key_is_read(tmp_path: Path) -> None:
    """Without it, or with another value, the config is another one."""
    schema, data = schemas.load("config"), yaml.safe_load((EXAMPLES / "pkgsync.yaml").read_text())

    def loaded(data: Any) -> str:
        path = tmp_path / "pkgsync.yaml"
        path.write_text(yaml.safe_dump(data, sort_keys=False))
        try:
            config = load(path, ENVIRONMENT)
        except ConfigError as error:
            return error.message
        return f"{config} {config.secrets.packagecloud_token}"

    whole = loaded(data)
    changes: tuple[Callable[[Any], Any], ...] = (lambda value: None, another)
    keys = set(keys_of(schema, schema))
    leaves = sorted(keys - {key[:-1] for key in keys})
    unread = [k for k in leaves if all(loaded(changed(data, k, c)) == whole for c in changes)]
    assert unread == [], "pkgsync/config/build.py does not read it"


def test_the_schema_is_sound_and_describes_every_key() -> None:
    schema = schemas.load("config")
    Draft202012Validator.check_schema(schema)
    parts = [schema, schema["$defs"]["kata-pkgsync"]]
    undescribed = []
    while parts:
        part = resolved(schema, parts.pop())
        for key, inner in part.get("properties", {}).items():
            if not resolved(schema, inner).get("description"):
                undescribed.append(key)
            parts.append(inner)
        parts += [inner for key in ("items", "additionalProperties") if isinstance(inner := part.get(key), dict)]
    assert undescribed == []


def test_the_predecessors_example() -> None:
    config = load(EXAMPLES / "kata-pkgsync.yaml", ENVIRONMENT)
    assert config.legacy
    assert [project.name for project in config.obs.projects] == [
        "home:katacontainers:releases:x86_64:master",
        "home:katacontainers:releases:x86_64:stable-1.6",
        "home:katacontainers:releases:aarch64:master",
        "home:katacontainers:releases:aarch64:stable-1.6",
    ]
    assert config.packagecloud.repository == "katacontainers/testing"
    assert config.obs.projects[0].target("CentOS_7") is None
    assert len(config.warnings) == 1
    assert "version: 1\n" in config.warnings[0]
