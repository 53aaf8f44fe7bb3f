"""What a plan takes away, told once for all files of one package that go for the same reason."""

from collections.abc import Collection, Iterable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from pkgsync.model import Archiving, Evidence, Plan, Removal
from pkgsync.reasons import Reason
from pkgsync.report import causes, units, words
from pkgsync.report.changes import Change, ChangeKind, changes, few


class Leaving(Struct, frozen=True):
    """Removals that end alike for one reason: of one change, or of several that leave nothing.

    ``fate`` and ``reason`` are for people, and not escaped yet.
    """

    changes: tuple[Change, ...]
    fate: str
    reason: str
    removals: tuple[Removal, ...]

    def title(self, arrow: str = "→") -> str:
        """``hello-tool 1.2 → 1.3``, ``5 packages gone``, ``5 packages taken away``."""
        if len(self.changes) == 1:
            return self.changes[0].title(arrow)
        return f"{len(self.changes)} packages {'gone' if self.changes[0].kind is ChangeKind.GONE else 'taken away'}"

    @property
    def why(self) -> str:
        return "; ".join(filter(None, (self.fate, self.reason, _uploaded(self.removals))))


def leaving(plan: Plan) -> tuple[Leaving, ...]:
    """All deletions and archivings, in the order of the changes."""
    groups: dict[tuple[str, ...], Leaving] = {}
    for part in (part for change in changes(plan) for part in _split(plan, change)):
        alone = "" if part.changes[0].is_loss else part.title()
        same = (alone, part.fate, part.reason)
        if before := groups.get(same):
            part = replace(part, changes=before.changes + part.changes, removals=before.removals + part.removals)
        groups[same] = part
    return tuple(groups.values())


def _split(plan: Plan, change: Change) -> Iterable[Leaving]:
    by_fate: dict[str, list[Removal]] = {}
    for removal in change.removals:
        by_fate.setdefault(_fate(plan, removal), []).append(removal)
    for fate, removals in by_fate.items():
        yield Leaving((change,), fate, _reason([removal.evidence for removal in removals]), tuple(removals))


def _fate(plan: Plan, removal: Removal) -> str:
    """Where the content is found afterwards, and whose change it is."""
    return "; ".join(filter(None, (_kept(removal), *causes.mark(plan, (removal,)))))


def _kept(removal: Removal) -> str:
    if isinstance(removal, Archiving):
        return f"archived to {removal.archive_to}"
    return f"{removal.archive} holds the same file" if removal.archive else ""


def _reason(proofs: Sequence[Evidence]) -> str:
    newer = sorted({by.version for proof in proofs if (by := proof.superseded_by)})
    if newer:
        # the architecture that stands behind the package differs from file to file
        states = sorted(
            {f"{by.package.partition(' (')[0]}: {by.code}" for proof in proofs if (by := proof.superseded_by)}
        )
        return f"OBS offers {few(newer)} ({few(states)})"
    if proofs[0].kind == Reason.GONE.value:
        where = sorted({f"{read.project}/{read.repository}" for proof in proofs for read in proof.repositories})
        return f"no longer offered by {few(where)}, where the files of {words.all_packages(proofs)} are known"
    algorithm, _, digest = (proofs[0].receipt or "").rpartition(":")
    return f"undo of {algorithm}:{units.short(digest)}"


def _uploaded(removals: Collection[Removal]) -> str:
    """``uploaded 2025-11-01 to 2025-11-05 by ci``."""
    days = sorted({units.day(removal.created_at) for removal in removals if removal.created_at})
    if not days:
        return ""
    when = days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"
    people = sorted({removal.uploader for removal in removals if removal.uploader})
    return f"uploaded {when} by {few(people)}" if people else f"uploaded {when}"
