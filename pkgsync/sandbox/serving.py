"""Small helpers that the WSGI applications share."""

from werkzeug.wrappers import Request, Response

from .blobs import Blob

CONTENT_TYPES = {
    "rpm": "application/x-rpm",
    "deb": "application/x-debian-package",
    "xml": "text/xml",
}


def content_type(filename: str) -> str:
    """As the backend of Debian's obs-server has it; unknown suffixes are octet-stream."""
    return CONTENT_TYPES.get(filename.rpartition(".")[2], "application/octet-stream")


def send_blob(request: Request, blob: Blob, kind: str, *, ranges: bool, etag: str | None = None) -> Response:
    """Stream a blob. With `ranges` one byte range gives 206 or 416; else Range is ignored, as the OBS backend does."""
    headers = {"Content-Type": kind}
    if etag:
        headers["ETag"] = f'"{etag}"'
    wanted = request.range if ranges else None
    condition = request.if_range.etag
    if wanted is None or (condition is not None and condition != etag):
        headers["Content-Length"] = str(blob.size)
        return Response(blob.chunks(), 200, headers, direct_passthrough=True)
    span = wanted.range_for_length(blob.size)
    if span is None:
        return Response("", 416, {"Content-Range": f"bytes */{blob.size}"})
    start, stop = span
    headers["Content-Length"] = str(stop - start)
    headers["Content-Range"] = f"bytes {start}-{stop - 1}/{blob.size}"
    return Response(blob.chunks(start, stop), 206, headers, direct_passthrough=True)
