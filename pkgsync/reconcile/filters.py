"""The config's filters, the same for files of OBS and for rows of Packagecloud.

They limit uploads and what may be an orphan; they are never proof that something is absent.
"""

import re
from collections.abc import Collection, Sequence
from fnmatch import fnmatchcase, translate
from typing import Literal

from pkgsync.model import Policy, Selection
from pkgsync.model.filename import FileClass, file_class, parse
from pkgsync.reconcile.architectures import ANY, maybe_wanted

FilterKey = Literal["", "include_classes", "include", "exclude", "architectures", "repositories"]


class Globs:
    """Several shell globs, matched against a whole name, case-sensitively."""

    def __init__(self, patterns: Sequence[str]) -> None:
        self._patterns = patterns
        self._pattern = re.compile("|".join(translate(p) for p in patterns)) if patterns else None

    def match(self, name: str) -> bool:
        return self._pattern is not None and self._pattern.match(name) is not None

    def matching(self, name: str) -> list[str]:
        """The globs that match."""
        return [glob for glob in self._patterns if fnmatchcase(name, glob)]


def literal(name: str) -> str:
    """The glob that matches this name alone."""
    return re.sub(r"([*?[])", r"[\1]", name)


class FileFilter:
    """``include``, ``exclude`` and ``include_classes`` of a policy."""

    def __init__(self, policy: Policy) -> None:
        self._classes = {FileClass.PACKAGE, *policy.include_classes}
        self._include = Globs(policy.include)
        self._exclude = Globs(policy.exclude)

    def includes(self, kind: FileClass) -> bool:
        return kind in self._classes

    def left_out_by(self, filename: str, kind: FileClass) -> FilterKey:
        """The key of the config that leaves a file of this name and class out; empty where none does."""
        if not self.includes(kind):
            return "include_classes"
        if not self._include.match(filename):
            return "include"
        return "exclude" if self._exclude.match(filename) else ""

    def admits(self, filename: str, kind: FileClass) -> bool:
        """Whether a file of this name and class is synced, as far as its architecture and its project allow."""
        return not self.left_out_by(filename, kind)

    def takes(self, filename: str, architectures: Collection[str] | None) -> bool:
        """Whether a file may be synced of which only the name is known: in doubt it must be read, to know more.

        ``architectures`` is the filter of its project; None: not filtered.
        """
        parsed = parse(filename)
        architecture = parsed.architecture if parsed else ANY
        return self.admits(filename, file_class(filename)) and maybe_wanted(architecture, architectures)


class Selector:
    """Which package keys ``--target`` and ``--exclude`` of one run take in."""

    def __init__(self, selection: Selection) -> None:
        self._everything = not selection.targets
        self._targets = Globs(selection.targets)
        self._excludes = Globs(selection.excludes)

    def takes(self, key: str) -> bool:
        return (self._everything or self._targets.match(key)) and not self._excludes.match(key)
