"""Both services of one run, behind their clients: connected with the right login, and read at the same time."""

from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from pkgsync import credentials, obs, packagecloud, reconcile
from pkgsync.cache import Backups, Cache
from pkgsync.config import Config, ObsProject, managed_distributions
from pkgsync.errors import AuthenticationError, ConfigError, MappingError, ReadError
from pkgsync.mapping import MapReader
from pkgsync.model import ActualState, DesiredState, Plan, Policy, Receipt, ReceiptLine, Row, Transfer
from pkgsync.model.served import ServedIndex, Verification, Wanted
from pkgsync.obs import ObsClient, ObsWorld, Place
from pkgsync.packagecloud import PackagecloudClient, served
from pkgsync.packagecloud.per_row import ask
from pkgsync.session import Session
from pkgsync.signatures import PublicKeys, key_file
from pkgsync.surroundings import Surroundings, utc_now


class Services(Struct, frozen=True, kw_only=True):
    """``archive`` is the repository that orphans are moved to, where a run needs it."""

    obs: ObsClient
    packagecloud: PackagecloudClient
    archive: PackagecloudClient | None
    surroundings: Surroundings

    @classmethod
    def of(cls, config: Config, surroundings: Surroundings, archive: str | None) -> "Services":
        """Nothing is sent yet. Raises ConfigError for URLs that must not be used, AuthenticationError."""
        login = credentials.for_obs(config, surroundings.env, surroundings.home)
        session, reads = packagecloud_session(config, surroundings, archive), config.connections.listing
        return cls(
            obs=obs.connect(config, login, surroundings.limits, surroundings.pause),
            packagecloud=PackagecloudClient(session, config.packagecloud.repository, reads),
            archive=PackagecloudClient(session, archive, reads) if archive else None,
            surroundings=surroundings,
        )

    def close(self) -> None:
        """Cut what is in flight, from any thread."""
        self.obs.close()
        self.packagecloud.session.close()

    def read(
        self,
        config: Config,
        *,
        planned: Collection[str] = (),
        now: Callable[[], datetime] = utc_now,
        everything: bool = False,
        also: Sequence[ObsProject] = (),
        remember: bool = True,
        accepted: Collection[str] = (),
    ) -> tuple[ObsWorld, ActualState]:
        """Both worlds, read at the same time. An error, or Ctrl-C, ends both reads; a refused credential is told first.

        ``planned`` are names of built files that are read even if the config's filters leave them out. ``everything``
        reads what another config may map, too; ``also`` are projects of another config, read as far as possible.
        The newest indexes of earlier runs stand beside what was read, and these are remembered, if so asked for;
        those ``accepted`` even where they are older.
        Raises ConfigError, AuthenticationError, QuotaError, ReadError, StorageError.
        """
        pool = ThreadPoolExecutor(max_workers=1)
        try:
            listing = pool.submit(self._actual, managed_distributions(config), now)
            try:
                world = self._world(config, config.obs.projects, planned, now, everything)
                if also:
                    world = self._with_others(world, config, also, now)
            except (ReadError, ConfigError) as error:
                refused = listing.exception()
                if isinstance(refused, AuthenticationError):
                    raise refused from None
                if isinstance(error, MappingError):
                    raise self._explained(config, error, refused) from None
                raise
            if isinstance(wrong := listing.exception(), MappingError):
                raise self._explained(config, wrong) from None
            actual = listing.result()
            return self._beside_newest(world, remember, accepted), actual
        except BaseException:
            self.close()
            raise
        finally:
            pool.shutdown()

    def _beside_newest(self, world: ObsWorld, remember: bool, accepted: Collection[str]) -> ObsWorld:
        newest = obs.Newest(self.surroundings.state_dir / "newest", self.obs.api)
        seen = obs.beside(world, newest.known)
        if remember:
            newest.remember(world, accepted)
        return replace(seen, warnings=newest.warnings)

    def _explained(self, config: Config, *errors: BaseException | None) -> MappingError:
        # anew: after an error the clients send nothing more
        return Services.of(config, self.surroundings, None).map_reader(config).explained(*errors)

    def map_reader(self, config: Config) -> MapReader:
        return MapReader(config=config, obs=self.obs, packagecloud=self.packagecloud)

    def _world(
        self,
        config: Config,
        projects: Sequence[ObsProject],
        planned: Collection[str],
        now: Callable[[], datetime],
        everything: bool,
    ) -> ObsWorld:
        cache = Cache(self.surroundings.cache_dir)
        return obs.observe(
            self.obs,
            projects,
            now=now,
            progress=self.surroundings.progress,
            hasher=obs.hasher(self.obs, cache),
            parsed=obs.ParsedIndexes(cache, self.obs.api),
            built=obs.BuiltFiles(client=self.obs, cache=cache, wants=_wants(config, planned)),
            keys=obs.pinned(config.path, projects),
            everything=everything,
        )

    def _with_others(
        self, world: ObsWorld, config: Config, also: Sequence[ObsProject], now: Callable[[], datetime]
    ) -> ObsWorld:
        """What another config names beside this one's; this one's plan must not fail with it."""
        theirs = replace(config, obs=replace(config.obs, projects=tuple(also)))
        try:
            # the login may be bound to projects: those of another config are no exception
            credentials.for_obs(theirs, self.surroundings.env, self.surroundings.home)
            others = self._world(config, also, (), now, everything=False)
        except (ConfigError, ReadError, AuthenticationError):
            return world
        return replace(world, projects={**others.projects, **world.projects})

    def _actual(self, managed: Sequence[str], now: Callable[[], datetime]) -> ActualState:
        progress = self.surroundings.progress
        actual = packagecloud.gather(self.packagecloud, managed, now=now, progress=progress)
        if self.archive is None:
            return actual
        return packagecloud.with_archive(self.archive, actual, progress=progress)

    def observe(self, config: Config, plan: Plan) -> tuple[DesiredState, ActualState]:
        """Both worlds as the config sees them, with the built files of the plan.

        An index that is older than the plan's is as odd as one that is older than what was seen here. Raises as
        :meth:`read`.
        """
        paths = (action.source.path for action in plan.transfers if action.source.content == "build")
        built = frozenset(path.rpartition("/")[2] for path in paths)
        world, actual = self.read(config, planned=built, remember=False)
        world = obs.accepting(world, plan.overrides.accept_older_index)
        return judged(config, obs.beside(world, plan.source.made_at), built), actual

    def observe_for(self, plan: Plan, config: Config, now: Callable[[], datetime]) -> tuple[DesiredState, ActualState]:
        """Both worlds as far as a reviewed plan needs them, with the downloads of what it removes.

        Raises as :meth:`read`.
        """
        desired, actual = self.observe(config, plan)
        leaving = frozenset(action.key for action in plan.removals)
        rows = [row for row in actual.rows if row.key in leaving]
        losing = {row.distribution for row in rows} if config.policy.limits.installable else ()
        desired, actual = self.with_needs(config, desired, actual, losing, plan.transfers)
        return desired, self.with_downloads(actual, rows, config.policy, now())

    def with_downloads(self, actual: ActualState, rows: Sequence[Row], policy: Policy, now: datetime) -> ActualState:
        """The actual state with the downloads of these rows, where ``limits.in_use_days`` asks for them."""
        days = policy.limits.in_use_days
        if days is None or not rows:
            return actual
        return packagecloud.with_downloads(self.packagecloud, actual, rows, days, now, self.surroundings.progress)

    def with_needs(
        self,
        config: Config,
        desired: DesiredState,
        actual: ActualState,
        names: Collection[str],
        transfers: Collection[Transfer],
    ) -> tuple[DesiredState, ActualState]:
        """Both worlds with what the packages of these distributions need; the requests for that are counted."""
        if not names:
            return desired, actual
        from pkgsync.needs import NeedsReader  # here, as few plans ask for it

        before = self.obs.requests, self.packagecloud.session.requests
        with self.surroundings.progress.task("Reading what packages need", len(names), "files") as task:
            reader = NeedsReader(
                obs=self.obs,
                packagecloud=self.packagecloud,
                keys=lambda: index_keys(config),
            )
            needs = {}
            for name in sorted(names):
                needs[name] = reader.read(name, desired, actual, transfers)
                task.advance(1)
        asked = self.obs.requests - before[0], self.packagecloud.session.requests - before[1]
        return (
            replace(desired, requests=desired.requests + asked[0]),
            replace(actual, needs=needs, requests=actual.requests + asked[1]),
        )

    def places(self, action: Transfer) -> tuple[Place, ...]:
        """Where what an action brings may be had, in the order to ask."""
        source = action.source
        if source.content == "build":
            return (self.obs.built_place(source.project, source.repository, source.path),)
        return self.obs.published_places(source.project, source.repository, source.path)


def judged(config: Config, world: ObsWorld, planned: Collection[str] = ()) -> DesiredState:
    """What was read of OBS as the config sees it. Raises ConfigError, and ReadError for a project that was not read."""
    return obs.judge(config.obs.projects, world, _wants(config, planned))


def _wants(config: Config, planned: Collection[str]) -> Callable[[str, Sequence[str] | None], bool]:
    takes = reconcile.FileFilter(config.policy).takes
    return lambda name, architectures: name in planned or takes(name, architectures)


def packagecloud_session(config: Config, surroundings: Surroundings, archive: str | None = None) -> Session:
    """The session for the config's Packagecloud and its repositories, and for ``archive``.

    Raises ConfigError, AuthenticationError.
    """
    return Session(
        config.packagecloud.url,
        auth=credentials.for_packagecloud(config, surroundings.env, surroundings.home, archive),
        limits=surroundings.limits,
        allow_http=config.allow_http,
        allow_private=config.allow_private,
        quota=True,
        pause=surroundings.pause,
    )


def served_after(
    receipt: Receipt, config: Config, client: PackagecloudClient, surroundings: Surroundings, now: datetime
) -> Verification:
    """What package managers get of all that the apply of this receipt has done. Raises as :func:`read_indexes` does."""
    expected = reconcile.expected_after(receipt)
    indexes = read_indexes(reconcile.wanted(expected), config, client, surroundings)
    return reconcile.verify(expected, indexes, client.repository, now, receipt=receipt.plan_digest)


def read_indexes(
    wanted: Sequence[Wanted], config: Config, client: PackagecloudClient, surroundings: Surroundings
) -> tuple[ServedIndex, ...]:
    """The indexes as package managers get them, signed by the key that the config pins, if it pins one.

    Raises ConfigError, AuthenticationError, QuotaError.
    """
    keys = index_keys(config)
    return served.indexes(client, wanted, keys, surroundings.progress)


def index_keys(config: Config) -> PublicKeys | None:
    """The key that the config pins. Raises ConfigError."""
    path = config.packagecloud.signing_key
    if path is None:
        return None
    return key_file(path, f"{config.path}: packagecloud.signing_key", "Packagecloud serves it at URL/USER/REPO/gpgkey.")


def look_back(
    receipt: Receipt, config: Config, client: PackagecloudClient, surroundings: Surroundings
) -> tuple[ActualState, "reconcile.Kept"]:
    """The world that an undo starts from: what Packagecloud holds now, and what is kept of what it held.

    Of the backup store and the archive only sizes; the archive is read if the receipt moved anything there. Raises
    ReadError, ConfigError for an archive that does not exist, AuthenticationError, QuotaError, StorageError.
    """
    wanted, progress = {*managed_distributions(config), *receipt.target.distributions}, surroundings.progress
    actual = packagecloud.gather(client, wanted, now=utc_now, progress=progress)
    archive_to = config.policy.orphans.archive_to
    moved = [line for line in receipt.lines if line.undo == "archive" and line.archive_to == archive_to]
    sizes = {line.key: line.size for line in moved}
    if archive_to is not None and moved:
        archive = PackagecloudClient(client.session, archive_to, client.connections)
        actual = packagecloud.with_archive(archive, actual, wanted=sizes.keys(), progress=progress)
        unsized = [row for line in moved if (row := _unsized(line, actual)) is not None]
        sizes |= ask(archive, unsized, lambda row: archive.details(row).size, "Asking for sizes", progress).values
    return actual, reconcile.Kept(
        _backups(receipt, Backups(surroundings.backups)), {key: size for key, size in sizes.items() if size is not None}
    )


def _backups(receipt: Receipt, store: Cache) -> dict[str, int]:
    sums = {sha256 for line in receipt.lines for sha256 in (line.sha256, line.old_sha256) if sha256}
    return {sha256: size for sha256 in sums if (size := store.size(sha256)) is not None}


def _unsized(line: ReceiptLine, actual: ActualState) -> Row | None:
    return actual.archive.get(line.key) if actual.archive is not None and line.size is None else None
