"""An audit as one HTML page that needs nothing else: sortable, readable on a phone, in light and dark.

Its policy allows just this style and this script, by their sums: whatever got into the page would still not run.
"""

import base64
import hashlib
from collections.abc import Iterable, Sequence
from html import escape

from pkgsync.model import Audit, Orphan
from pkgsync.report.escape import visible
from pkgsync.report.holds import holds
from pkgsync.report.orphans import Column, columns, headline, totals

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8881; --quiet: #666; --red: #b3261e; --blue: #1a5fb4;
  --amber: #8a5a00; font: 15px/1.45 system-ui, sans-serif; }
@media (prefers-color-scheme: dark) { :root { --quiet: #aaa; --red: #ff8a80; --blue: #8ab4f8; --amber: #fdd663; } }
body { margin: 0 auto; padding: 1rem; max-width: 100rem; }
h1 { font-size: 1.4rem; margin: 0 0 .5rem; overflow-wrap: anywhere; }
h2 { font-size: 1.1rem; margin: 1.5rem 0 .5rem; }
.lead { font-weight: 600; }
p, li { margin: .25rem 0; overflow-wrap: anywhere; }
.quiet { color: var(--quiet); }
table { border-collapse: collapse; width: 100%; margin-top: 1rem; }
th, td { border-bottom: 1px solid var(--line); padding: .35rem .5rem; text-align: left; vertical-align: top; }
td { overflow-wrap: anywhere; }
td.number, th.number { text-align: right; }
.short, .number, .delete, .archive, .held, .keep { white-space: nowrap; }
thead th { position: sticky; top: 0; background: Canvas; padding: 0; }
button { all: unset; box-sizing: border-box; cursor: pointer; font-weight: 600; padding: .35rem .5rem; width: 100%; }
button:hover { background: var(--soft); }
button:focus-visible { outline: 2px solid var(--blue); outline-offset: -2px; }
th[aria-sort=ascending] button::after { content: " \\2191"; }
th[aria-sort=descending] button::after { content: " \\2193"; }
tbody tr:hover { background: var(--soft); }
.delete { color: var(--red); font-weight: 600; }
.archive { color: var(--blue); font-weight: 600; }
.held { color: var(--amber); font-weight: 600; }
@media (max-width: 56rem) {
  table, tbody, tr, td { display: block; }
  thead tr { display: flex; flex-wrap: wrap; gap: .35rem; }
  thead th { display: block; position: static; border: 1px solid var(--line); border-radius: .3rem; }
  tbody tr { border: 1px solid var(--line); border-radius: .3rem; margin: .6rem 0; padding: .3rem .6rem; }
  td, td.number { border: 0; padding: .1rem 0 .1rem 6.5rem; text-align: left; position: relative; min-height: 1.45em; }
  td::before { content: attr(data-head); position: absolute; left: 0; color: var(--quiet); font-weight: normal; }
}
"""

_SCRIPT = """
const order = new Intl.Collator("en", { numeric: true });
const body = document.querySelector("tbody");
document.querySelectorAll("th").forEach((head, column) => head.addEventListener("click", () => {
  const turn = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
  const key = row => row.cells[column].dataset.key ?? row.cells[column].textContent;
  const unknown = row => key(row) === "";
  const rows = [...body.rows].sort((a, b) => unknown(a) - unknown(b) || turn * order.compare(key(a), key(b)));
  document.querySelectorAll("th").forEach(other => other.removeAttribute("aria-sort"));
  head.setAttribute("aria-sort", turn > 0 ? "ascending" : "descending");
  body.append(...rows);
}));
"""


def _sum(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


_POLICY = (
    f"default-src 'none'; style-src {_sum(_STYLE)}; script-src {_sum(_SCRIPT)}; base-uri 'none'; form-action 'none'"
)


def audit_html(audit: Audit) -> str:
    """The audit as a page, with a newline at the end."""
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="referrer" content="no-referrer">',
            f"<title>pkgsync audit: {_text(audit.repository)}</title>",
            f"<style>{_STYLE}</style></head><body>",
            f"<h1>pkgsync audit: {_text(audit.repository)}</h1>",
            f'<p class="lead">{_text(headline(audit))}</p>',
            *(f"<p>{_text(line)}</p>" for line in totals(audit)),
            *_list("Not settled in OBS", [hold.told for hold in holds(audit.repositories)]),
            *_list("Warnings", audit.warnings),
            *_table(audit),
            f'<p class="quiet">Made {_text(audit.created_at)}.</p>',
            "</body></html>\n",
        ]
    )


def _text(text: str) -> str:
    """Foreign text for any place of the page, attributes in double quotes included."""
    return escape(visible(text), quote=True)


def _list(title: str, lines: Sequence[str]) -> Iterable[str]:
    if lines:
        yield f"<h2>{title}</h2><ul>"
        yield from (f"<li>{_text(line)}</li>" for line in lines)
        yield "</ul>"


def _table(audit: Audit) -> Iterable[str]:
    if not audit.orphans:
        return
    shown = [Column(head="Distribution", text=_distribution, key=_distribution), *columns(audit)]
    yield "<table><thead><tr>"
    for column in shown:
        kind = ' class="number"' if column.number else ""
        yield f'<th scope="col"{kind}><button type="button">{column.head}</button></th>'
    yield "</tr></thead><tbody>"
    yield from (f"<tr>{''.join(_cell(column, orphan) for column in shown)}</tr>" for orphan in audit.orphans)
    yield f"</tbody></table><script>{_SCRIPT}</script>"


def _distribution(orphan: Orphan) -> str:
    return orphan.row.distribution


_SHORT = ("Distribution", "Arch", "Uploaded")


def _cell(column: Column, orphan: Orphan) -> str:
    text, key = column.text(orphan), column.key(orphan)
    kind = "number" if column.number else "short" if column.head in _SHORT else ""
    kind = orphan.fate if column.head == "Fate" else kind
    name = f' class="{kind}"' if kind else ""
    sorted_by = f' data-key="{_text(key)}"' if key != text else ""
    return f'<td{name}{sorted_by} data-head="{column.head}">{_text(text)}</td>'
