"""What a credential may be used for, where the environment limits it: repositories, projects.

Whoever may change a config could else let a run print the names in a private repository that the credential opens.
"""

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase

from pkgsync.errors import AuthenticationError


def check(variable: str, env: Mapping[str, str], what: str, names: Iterable[str]) -> None:
    """Raises AuthenticationError for the first of ``names`` that no glob in ``variable`` allows; unset allows all.

    ``what`` is the credential in words. A ``*`` does not match a ``/``.
    """
    if variable not in env:
        return
    globs = env[variable].split()
    if not globs:
        # an unset variable of a CI arrives so: that must not lift the limit
        raise AuthenticationError(
            f"{variable} is empty, so {what} may be used for nothing",
            tip="name there what it may be used for, or unset the variable",
        )
    for name in names:
        if not any(_matches(name, glob) for glob in globs):
            raise AuthenticationError(
                f"{what} may not be used for {name}, which is not in {variable}",
                tip=f"correct the config; or if it may be used there, add {name} to {variable}",
            )


def _matches(name: str, glob: str) -> bool:
    parts, wanted = name.split("/"), glob.split("/")
    return len(parts) == len(wanted) and all(map(fnmatchcase, parts, wanted))
