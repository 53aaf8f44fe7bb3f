"""The code blocks of the README and of pkgsync/docs, and the pkgsync commands in them.

How a block is marked says what the tests do with it: `sh` and `console` are run, page by page, in the world of the demo
(`console`: each command after `$ `, below it what it prints, `...` for what is left out); with a second word,
`elsewhere`, they are not run, as they need a place that no test has, and only their pkgsync commands are checked.
`yaml` is a config or a part of one; `yaml elsewhere` is another program's.
"""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

from attrs import frozen

ROOT = Path(__file__).parents[3]
PAGES = {path.stem: path for path in (ROOT / "README.md", *sorted((ROOT / "pkgsync/docs").glob("*.md")))}
_FENCED = re.compile(r"^( *)```(\w+)?( elsewhere)?\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`([^`]*pkgsync [^`]+)`")
_OPERATORS = frozenset("();<>|&\n")


@frozen
class Block:
    language: str
    elsewhere: bool
    text: str


def blocks(page: str) -> list[Block]:
    return [
        Block(language, bool(elsewhere), re.sub(f"^{indent}", "", text, flags=re.MULTILINE))
        for indent, language, elsewhere, text in _FENCED.findall(PAGES[page].read_text())
    ]


def dialogue(block: Block) -> list[tuple[str, str]]:
    """The commands of a console block, each with what is said that it prints."""
    return [
        (part.partition("\n")[0], part.partition("\n")[2])
        for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]
    ]


def invocations(page: str) -> Iterator[list[str]]:
    """The words after `pkgsync` of every command of ours on the page, in blocks and in the text."""
    text = _FENCED.sub("", PAGES[page].read_text())
    shell = [command for command in _INLINE.findall(text) if "\n" not in command]
    for block in blocks(page):
        if block.language == "sh":
            shell.append(block.text)
        elif block.language == "console":
            shell += [command for command, _ in dialogue(block)]
    for script in shell:
        yield from _ours(script)


def _ours(script: str) -> Iterator[list[str]]:
    text = re.sub(r"(^|\s)#.*", "", script.replace("\\\n", " "))
    lexer = shlex.shlex(text, posix=True, punctuation_chars="();<>|&\n")
    lexer.whitespace = " \t"
    words: list[str] = []
    for word in [*lexer, ";"]:
        if not _OPERATORS.issuperset(word):
            words.append(word)
            continue
        if words and Path(words[0]).name == "pkgsync":
            yield words[1:]
        words = []
