"""Markdown sections that can be cut to the room there is, and say so."""

from collections.abc import Sequence

from msgspec import Struct

from pkgsync.report import units


def length(text: str) -> int:
    """The characters as a server counts them that keeps UTF-16; never less than Python's own count."""
    # surrogatepass: half a pair in a name must not end the report
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


class Section(Struct, frozen=True, kw_only=True):
    """A title and rows: of a table where ``head`` gives its columns, of a diff block where ``diff`` is set, or a list.

    ``rank`` says who gets room first (0), ``folded`` hides the rows behind a click.
    """

    title: str
    rows: Sequence[str]
    head: str = ""
    diff: bool = False
    folded: bool = False
    rank: int = 0

    @property
    def whole_length(self) -> int:
        return length(self.render(len(self.rows)))

    @property
    def least_length(self) -> int:
        """The room that is needed even when all rows are cut."""
        return length(self.render(0)) + length(self._block([""]))

    def fitted(self, room: int) -> str:
        """The section with as many rows as fit ``room`` characters, but always its title."""
        if self.whole_length <= room:
            return self.render(len(self.rows))
        shown, left = 0, room - self.least_length
        while shown < len(self.rows) and (left := left - length(self.rows[shown]) - 1) >= 0:
            shown += 1
        return self.render(shown)

    def render(self, shown: int) -> str:
        """The section with its first ``shown`` rows."""
        cut = len(self.rows) - shown
        parts = [f"<details><summary><b>{self.title}</b></summary>" if self.folded else f"### {self.title}"]
        if shown:
            parts.append(self._block(self.rows[:shown]))
        if cut:
            parts.append(
                f"**{units.plural(cut, 'row')} of {len(self.rows)} cut here for want of room: see the plan file.**"
            )
        if self.folded:
            parts.append("</details>")
        return "\n\n".join(parts)

    def _block(self, rows: Sequence[str]) -> str:
        if self.diff:
            return "\n".join(["```diff", *rows, "```"])
        if self.head:
            rule = "|".join("---" for _ in self.head.strip("|").split("|"))
            return "\n".join([self.head, f"|{rule}|", *rows])
        return "\n".join(f"- {row}" for row in rows)


def laid_out(before: str, sections: Sequence[Section], after: str, limit: int) -> str:
    """Everything in its order, in at most ``limit`` characters: the sections share what the rest leaves, by rank."""
    room = limit - length(before) - length(after) - sum(s.least_length + 2 for s in sections) - 4
    texts: dict[int, str] = {}
    for place, section in sorted(enumerate(sections), key=lambda item: item[1].rank):
        texts[place] = section.fitted(room + section.least_length)
        room -= max(0, length(texts[place]) - section.least_length)
    return "\n\n".join([before, *(texts[place] for place in range(len(sections))), after]) + "\n"
