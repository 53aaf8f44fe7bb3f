"""Every limit of the HTTP traffic, with its unit."""

from msgspec import Struct

_MIB = 2**20


class HttpLimits(Struct, frozen=True, kw_only=True):
    """Limits of one request, in seconds and bytes, and of its repetition.

    ``read_seconds`` is the longest silence, ``total_seconds`` bounds one request with its body. A body that brings
    less than ``minimum_bytes_per_second`` over a whole ``window_seconds`` is given up. ``timeouts`` is how many
    attempts may end in a time-out: a server that hangs once will hang again.
    """

    connect_seconds: float = 15
    read_seconds: float = 60
    total_seconds: float = 300
    # obs/README.md, "Two servers": a large project takes OBS minutes
    result_read_seconds: float = 240
    result_total_seconds: float = 900
    # packagecloud/README.md, "Upload": the package is read before the answer comes
    upload_read_seconds: float = 300
    # of a connection before a change: servers close those that idle for longer, 2 seconds and more
    idle_seconds: float = 1
    minimum_bytes_per_second: int = 1024
    window_seconds: float = 30

    attempts: int = 5
    timeouts: int = 2
    backoff_seconds: float = 0.5
    backoff_cap_seconds: float = 30
    # a server may ask for hours: then the run had better fail
    retry_after_cap_seconds: float = 120
    redirects: int = 5
    progress_bytes: int = _MIB

    # against servers that never end; what is real stays far below
    max_xml_bytes: int = 512 * _MIB
    max_top_bytes: int = 16 * _MIB
    max_index_bytes: int = 512 * _MIB
    # unpacked, but never all of it in memory
    max_index_open_bytes: int = 4096 * _MIB
    max_json_bytes: int = 64 * _MIB
    max_error_bytes: int = 64 * 1024
    max_download_bytes: int = 64 * 1024 * _MIB


DEFAULT_LIMITS = HttpLimits()
