"""What OBS offers: its build results and published indexes, read with a second look.

What OBS itself does, and where that is known from, stands in README.md beside this file.
"""

from pkgsync.obs.bases import BaseFinder
from pkgsync.obs.built import BuiltFiles
from pkgsync.obs.client import ObsClient, Place, connect, from_places
from pkgsync.obs.gather import gather, observe, read_metas
from pkgsync.obs.hashing import hasher
from pkgsync.obs.indexes import read_relations
from pkgsync.obs.judge import judge
from pkgsync.obs.keys import OfferedKey, pinned
from pkgsync.obs.newest import Newest, accepting, beside
from pkgsync.obs.parsed import ParsedIndexes
from pkgsync.obs.world import ObsWorld
