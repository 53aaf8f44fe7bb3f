"""Where the packages of an OBS repository may belong on Packagecloud: pure rules, for people to confirm.

A proposal never decides where a package goes; the config does.
"""

from pkgsync.proposals.propose import Live, Proposal, Seen, propose
from pkgsync.proposals.rules import is_base
from pkgsync.proposals.text import ConfigHead, config_text

__all__ = ["ConfigHead", "Live", "Proposal", "Seen", "config_text", "is_base", "propose"]
