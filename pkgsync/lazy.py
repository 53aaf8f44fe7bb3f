"""Packages that import their modules when a name of theirs is asked for: most commands need few of them."""

import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any


def lazily(package: str, modules: str) -> Callable[[str], Any]:
    """The ``__getattr__`` of a package: what ``__all__`` lists is found in the first of the modules that has it.

    The modules are words of one text, from lower to higher: so little is imported that the wanted one does without.
    """

    def found(name: str) -> Any:
        if name in sys.modules[package].__all__:
            for module in modules.split():
                here = vars(import_module(f"{package}.{module}"))
                if name in here:
                    setattr(sys.modules[package], name, here[name])
                    return here[name]
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    return found
