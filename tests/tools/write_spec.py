"""Print a spec file: NAME VERSION RELEASE EPOCH KIND ARCH [SUBPACKAGE:KIND ...]."""

import sys


def section(name: str, kind: str, main: bool) -> list[str]:
    """The lines of one binary package, main package or not."""
    head = [] if main else [f"%package -n {name}", "Summary: Part of the sandbox of pkgsync"]
    head += ["BuildArch: noarch"] if kind == "noarch" else []
    describe = "%description" if main else f"%description -n {name}"
    return [*head, describe, "Part of the sandbox of pkgsync.", ""]


def files(name: str, main: bool) -> list[str]:
    """The file list of one binary package."""
    return ["%files" if main else f"%files -n {name}", f"/usr/share/{name}/README", ""]


def main(name: str, version: str, release: str, epoch: str, kind: str, arch: str, *parts: str) -> None:
    """Print the spec file."""
    subs = [tuple(part.rsplit(":", 1)) for part in parts]
    built = ([name] if kind != "none" else []) + [sub for sub, _ in subs]
    lines = [f"Name: {name}", f"Version: {version}", f"Release: {release}"]
    lines += [f"Epoch: {epoch}"] if epoch != "0" else []
    lines += ["Summary: Part of the sandbox of pkgsync", "License: MIT"]
    lines += section(name, kind, main=True)
    for sub, sub_kind in subs:
        lines += section(sub, sub_kind, main=False)
    lines += ["%install"]
    for part in built:
        folder = f"%{{buildroot}}/usr/share/{part}"
        lines += [f"mkdir -p {folder}", f"echo '{part} {version}-{release} built on {arch}' > {folder}/README"]
    lines += [""]
    for part in built:
        lines += files(part, main=part == name)
    print("\n".join(lines))


main(*sys.argv[1:])
