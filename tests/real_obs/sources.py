"""Package sources for the real backend: spec files and native Debian source packages, as {file name: bytes}."""

import gzip
import hashlib
import io
import tarfile
from collections.abc import Mapping

SPEC = """\
Name:           {name}
Version:        {version}
Release:        0
Summary:        Test package
License:        MIT
{tags}
%description
Test package.
{subpackages}
%build
{build}

%install
mkdir -p %{{buildroot}}/usr/share/%{{name}}
echo "{text} %{{_target_cpu}}" > %{{buildroot}}/usr/share/%{{name}}/content
{installs}
%files
/usr/share/%{{name}}/content
{files}
%changelog
"""

SUBPACKAGE = """
%package {name}
Summary:        Test package, {name}
{tags}
%description {name}
Test package, {name}.
"""


def rpm(
    name: str,
    version: str,
    *,
    text: str = "content",
    noarch: bool = False,
    subpackages: Mapping[str, str] | None = None,
    fails: bool = False,
    needs: str = "",
) -> dict[str, bytes]:
    """A spec file. `subpackages` maps a suffix to "noarch" or ""; `needs` is a build requirement."""
    extra = dict(subpackages or {})
    tags = ("BuildArch:      noarch\n" if noarch else "") + (f"BuildRequires:  {needs}\n" if needs else "")
    spec = SPEC.format(
        name=name,
        version=version,
        text=text,
        tags=tags,
        build="exit 1" if fails else "true",
        subpackages="".join(
            SUBPACKAGE.format(name=suffix, tags=f"BuildArch:      {arch}\n" if arch else "")
            for suffix, arch in extra.items()
        ),
        installs="".join(
            f'echo "{text} %{{_target_cpu}}" > %{{buildroot}}/usr/share/%{{name}}/{suffix}\n' for suffix in extra
        ),
        files="".join(f"\n%files {suffix}\n/usr/share/%{{name}}/{suffix}\n" for suffix in extra),
    )
    return {f"{name}.spec": spec.encode()}


def multibuild(name: str, version: str, flavor: str) -> dict[str, bytes]:
    """A spec file that OBS builds twice: as NAME and, as package NAME:FLAVOR, as NAME-FLAVOR."""
    plain = rpm(name, version, noarch=True)[f"{name}.spec"].decode()
    head = '%define flavor @BUILD_FLAVOR@%{nil}\n%if "%{flavor}" != ""\n%define flavor_suffix -%{flavor}\n%endif\n'
    spec = head + plain.replace(f"Name:           {name}", f"Name:           {name}%{{?flavor_suffix}}")
    return {
        f"{name}.spec": spec.encode(),
        "_multibuild": f"<multibuild><flavor>{flavor}</flavor></multibuild>".encode(),
    }


CONTROL = """\
Source: {name}
Section: utils
Priority: optional
Maintainer: Test Packager <test@example.invalid>
Standards-Version: 4.6.0

Package: {name}
Architecture: any
Description: test package
 With an architecture-dependent part.

Package: {name}-doc
Architecture: all
Description: test package, documentation
 Documentation.

Package: {name}-dbgsym
Architecture: any
Description: test package, debug symbols
 Debug symbols.
"""

CHANGELOG = """\
{name} ({version}) unstable; urgency=medium

  * Test.

 -- Test Packager <test@example.invalid>  Tue, 14 Nov 2023 22:13:20 +0000
"""

RULES = """\
#!/usr/bin/make -f
clean:
\trm -rf debian/out debian/files

build build-arch build-indep:

package = set -e; rm -rf debian/out; mkdir -p debian/out/DEBIAN debian/out/usr/share/$(1); \\
\techo "{text} $(2)" > debian/out/usr/share/$(1)/content; \\
\tdpkg-gencontrol -p$(1) -Pdebian/out; dpkg-deb --root-owner-group --build debian/out ..

binary-arch:
\t$(call package,{name},$$(dpkg-architecture -qDEB_HOST_ARCH))
\t$(call package,{name}-dbgsym,$$(dpkg-architecture -qDEB_HOST_ARCH))

binary-indep:
\t$(call package,{name}-doc,{indep})

binary: binary-arch binary-indep

.PHONY: clean build build-arch build-indep binary binary-arch binary-indep
"""


def deb(name: str, version: str, *, text: str = "content", fails: bool = False) -> dict[str, bytes]:
    """A native Debian source package that builds NAME, NAME-doc (all; other bytes on each
    architecture) and NAME-dbgsym."""
    rules = RULES.format(name=name, text=text, indep="$$(dpkg-architecture -qDEB_HOST_ARCH)")
    if fails:
        rules = rules.replace("set -e;", "exit 1;")
    control = CONTROL.format(name=name)
    changelog = CHANGELOG.format(name=name, version=version)
    tree = {"debian/control": control, "debian/changelog": changelog, "debian/rules": rules}
    archive = tarball(f"{name}-{version}", tree)
    archive_name = f"{name}_{version}.tar.gz"
    return {archive_name: archive, f"{name}_{version}.dsc": dsc(name, version, archive_name, archive)}


def tarball(folder: str, files: Mapping[str, str]) -> bytes:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for name, text in sorted(files.items()):
            info = tarfile.TarInfo(f"{folder}/{name}")
            info.mode = 0o755 if name == "debian/rules" else 0o644
            info.mtime = 1_700_000_000
            info.size = len(text.encode())
            tar.addfile(info, io.BytesIO(text.encode()))
    return gzip.compress(raw.getvalue(), mtime=0)


def dsc(name: str, version: str, archive_name: str, archive: bytes) -> bytes:
    lines = [
        "Format: 3.0 (native)",
        f"Source: {name}",
        f"Binary: {name}, {name}-doc, {name}-dbgsym",
        "Architecture: any all",
        f"Version: {version}",
        "Maintainer: Test Packager <test@example.invalid>",
        "Standards-Version: 4.6.0",
    ]
    for title, algorithm in (("Checksums-Sha1", "sha1"), ("Checksums-Sha256", "sha256"), ("Files", "md5")):
        checksum = hashlib.new(algorithm, archive).hexdigest()
        lines += [f"{title}:", f" {checksum} {len(archive)} {archive_name}"]
    return ("\n".join(lines) + "\n").encode()
