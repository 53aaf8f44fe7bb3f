"""Where the packages of an OBS repository may belong on Packagecloud: pure rules, for people to confirm.

A proposal never decides where a package goes; the config does.
"""

from pkgsync.proposals.propose import Live, Proposal, Seen, propose, together
from pkgsync.proposals.rules import is_base
from pkgsync.proposals.text import ConfigHead, config_text
