"""Moves a file back from the archive for an undo: an archiving the other way round."""

from attrs import define, evolve

from pkgsync.apply.archive import Archive
from pkgsync.apply.job import Job
from pkgsync.apply.journal import Journal
from pkgsync.apply.looks import Looks
from pkgsync.apply.promote import Archiver
from pkgsync.apply.remove import Remover
from pkgsync.apply.restore import Restorer
from pkgsync.apply.result import Result
from pkgsync.apply.signals import Halt
from pkgsync.apply.task import Task
from pkgsync.apply.transfer import Transporter
from pkgsync.apply.upload import Uploader
from pkgsync.model import Archiving, Evidence, Upload
from pkgsync.reasons import Reason


@define
class Recaller:
    """An archiver whose source is the archive and whose archive is the target."""

    looks: Looks
    archiver: Archiver
    destination: str

    @classmethod
    def of(cls, job: Job, journal: Journal, uploader: Uploader, halt: Halt) -> "Recaller | None":
        """None where the job has no archive."""
        if job.archive is None:
            return None
        turned = evolve(job, packagecloud=job.archive, archive=job.packagecloud)
        place = Archive.of(turned)
        assert place is not None
        transporter = Transporter(turned)
        looks = Looks(turned, transporter)
        restorer = Restorer(transporter, evolve(uploader, job=turned, looks=looks))
        remover = Remover(turned, journal, looks)
        archiver = Archiver(turned, journal, transporter, looks, remover, restorer, halt, place)
        return cls(looks, archiver, job.packagecloud.repository)

    def recall(self, task: Task, action: Upload) -> Result:
        """Raises PkgsyncError and OSError as the Archiver does."""
        row = self.looks.find(action.distribution, action.filename)
        created_at, uploader = (row.created_at, row.uploader) if row is not None else ("", None)
        back = Archiving(
            distribution=action.distribution,
            filename=action.filename,
            sha256=action.sha256,
            created_at=created_at,
            uploader=uploader,
            reason=Reason.UNDO,
            evidence=Evidence(kind="undo"),
            archive_to=self.destination,
        )
        return self.archiver.archive(task, back)
