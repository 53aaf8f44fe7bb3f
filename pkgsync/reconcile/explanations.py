"""Why one file is treated as it is: told by the decisions of a run and the checks that took them."""

from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches

from msgspec import Struct
from msgspec.structs import replace

from pkgsync.model import (
    SYNCED_TYPES,
    ActualState,
    Answer,
    DesiredState,
    Explanation,
    Flip,
    LimitExceeded,
    Orphan,
    Overrides,
    Policy,
    Repository,
    Row,
    Shadowed,
    Step,
)
from pkgsync.model.explained import Fortune
from pkgsync.model.filename import parse
from pkgsync.reasons import Reason
from pkgsync.reconcile import orphans, transfers
from pkgsync.reconcile.architectures import wanted_architecture
from pkgsync.reconcile.decisions import DistributionDecisions, Reconciliation
from pkgsync.reconcile.filters import FileFilter, FilterKey, Globs, literal
from pkgsync.reconcile.identity import architecture_of, class_in
from pkgsync.reconcile.offers import Offer, left_out_by
from pkgsync.reconcile.stops import Stop, adding, removing, setting, world

_NEAR = 5


def explain(
    decided: Reconciliation,
    desired: DesiredState,
    actual: ActualState,
    policy: Policy,
    overrides: Overrides,
    query: str,
) -> Answer:
    """The explanation of a package key, or of each key with that file name or package name; else the near ones."""
    known = dict(_known(decided, actual))
    keys = [query] if query in known else _asked(known, query)
    teller = _Teller(
        decided={d.name: d for d in decided.distributions},
        desired=desired,
        rows={row.key: row for row in actual.rows},
        policy=policy,
        exceeded=decided.exceeded(policy, overrides),
    )
    # what OBS calls otherwise than Packagecloud is one file
    found = {told.key: told for told in (teller.tell(*_parts(key)) for key in sorted(keys))}
    return Answer(query=query, explanations=tuple(found.values()), near=() if found else _near(known, query))


def _known(decided: Reconciliation, actual: ActualState) -> Iterator[tuple[str, str]]:
    """Every key that either world knows, with the package's name; of what is only built the file name tells it."""
    for distribution in decided.distributions:
        offered, prefix = distribution.offered, distribution.name
        built = (*offered.built.names, *(shadowed.filename for shadowed in distribution.shadowed))
        yield from ((f"{prefix}/{name}", p.name if (p := parse(name)) else "") for name in built)
        offers = (*offered.listed, *offered.offers.values())
        yield from ((f"{prefix}/{name}", o.file.name) for o in offers for name in (o.filename, o.file.filename))
    yield from ((row.key, row.name) for row in actual.rows)


def _asked(known: dict[str, str], query: str) -> list[str]:
    return [key for key in known if _parts(key)[1] == query] or [key for key, name in known.items() if name == query]


def _near(known: dict[str, str], query: str) -> tuple[str, ...]:
    """The package names that are like it; for a file, the keys of those packages that are like it."""
    parsed = parse(_parts(query)[1])
    name = parsed.name if parsed else query
    names = {*known.values()} - {""}
    close = [name] if name in names else get_close_matches(name, sorted(names), _NEAR)
    if parsed is None:
        return tuple(close)
    return tuple(get_close_matches(query, sorted(key for key in known if known[key] in close), _NEAR, 0.3))


def _parts(key: str) -> tuple[str, str]:
    distribution, _, filename = key.rpartition("/")
    return distribution, filename


class _Teller(Struct, frozen=True, kw_only=True):
    """Both worlds and what was decided: ``decided`` by distribution, ``rows`` by package key."""

    decided: dict[str, DistributionDecisions]
    desired: DesiredState
    rows: dict[str, Row]
    policy: Policy
    exceeded: Sequence[LimitExceeded]

    def tell(self, distribution: str, filename: str) -> Explanation:
        decided, row = self.decided.get(distribution), self.rows.get(f"{distribution}/{filename}")
        if decided is None:
            return _unmanaged(distribution, filename)
        offer = decided.offered.offers.get(filename)
        if offer is not None:
            return self._offer(decided, offer)
        if row is None:
            return self._absent(decided, filename)
        if row.type not in SYNCED_TYPES:
            words = f"packages of type {row.type} are never touched"
            return _told(row.distribution, filename, "unmanaged", words, [Step("managed", False, words)])
        return self._row(decided, row)

    # what OBS publishes

    def _offer(self, decided: DistributionDecisions, offer: Offer) -> Explanation:
        row = decided.facts.rows.get(offer.filename)
        steps = [
            _managed(decided),
            Step("obs", True, _published(offer)),
            *(_shadow(s) for s in decided.shadowed if s.by == offer.source),
            Step("filters", True, "no filter leaves it out"),
            Step("packagecloud", True, _held_row(row) if row else "it is not there"),
            *_steps(transfers.way(decided.offered, offer, row, self.policy)),
        ]
        fortune, reason, message, flip = self._outcome(decided, offer)
        return _told(decided.name, offer.filename, fortune, message, steps, reason, flip)

    def _outcome(self, decided: DistributionDecisions, offer: Offer) -> tuple[Fortune, Reason | None, str, Flip | None]:
        name = offer.filename
        if any(upload.filename == name for upload in decided.uploads):
            leave = adding("To leave it out", "exclude", values=[literal(offer.file.filename)])
            return "upload", Reason.MISSING, _sentence(Reason.MISSING), leave
        if any(replacement.filename == name for replacement in decided.replacements):
            hold = setting("To keep the old file", "rebuilds", value="hold")
            return "replace", Reason.REBUILT, _sentence(Reason.REBUILT), hold
        held = next((h for h in decided.held if h.filename == name), None)
        if held is None:
            return "unchanged", None, "Packagecloud holds what OBS publishes", None
        row = decided.facts.rows.get(name)
        found = (found for _, found in transfers.way(decided.offered, offer, row, self.policy))
        stop = next(found for found in found if isinstance(found, Stop))
        return "held", held.reason, held.message, stop.flip

    # what OBS does not publish, or not for us

    def _row(self, decided: DistributionDecisions, row: Row) -> Explanation:
        steps = [_managed(decided), Step("packagecloud", True, _held_row(row))]
        if row.filename in decided.renamed:
            same = _same_content(decided, row)
            return _told(row.distribution, row.filename, "unchanged", same.said, [*steps, same])
        if left_out := self._filter_of(decided, row):
            return _filtered(row.distribution, row.filename, steps, left_out)
        steps += [
            Step("filters", True, "no filter leaves it alone"),
            Step("obs", True, "no published index lists it: it is an orphan"),
            *_steps(orphans.way(row, decided.facts)),
        ]
        orphan = next(o for o in decided.orphans if o.row is row)
        if orphan.goes or orphan.reason is Reason.NEEDED_BY:
            steps.append(self._needed(orphan))
        told = _told(row.distribution, row.filename, orphan.fate, orphan.message, steps, orphan.reason, orphan.flip)
        return self._within_limits(told) if orphan.fate in ("delete", "archive") else told

    def _needed(self, orphan: Orphan) -> Step:
        """Asked when all others are judged."""
        if not self.policy.limits.installable:
            return Step("needs", True, "`limits.installable` is not set")
        return Step("needs", orphan.goes, "nothing that stays needs it alone" if orphan.goes else orphan.message)

    def _within_limits(self, told: Explanation) -> Explanation:
        """The file may go, if the plan that holds it may."""
        over = next((limit for limit in self.exceeded if limit.distribution == told.distribution), None)
        if over is None:
            keep = adding("To keep it", "orphans", "protect", values=[literal(told.filename)])
            return replace(told, steps=(*told.steps, Step("limits", True, "no limit is exceeded")), flip=keep)
        return replace(
            told,
            message=f"{told.message}; but the plan is refused, as it exceeds a limit",
            steps=(*told.steps, Step("limits", False, over.message)),
            flip=Flip(f"If that is right, plan with `{over.override}`"),
        )

    def _filter_of(self, decided: DistributionDecisions, row: Row) -> "_LeftOut | None":
        filters, offered = FileFilter(self.policy), decided.offered
        kind = class_in(row)
        if key := filters.left_out_by(row.filename, kind):
            return self._left_out(key, row.filename, kind)
        left_out = offered.leaves_out(row)
        if isinstance(left_out, Offer):
            return self._left_out_offer(left_out)
        if not left_out:
            return None
        filtering = next(r for r in offered.repositories if r.filter_architectures is not None)
        return self._left_out(left_out, row.filename, kind, filtering, architecture_of(row))

    def _left_out_offer(self, offer: Offer) -> "_LeftOut":
        file = offer.file
        key = left_out_by(offer, FileFilter(self.policy))
        return self._left_out(key, file.filename, file.file_class, offer.repository, file.architecture)

    def _left_out(
        self, key: FilterKey, filename: str, kind: str, repository: Repository | None = None, architecture: str = ""
    ) -> "_LeftOut":
        project, sync = repository.project if repository else "", "To sync it"
        match key:
            case "include_classes" if kind in ("debug", "source"):
                flip = adding(sync, key, values=[kind])
                return _LeftOut(f"it is of class {kind}, which `include_classes` does not name", flip)
            case "include_classes":
                return _LeftOut(f"it is of class {kind}, which is never synced", None)
            case "include":
                return _LeftOut("no glob of `include` matches", adding(sync, key, values=[literal(filename)]))
            case "exclude":
                globs = Globs(self.policy.exclude).matching(filename)
                return _LeftOut("a glob of `exclude` matches", removing(f"{sync}, take this out of", key, values=globs))
            case "architectures":
                assert repository is not None
                flip = adding(sync, key, values=[_scheduler(repository, architecture)], project=project)
                return _LeftOut(f"`architectures` of {project} leaves {architecture} out", flip)
            case "repositories":
                assert repository is not None
                flip = adding(sync, key, values=[literal(repository.name)], project=project)
                return _LeftOut(f"`repositories` of {project} leaves {repository.name} out", flip)
            case _:
                raise TypeError(key)

    def _absent(self, decided: DistributionDecisions, filename: str) -> Explanation:
        """What Packagecloud does not hold, and no offer has as its name there."""
        offered, steps = decided.offered, [_managed(decided), Step("packagecloud", True, "it is not there")]
        offer = offered.find(filename)
        if offer is not None and offer.filename in offered.offers:
            words = f"{_published(offer)}; Packagecloud calls it {offer.filename}"
            told = self._offer(decided, offer)
            return replace(told, steps=(told.steps[0], Step("name", True, words), *told.steps[1:]))
        if offer is not None:
            steps.append(Step("obs", True, _published(offer)))
            return _filtered(decided.name, filename, steps, self._left_out_offer(offer))
        if lost := next((s for s in decided.shadowed if s.filename == filename), None):
            step = _shadow(lost)
            flip = Flip(
                f"To take this one, let {lost.source.project}/{lost.source.repository} come first in the config"
            )
            return _told(
                decided.name, filename, "shadowed", step.said, [*steps, replace(step, passed=False)], flip=flip
            )
        return self._only_built(decided, filename, steps)

    def _only_built(self, decided: DistributionDecisions, filename: str, steps: list[Step]) -> Explanation:
        who = decided.offered.built.names[filename]
        repository = next(r for r in self.desired.repositories if who.startswith(f"{r.id} ("))
        if repository.skipped:
            words = f"{who} has built it, but the config maps {repository.name} to null"
            flip: Flip | None = setting("To sync it", "distributions", repository.name, value=decided.name)
        elif repository.filtered:
            return _filtered(decided.name, filename, steps, self._left_out("repositories", filename, "", repository))
        elif repository.index is None and (problem := decided.offered.unread()) is not None:
            words = f"{who} has built it, but what is published there is not known: {problem.message}"
            flip = Stop.by(problem, decided.name).flip
        else:
            words = f"{who} has built it, but no published index lists it"
            flip = world("It comes when OBS has published it", "published", filename)
        return _told(decided.name, filename, "absent", words, [*steps, Step("obs", False, words)], flip=flip)


class _LeftOut(Struct, frozen=True):
    """A filter of the config in words, and its change."""

    words: str
    flip: Flip | None


def _told(
    distribution: str,
    filename: str,
    fortune: Fortune,
    message: str,
    steps: Iterable[Step],
    reason: Reason | None = None,
    flip: Flip | None = None,
) -> Explanation:
    return Explanation(
        distribution=distribution,
        filename=filename,
        fortune=fortune,
        message=message,
        steps=tuple(steps),
        reason=reason,
        flip=flip,
    )


def _unmanaged(distribution: str, filename: str) -> Explanation:
    words = f"the config maps no OBS repository to {distribution}"
    flip = setting("To let pkgsync manage it", "distributions", "OBS_REPOSITORY", value=distribution)
    return _told(distribution, filename, "unmanaged", words, [Step("managed", False, words)], flip=flip)


def _filtered(distribution: str, filename: str, steps: Iterable[Step], left_out: _LeftOut) -> Explanation:
    step = Step("filters", False, left_out.words)
    return _told(distribution, filename, "filtered", left_out.words, [*steps, step], flip=left_out.flip)


def _managed(decided: DistributionDecisions) -> Step:
    feeding = ", ".join(map(_read, decided.offered.repositories)) or "nothing that was read"
    return Step("managed", True, f"fed by {feeding}")


def _read(repository: Repository) -> str:
    states = [f"{a.name} {a.code}" for a in sorted(repository.architectures, key=lambda a: a.name)]
    index = f"index {repository.index.top_sha256[:12]}" if repository.index else "no index"
    return f"{repository.id} ({', '.join([*states, index])})"


def _published(offer: Offer) -> str:
    file = offer.file
    also = "".join(f", {s.project}/{s.repository} too" for s in offer.also)
    return (
        f"{offer.repository.id} publishes it{also}: {file.name} {file.version} for {file.architecture}, "
        f"sha256 {file.sha256[:12]}"
    )


def _held_row(row: Row) -> str:
    by = f" by {row.uploader}" if row.uploader else ""
    content = f"sha256 {row.sha256[:12]}" if row.sha256 else "its checksum is not told"
    return f"uploaded {row.created_at or '?'}{by}, {content}"


def _same_content(decided: DistributionDecisions, row: Row) -> Step:
    how = "which the filters leave out" if row.filename in decided.offered.left_out else "as another file"
    return Step("obs", True, f"OBS publishes the same content, {how}")


def _shadow(shadowed: Shadowed) -> Step:
    source, by = shadowed.source, shadowed.by
    words = f"{source.project}/{source.repository} publishes {shadowed.filename} with other content; "
    return Step("shadowed", True, f"{words}{by.project}/{by.repository} has the place")


def _steps(way: Iterable[tuple[str, Stop | str]]) -> Iterator[Step]:
    for name, found in way:
        yield Step(name, False, found.told) if isinstance(found, Stop) else Step(name, True, found)


def _sentence(reason: Reason) -> str:
    return reason.meaning.removesuffix(".")


def _scheduler(repository: Repository, architecture: str) -> str:
    """The scheduler architecture, as the config has it, that lets packages of this one pass."""
    names = (a.name for a in repository.architectures if wanted_architecture(architecture, (a.name,), ()))
    return next(names, architecture)
