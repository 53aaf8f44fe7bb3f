"""Cells of the fault matrix: worlds that change between two reads, and servers that are down."""

from collections.abc import Callable, Iterator
from threading import Event

from pkgsync.sandbox import PROJECT, REPOSITORY, Fault, Kind
from tests.support.faults.faultanswers import ANY
from tests.support.faults.faultcells import (
    HEALED,
    HELD,
    OBS_ROUTES,
    OTHER_INDEX,
    PAGE_1,
    PAGE_LAST,
    PAGE_N,
    REFUSED,
    RELEASE_2,
    REPOMD_2,
    RESULT_2,
    ROUTES,
    Cell,
    Route,
)  # fmt: skip
from tests.support.faults.faultmatrix import HEALTHY_KEYS, JAMMY, LEAP, LEAP_DIST, Stage, deb, rpm
from tests.support.faults.gate import Gate


def _offer_again(stage: Stage) -> None:
    """What was gone is built and published again."""
    obs = stage.sandbox.obs
    stage.sandbox.clock.advance(60)
    obs.finish(PROJECT, LEAP, "x86_64", "retired", [rpm("retired", "1.0"), rpm("hello", "1.1")])
    obs.finish(PROJECT, JAMMY, "x86_64", "retired", [deb("retired", "1.0"), deb("hello", "1.1")])
    obs.publish_all(PROJECT)


def _built_again(stage: Stage) -> None:
    """What was gone is built again, not yet published."""
    stage.sandbox.clock.advance(60)
    stage.sandbox.obs.finish(PROJECT, LEAP, "x86_64", "retired", [rpm("retired", "1.0")])
    stage.sandbox.obs.finish(PROJECT, JAMMY, "x86_64", "retired", [deb("retired", "1.0")])


def _content_back(stage: Stage) -> None:
    """OBS publishes the very content that Packagecloud holds."""
    obs = stage.sandbox.obs
    stage.sandbox.clock.advance(60)
    obs.finish(PROJECT, LEAP, "x86_64", "tool", [rpm("tool", "2.0", salt="old")])
    obs.finish(PROJECT, JAMMY, "x86_64", "tool", [deb("tool", "2.0", salt="old")])
    obs.publish_all(PROJECT)


def _half_published(stage: Stage) -> None:
    """The publisher has changed the files and not yet the indexes."""
    obs = stage.sandbox.obs
    _built_again(stage)
    for repository in (LEAP, JAMMY):
        for arch, state in obs.repository(PROJECT, repository).archs.items():
            obs.set_arch(PROJECT, repository, arch, "publishing", dirty=state.dirty)
        obs.publish_files(PROJECT, repository)


def _rebuilding(stage: Stage) -> None:
    stage.sandbox.obs.start_rebuild(PROJECT, LEAP, "x86_64", "hello")
    stage.sandbox.obs.start_rebuild(PROJECT, JAMMY, "x86_64", "hello")


def _backend_gone(stage: Stage) -> None:
    stage.sandbox.obs.repserver_down = True


def _repository_gone(stage: Stage) -> None:
    stage.sandbox.obs.projects[PROJECT].repositories.pop(LEAP, None)


def _project_gone(stage: Stage) -> None:
    stage.sandbox.obs.projects.pop(PROJECT, None)


EVENTS = (_offer_again, _built_again, _content_back, _half_published, _rebuilding, _backend_gone, _repository_gone, _project_gone)  # fmt: skip


def event_cells() -> Iterator[Cell]:
    """What comes after the last look at a project comes too late for a plan; so that look never comes first here."""
    for event in EVENTS:
        for route in OBS_ROUTES:

            def play(stage: Stage, event: Callable[[Stage], None] = event, route: Route = route) -> None:
                happened = Event()

                def happen() -> None:
                    event(stage)
                    happened.set()

                route.add(stage, Fault(kind=Kind.NOTHING, path=route.path, nth=route.nth, hook=happen))
                # these are read beside it
                if route in (REPOMD_2, RELEASE_2, OTHER_INDEX):
                    last = Fault(kind=Kind.NOTHING, path=RESULT_2.path, nth=2, hook=lambda: happened.wait(30))
                    RESULT_2.add(stage, last)

            yield Cell(f"before-{route.id}-{event.__name__.strip('_').replace('_', '-')}", play, ANY, alone=False)


def _row_added(stage: Stage) -> None:
    blob = rpm("late", "1.0").blob
    if stage.sandbox.packagecloud.find(REPOSITORY, LEAP_DIST, "late-1.0-1.x86_64.rpm") is None:
        stage.sandbox.packagecloud.add(REPOSITORY, LEAP_DIST, blob)


def _row_deleted(stage: Stage) -> None:
    world = stage.sandbox.packagecloud
    if world.find(REPOSITORY, LEAP_DIST, "hello-1.2-1.x86_64.rpm"):
        world.delete(REPOSITORY, LEAP_DIST, "hello-1.2-1.x86_64.rpm")


def _row_swapped(stage: Stage) -> None:
    """As many rows as before, but others, in other places."""
    _row_deleted(stage)
    _row_added(stage)


def _row_replaced(stage: Stage) -> None:
    world = stage.sandbox.packagecloud
    if world.find(REPOSITORY, LEAP_DIST, "hello-1.0-1.x86_64.rpm"):
        world.delete(REPOSITORY, LEAP_DIST, "hello-1.0-1.x86_64.rpm")
        world.add(REPOSITORY, LEAP_DIST, rpm("hello", "1.0", salt="new").blob)


def shifting_cells() -> Iterator[Cell]:
    for event in (_row_added, _row_deleted, _row_swapped, _row_replaced):
        for order in ("newest", "oldest"):
            for route in (PAGE_1, PAGE_N, PAGE_LAST):

                def play(
                    stage: Stage, event: Callable[[Stage], None] = event, route: Route = route, order: str = order
                ) -> None:
                    stage.sandbox.packagecloud.order = order  # type: ignore[assignment]
                    route.add(stage, Fault(kind=Kind.NOTHING, path=route.path, hook=lambda: event(stage)))

                yield Cell(
                    f"before-{route.id}-{event.__name__.strip('_').replace('_', '-')}-{order}", play, ANY, alone=False
                )

    def unstable(stage: Stage) -> None:
        stage.sandbox.packagecloud.order = "unstable"

    yield Cell("pages-in-another-order-each-time", unstable, {REFUSED}, HEALTHY_KEYS)


def refused_cells() -> Iterator[Cell]:
    for route in ROUTES:
        for comes_back in (True, False):

            def play(stage: Stage, route: Route = route, comes_back: bool = comes_back) -> None:
                gate: Gate = stage.shut_at(route.service)
                fault = Fault(kind=Kind.RESET, path=route.path, nth=route.nth, hook=gate.shut)
                route.add(stage, fault)
                if comes_back:
                    stage.pause = lambda seconds: gate.open()

            if comes_back:
                yield Cell(f"{route.id}-refused-once", play, {HEALED})
            else:
                yield Cell(f"{route.id}-refused-always", play, {HELD, REFUSED}, route.held, alone=False)


def cells() -> Iterator[Cell]:
    yield from event_cells()
    yield from shifting_cells()
    yield from refused_cells()
