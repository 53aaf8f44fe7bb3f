"""Brings one file to verified presence on Packagecloud.

A POST is never blindly repeated: whatever is not a clear answer is settled by a look.
"""

from collections.abc import Mapping

from attrs import define, evolve

from pkgsync.apply.job import Job
from pkgsync.apply.journal import Journal, Request
from pkgsync.apply.looks import Looks
from pkgsync.apply.result import Result
from pkgsync.apply.task import Task
from pkgsync.apply.transfer import Content, VerifiedFile
from pkgsync.errors import (
    AmbiguousError,
    DuplicateError,
    IntegrityError,
    NotFoundError,
    PkgsyncError,
    ReadError,
)
from pkgsync.model import Outcome
from pkgsync.packagecloud.client import Uploaded
from pkgsync.reasons import Reason


@define
class Uploader:
    """``works``: whether the server takes uploads; False while all have failed without a refusal, None before one."""

    job: Job
    journal: Journal
    looks: Looks
    distribution_ids: Mapping[tuple[str, str], int]
    works: bool | None = None

    def put(
        self, task: Task, content: Content, *, gone: str | None = None, request: Request = Request.UPLOAD
    ) -> Result:
        """Upload until the content is verified present, or until going on is useless.

        After a deletion of our own the name may stay reserved for a while, and the row, whose sha256 is ``gone``, be
        listed.
        Raises PkgsyncError for what is wrong for good: RefusedError, QuotaError, AuthenticationError,
        IntegrityError, NotFoundError, and AmbiguousError where no look could tell the outcome.
        """
        limits = self.job.limits
        attempts = limits.uploads if gone is None and request is Request.UPLOAD else limits.reserved_uploads
        failure: PkgsyncError = ReadError(f"{content.key} was not uploaded.")
        for attempt in range(attempts):
            if attempt:
                self.job.pause(limits.wait_seconds(attempt, failure))
            try:
                return self._send(task, content, request)
            except NotFoundError:
                raise
            except (DuplicateError, AmbiguousError) as error:
                found = self._settled(content, gone, error, request)
                if found is not None:
                    return found
                failure = error
            except ReadError as error:
                failure = error
        self.works = self.works or False
        return Result.failed(failure, f"{failure.message} (tried {attempts} times)")

    def _send(self, task: Task, content: Content, request: Request) -> Result:
        identity = self.distribution_ids.get((content.type, content.distribution))
        if identity is None:
            return Result.stale(
                Reason.TARGET_CHANGED, f"Packagecloud takes no {content.type} in {content.distribution}."
            )

        with VerifiedFile(content.path, size=content.size, sha256=content.sha256) as stream:
            self.journal.sending(request, content.key)
            uploaded = self.job.packagecloud.upload(identity, content.filename, stream, content.size, task.count_up)
        self.works = True
        return self._verified(content, uploaded)

    def _verified(self, content: Content, uploaded: Uploaded) -> Result:
        done = Result(outcome=Outcome.DONE, verified="reply")
        if uploaded.filename != content.filename:
            done = evolve(done, stored_as=uploaded.filename, message=f"Packagecloud stored it as {uploaded.filename}")
        if uploaded.size is not None and uploaded.size != content.size:
            raise _other_bytes(content)
        if uploaded.sha256 is None:
            return self._looked_up(evolve(content, filename=uploaded.filename), done)
        if uploaded.sha256 != content.sha256:
            raise _other_bytes(content)
        return done

    def _looked_up(self, content: Content, done: Result) -> Result:
        row = self.looks.find(content.distribution, content.filename)
        if row is None:
            raise AmbiguousError(f"Packagecloud took {content.key} without telling its checksum, but does not list it.")
        sha256, how = self.looks.proven_sha256(row, content.size)
        if sha256 != content.sha256:
            raise _other_bytes(content)
        return evolve(done, verified=how)

    def _settled(self, content: Content, gone: str | None, error: PkgsyncError, request: Request) -> Result | None:
        """What a look says after an unclear answer; None: the content is not there, and it is safe to try again."""
        try:
            row = self.looks.find(content.distribution, content.filename)
            if row is None:
                return None
            sha256, how = self.looks.proven_sha256(row, content.size)
        except ReadError as failed:
            self.works = self.works or False
            raise AmbiguousError(f"{error.message} No look could tell the outcome: {failed.message}") from failed
        if sha256 == content.sha256:
            self.works = True
            return Result(outcome=self._whose(content, error, request), verified=how)
        if sha256 == gone:
            return None
        return Result.stale(Reason.TARGET_CHANGED, "Packagecloud holds other content under this name by now.")

    def _whose(self, content: Content, error: PkgsyncError, request: Request) -> Outcome:
        """A duplicate that we never sent before was put there by somebody else."""
        past = self.journal.ledger.past(content.key)
        sent = past.restores if request is Request.RESTORE else past.uploads
        return Outcome.ALREADY_DONE if isinstance(error, DuplicateError) and sent <= 1 else Outcome.DONE


def _other_bytes(content: Content) -> IntegrityError:
    return IntegrityError(
        f"Packagecloud holds other bytes of {content.key} than were sent.",
        tip="Delete that file there, then make a new plan.",
    )
