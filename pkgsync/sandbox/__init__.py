"""An embedded OBS and an embedded Packagecloud on loopback, serving real packages.

They answer as the real services do, and have a switchboard for faults. Nothing here is shared with pkgsync's clients:
what both would misread the same way would stay hidden.
"""

from .blobs import Artifact, Blob
from .clock import Clock
from .demo import DEMO_ORPHANS, demo_world_day1, demo_world_day2
from .faults import (
    Fault,
    Kind,
    Reply,
    Switchboard,
    change_body,
    html_page,
    json_error,
    quota,
    replace_body,
    set_headers,
)
from .indexes import IndexOptions
from .obs_world import ObsWorld
from .packagecloud_world import PackagecloudWorld
from .recorder import RequestLog
from .sandbox import ARCHIVE, INSTALL, PROJECT, REPOSITORY, Sandbox
from .synthetic import make_deb, make_rpm

__all__ = [
    "ARCHIVE",
    "DEMO_ORPHANS",
    "INSTALL",
    "PROJECT",
    "REPOSITORY",
    "Artifact",
    "Blob",
    "Clock",
    "Fault",
    "IndexOptions",
    "Kind",
    "ObsWorld",
    "PackagecloudWorld",
    "Reply",
    "RequestLog",
    "Sandbox",
    "Switchboard",
    "change_body",
    "demo_world_day1",
    "demo_world_day2",
    "html_page",
    "json_error",
    "make_deb",
    "make_rpm",
    "quota",
    "replace_body",
    "set_headers",
]
