"""Puts back a file that we took away and for which nothing came in its place."""

from attrs import define

from pkgsync.apply.journal import Request
from pkgsync.apply.task import Task
from pkgsync.apply.transfer import Content, Transporter
from pkgsync.apply.upload import Uploader


@define
class Restorer:
    transporter: Transporter
    uploader: Uploader

    def put_back(self, task: Task, distribution: str, filename: str, sha256: str) -> str:
        """Upload the kept bytes under their old name; says how that went. Raises as the Uploader."""
        path = self.transporter.store.path(sha256)
        if path is None:
            return "the name is absent, and the old file's bytes are not at hand"
        content = Content(
            distribution=distribution, filename=filename, sha256=sha256, size=path.stat().st_size, path=path
        )
        result = self.uploader.put(task, content, request=Request.RESTORE)
        return (
            "the old file was put back" if result.present else f"the old file could not be put back: {result.message}"
        )
