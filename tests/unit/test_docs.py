"""The README and the pages of `pkgsync help`: what they say of commands, keys and codes is what the code has."""

import re
import tomllib
from pathlib import Path

import click
import pytest
import yaml

from pkgsync.cli import manual
from pkgsync.cli.main import cli
from pkgsync.config import load, managed_distributions
from pkgsync.errors import ExitCode
from tests.support.values.docs_blocks import PAGES, ROOT, blocks, invocations
from tests.tools import write_docs

TOPICS = sorted(PAGES.keys() - {"README"})
LINK = re.compile(r"\]\(([^)#\s]+)[^)]*\)|^\[[^]]+\]: (\S+)$|src=\"([^\"]+)\"", re.MULTILINE)


@pytest.mark.parametrize("topic", write_docs.PARTS)
def test_what_the_code_states_is_up_to_date(topic: str) -> None:
    fresh = PAGES[topic].read_text() == write_docs.renewed(topic)
    assert fresh, "run `.venv/bin/python -m tests.tools.write_docs`"


def test_every_exit_code_is_told() -> None:
    told = [int(code) for code in re.findall(r"^- `(\d+)`: ", PAGES["exit-codes"].read_text(), re.MULTILINE)]
    assert told == [*ExitCode] == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 64, 129, 130, 143]


@pytest.mark.parametrize("page", PAGES)
def test_every_command_exists_with_its_options(page: str) -> None:
    for words in invocations(page):
        assert _unknown(words) == [], words


def _unknown(words: list[str]) -> list[str]:
    """What of a command line pkgsync does not know. Placeholders in capitals are any value."""
    context = click.Context(cli)
    options = {name: option for option in cli.params for name in (*option.opts, *option.secondary_opts)}
    unknown = []
    while words and not words[0].startswith("-") and isinstance(context.command, click.Group):
        command = context.command.get_command(context, words[0])
        if command is None:
            return [words[0]]
        context, words = click.Context(command, parent=context), words[1:]
        options |= {name: option for option in command.params for name in (*option.opts, *option.secondary_opts)}
    for place, word in enumerate(words):
        name = word.strip("[]").partition("=")[0]
        if not name.startswith("-"):
            continue
        if name not in options | {"-h": None, "--help": None}:
            unknown.append(name)
        elif isinstance(choice := getattr(options.get(name), "type", None), click.Choice):
            value = words[place + 1]
            unknown += [value] if value not in choice.choices and not value.isupper() else []
    return unknown


@pytest.mark.parametrize("page", PAGES)
def test_every_config_is_valid_and_every_part_of_one(page: str, tmp_path: Path) -> None:
    path = tmp_path / "pkgsync.yaml"
    for block in blocks(page):
        if block.language == "yaml" and not block.elsewhere:
            part = yaml.safe_load(block.text)
            path.write_text(block.text if "version" in part else yaml.safe_dump(_config() | part))
            assert load(path, {}).warnings == ()


def _config() -> dict[str, object]:
    minimal: dict[str, object] = yaml.safe_load((ROOT / "examples/minimal.yaml").read_text())
    return minimal


def test_the_first_config_of_the_readme(tmp_path: Path) -> None:
    path = tmp_path / "pkgsync.yaml"
    path.write_text(next(block.text for block in blocks("README") if block.language == "yaml"))
    assert managed_distributions(load(path, {})) == ("opensuse/15.6", "ubuntu/jammy")


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    for match in LINK.finditer(PAGES[page].read_text()):
        target = next(filter(None, match.groups()))
        assert target.startswith("https://") or (PAGES[page].parent / target).exists(), target


def test_the_readmes_links_work_on_pypi() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    place = project["project"]["urls"]["Source"]
    text = PAGES["README"].read_text()
    for change in project["tool"]["hatch"]["metadata"]["hooks"]["fancy-pypi-readme"]["substitutions"]:
        text = re.sub(change["pattern"], change["replacement"], text)
    links = [next(filter(None, match.groups())) for match in LINK.finditer(text)]
    assert f"{place}/blob/HEAD/pkgsync/docs/start.md" in links
    assert [link for link in links if not link.startswith("https://")] == []
    urls = project["project"]["urls"].values()
    ours = [link for link in (*links, *urls) if link.startswith("https://github.com/")]
    assert [link for link in ours if not link.startswith(place)] == []


def test_the_readme_is_short() -> None:
    assert len(PAGES["README"].read_text().split()) <= 1500


@pytest.mark.parametrize("topic", TOPICS)
def test_a_page_reads_well_at_80_columns(topic: str) -> None:
    """A table would need more, and a link in the midst of a line is lost: pages have lists, and links at their end."""
    lines = manual.page(topic, str).splitlines()
    assert [line for line in lines if len(line) > 80] == []
    assert [line for line in lines if line.startswith(("|", "```", "<!--")) or "](" in line] == []
    linked = re.findall(r"^\[(\S+)\]: (?!https)(\S+)\.md$", PAGES[topic].read_text(), re.MULTILINE)
    assert [label for label, page in linked if label != page] == []
    prose = re.sub(
        r"^ *```.*?^ *```$|`[^`]*`|^\[\S+\]: .*", "", PAGES[topic].read_text(), flags=re.MULTILINE | re.DOTALL
    )
    assert set(re.findall(r"\[([^]]*)\]", prose)) == {label for label, _ in linked}
