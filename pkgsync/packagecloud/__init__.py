"""Packagecloud: its routes, the parsers of its answers, and the gathering of the actual state.

What Packagecloud itself does, and where that is known from, stands in README.md beside this file.
"""

from pkgsync.packagecloud.client import PackagecloudClient
from pkgsync.packagecloud.distributions import check_ids as check_distributions
from pkgsync.packagecloud.gather import gather, with_archive
from pkgsync.packagecloud.usage import with_downloads, with_usage
