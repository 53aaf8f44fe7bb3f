"""The fast readers of OBS's documents beside slow and plain ones, over documents with anything put into them."""

from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from pkgsync.errors import IntegrityError
from pkgsync.formats import debian, rpmmd
from pkgsync.obs.results import parse_result
from tests.support.scope import examples
from tests.support.values import slowparsers
from tests.unit.test_formats_debian import STANZA
from tests.unit.test_formats_rpmmd import PACKAGE
from tests.unit.test_obs_results import FILES, GOOD, ONE, RESULT, result

Reader = Callable[[], object]
OPENING = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<metadata xmlns="http://linux.duke.edu/metadata/common" '
    'xmlns:rpm="http://linux.duke.edu/metadata/rpm" packages="{}">\n'
)
PRIMARY = (
    OPENING.format(3) + PACKAGE + PACKAGE.replace("hello", "other") + PACKAGE.replace("1.2", "1.3") + "</metadata>"
)
INSERTED = (
    "<format>", "</format>", "<format/>", "<format>x</format>", "<format a='1'>", "<formats>", "</package>", "<package>",
    "<location href='evil'/>", "<x>", "</x>", "<x/>", "<!--", "-->", "<![CDATA[", "]]>", "<?x", "?>", "<", ">", "&", "&#2;", "&amp;",
    "\0", "\xff", "\x1b", "'", '"', " ", "\n", "text", "<x xmlns='urn:x'>", "<rpm:x>", "</rpm:x>",
    "<binary filename='a' size='1' mtime='2'/>", "<binary filename='/' size='1' mtime='2'/>", "<binary>", "</binary>",
    "<details>", "</details>", "<details>why</details>", "<status package='q' code='failed'/>", "<binarylist package='q'/>",
    "<binarylist package='q'>", "</binarylist>", "<stats lastpublished='9'/>", "<result>", "</result>", 'dirty="true" ',
    "\n\n", " \n", "\n \x0c\n", "\r\n", "\t.\n", "\nSize: 1\n", "\nSIZE: 2\n", "\nOther: 2\n", ":", "\u2028", "\x0c", "\x85",
)  # fmt: skip


def outcome(read: Reader) -> object:
    try:
        return read()
    except IntegrityError:
        return "refused"


@st.composite
def damaged(draw: st.DrawFn, document: str) -> bytes:
    """The document with something put in, taken out or doubled, here and there; mostly at the edge of a tag."""
    data = document.encode()
    for _ in range(draw(st.integers(1, 3))):
        edges = [0, *(n for n, byte in enumerate(data) if byte in b"<\n")] + [
            n + 1 for n, byte in enumerate(data) if byte in b">:"
        ]
        first = draw(st.sampled_from(edges) | st.integers(0, len(data)))
        last = draw(st.just(first) | st.sampled_from(edges) | st.integers(first, min(first + 40, len(data))))
        start, end = sorted((first, last))
        more = draw(st.sampled_from((*(text.encode("latin-1", "ignore") for text in INSERTED), data[start:end] * 2)))
        data = data[:start] + more + data[end:]
    return data


@given(damaged(RESULT) | damaged(result(ONE.format("", FILES.format(GOOD))).decode()))
@settings(max_examples=examples(400))
def test_a_result_reads_as_its_tree_does(data: bytes) -> None:
    assert outcome(lambda: parse_result(data, "demo:release")) == outcome(
        lambda: slowparsers.result(data, "demo:release")
    )


@given(damaged(PRIMARY), st.integers(1, 3000))
@settings(max_examples=examples(400))
def test_a_primary_reads_as_its_tree_does(data: bytes, size: int) -> None:
    start = min(len(OPENING), len(data))
    pieces = [data[:start], *(data[n : n + size] for n in range(start, len(data), size))]
    assert outcome(lambda: list(rpmmd.parse_packages(pieces, "primary"))) == outcome(lambda: slowparsers.primary(data))


@given(damaged(STANZA + "\n" + STANZA), st.integers(1, 300))
@settings(max_examples=examples(400))
def test_packages_read_as_line_by_line(data: bytes, size: int) -> None:
    pieces = [data[n : n + size] for n in range(0, len(data), size)]
    assert outcome(lambda: list(debian.parse_packages(pieces, "Packages"))) == outcome(
        lambda: slowparsers.packages(data)
    )
