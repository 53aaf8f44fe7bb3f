"""Where the packages of an OBS repository may belong on Packagecloud: pure rules, for people to confirm.

A proposal never decides where a package goes; the config does.
"""

from typing import TYPE_CHECKING

from pkgsync.lazy import lazily

if TYPE_CHECKING:
    from pkgsync.proposals.proposing import Live, Proposal, Seen, propose, together
    from pkgsync.proposals.rules import is_base
    from pkgsync.proposals.text import ConfigHead, config_text
else:
    __getattr__ = lazily(__name__, "rules proposing text")

__all__ = ["ConfigHead", "Live", "Proposal", "Seen", "config_text", "is_base", "propose", "together"]
