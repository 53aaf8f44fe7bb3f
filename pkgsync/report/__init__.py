"""Plans, audits and receipts as people and programs read them: pure functions from a value to text.

Everything in a value may come from the network, so every renderer escapes for the place it writes to.
"""

from typing import TYPE_CHECKING

from pkgsync.lazy import lazily

if TYPE_CHECKING:
    from pkgsync.report.audit import audit_csv, audit_json, audit_markdown, audit_text
    from pkgsync.report.escape import visible
    from pkgsync.report.explain import explain_json, explain_text
    from pkgsync.report.gitlab import plan_gitlab
    from pkgsync.report.markdown import GITHUB_LIMIT, plan_markdown, plan_parts
    from pkgsync.report.pages import audit_html, plan_html, receipt_html
    from pkgsync.report.receipt import next_step, receipt_markdown, receipt_text, receipts_text
    from pkgsync.report.style import Style, labelled, wrapped
    from pkgsync.report.text import headline_text, plan_text
    from pkgsync.report.units import plural, size
    from pkgsync.report.verification import verification_json, verification_next, verification_text
    from pkgsync.report.words import after_failed_reads, exceeded, unsigned
else:
    __getattr__ = lazily(
        __name__, "units escape style words text markdown receipt gitlab explain audit verification pages"
    )

__all__ = [
    "GITHUB_LIMIT",
    "Style",
    "after_failed_reads",
    "audit_csv",
    "audit_html",
    "audit_json",
    "audit_markdown",
    "audit_text",
    "exceeded",
    "explain_json",
    "explain_text",
    "headline_text",
    "labelled",
    "next_step",
    "plan_gitlab",
    "plan_html",
    "plan_markdown",
    "plan_parts",
    "plan_text",
    "plural",
    "receipt_html",
    "receipt_markdown",
    "receipt_text",
    "receipts_text",
    "size",
    "unsigned",
    "verification_json",
    "verification_next",
    "verification_text",
    "visible",
    "wrapped",
]
