"""The config file: YAML in, frozen values out; every mistake with file, line, column and the likely fix."""

from pkgsync.config.load import load, parse, services_of
from pkgsync.config.values import (
    CATCH_ALL,
    Config,
    ConfigSecrets,
    Connections,
    ObsConfig,
    ObsProject,
    PackagecloudConfig,
    Targets,
    managed_distributions,
)

__all__ = [
    "CATCH_ALL",
    "Config",
    "ConfigSecrets",
    "Connections",
    "ObsConfig",
    "ObsProject",
    "PackagecloudConfig",
    "Targets",
    "load",
    "managed_distributions",
    "parse",
    "services_of",
]
