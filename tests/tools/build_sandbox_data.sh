#!/bin/bash
# Builds the real packages that the sandbox serves, with the real index entry of each beside it:
#   pkgsync/sandbox/data/WORLD/REPOSITORY/ARCH/PACKAGE/FILE{,.xml,.stanza}
# Needs rpmbuild, dpkg-deb, dpkg-scanpackages and createrepo_c (Debian: rpm dpkg-dev createrepo-c).
# The results are committed: the wheel needs none of these tools.
set -euo pipefail
cd "$(dirname "$0")/../.."
here=$(cd tests/tools && pwd)
data=$PWD/pkgsync/sandbox/data
work=/tmp/sandbox-build  # fixed: the expanded spec in a source rpm holds it
rm -rf "$work"; mkdir "$work"
trap 'rm -rf "$work"' EXIT
export SOURCE_DATE_EPOCH=1767225600 LC_ALL=C TZ=UTC
leap=openSUSE_Leap_15.6
jammy=xUbuntu_22.04

# rpm WORLD ARCH PACKAGE VERSION RELEASE EPOCH KIND SUBPACKAGES...
# KIND: arch or noarch (of the main package; "none" builds no main package).
# A subpackage is written NAME:KIND. The architecture is written into each file, so noarch copies differ, as on OBS.
rpm_package() {
    local world=$1 arch=$2 package=$3 version=$4 release=$5 epoch=$6 kind=$7; shift 7
    local out="$data/$world/$leap/$arch/${package/:/@}" spec="$work/package.spec" name=${package/:/-} top="$work/rpm"
    rm -rf "$top"; mkdir -p "$out" "$top"
    python3 "$here/write_spec.py" "$name" "$version" "$release" "$epoch" "$kind" "$arch" "$@" > "$spec"
    rpmbuild --quiet -ba --target "$arch" --nodeps \
        --define "_topdir $top" --define "_buildhost sandbox" --define "_smp_mflags -j1" \
        --define "use_source_date_epoch_as_buildtime 1" --define "clamp_mtime_to_source_date_epoch 1" \
        --define "build_mtime_policy clamp_to_source_date_epoch" \
        --define "__os_install_post %{nil}" --define "debug_package %{nil}" --define "_build_id_links none" "$spec" >"$work/log" 2>&1 \
        || { cat "$work/log"; exit 1; }
    find "$top/RPMS" "$top/SRPMS" -name '*.rpm' -exec mv -t "$out" {} +
    index_rpms "$out"
}

index_rpms() {
    find "$1" -name '*.rpm' -exec touch -d "@$SOURCE_DATE_EPOCH" {} +
    mkdir -p "$work/repo"
    createrepo_c --quiet --general-compress-type gz --revision 0 -o "$work/repo" "$1"
    python3 "$here/split_primary.py" "$work/repo" "$1"
    rm -rf "$work/repo"
}

# deb WORLD ARCH PACKAGE VERSION CONTENT NAME:DEBARCH...
deb_package() {
    local world=$1 arch=$2 package=$3 version=$4 content=$5; shift 5
    local out="$data/$world/$jammy/$arch/$package" spec name debarch root
    mkdir -p "$out"
    for spec in "$@"; do
        name=${spec%:*} debarch=${spec##*:} root="$work/deb/$name"
        rm -rf "$root"; mkdir -p "$root/DEBIAN" "$root/usr/share/doc/$name"
        echo "$name $version built on $arch, $content" > "$root/usr/share/doc/$name/README"
        {
            echo "Package: $name"
            [ "$name" = "$package" ] || echo "Source: $package"
            printf '%s\n' "Version: $version" "Architecture: $debarch" "Maintainer: Demo Packager <demo@example.invalid>" \
                "Installed-Size: 5" "Section: utils" "Priority: optional" "Description: $name" " Part of the sandbox of pkgsync."
        } > "$root/DEBIAN/control"
        find "$root" -exec touch -d "@$SOURCE_DATE_EPOCH" {} +
        dpkg-deb --root-owner-group -Zgzip --build "$root" "$out/${name}_${version#*:}_$debarch.deb" > /dev/null
    done
    for spec in "$out"/*.deb; do
        rm -rf "$work/one"; mkdir "$work/one"; cp "$spec" "$work/one"
        (cd "$work/one" && dpkg-scanpackages -m . 2>/dev/null) > "$spec.stanza"
    done
}

rm -rf "${data:?}"/{day1,day2,past}
for arch in x86_64 aarch64; do
    [ $arch = x86_64 ] && debarch=amd64 || debarch=arm64
    rpm_package past $arch hello-tool 1.1 lp156.1.1 0 arch hello-tool-doc:noarch
    rpm_package day1 $arch hello-tool 1.2 lp156.1.1 0 arch hello-tool-doc:noarch hello-tool-debuginfo:arch
    rpm_package day2 $arch hello-tool 1.3 lp156.2.1 0 arch hello-tool-doc:noarch hello-tool-debuginfo:arch
    rpm_package day1 $arch libdemo 0.9.1 lp156.1.1 0 none libdemo1:arch libdemo++1:arch libdemo-devel:arch
    rpm_package day1 $arch demo-data '2024.1~rc2' lp156.1.1 0 noarch
    rpm_package day1 $arch demo-snapshot '1.0^git20260101.abc123' lp156.1.1 0 arch
    rpm_package day1 $arch demo-multi 2.0+git.20260101.abc123 lp156.1.1 0 noarch
    rpm_package day1 $arch demo-multi:small 2.0+git.20260101.abc123 lp156.1.1 0 noarch
    rpm_package day1 $arch netdemo 4.0 lp156.3.1 2 arch
    rpm_package day1 $arch old-tool 0.5 lp156.1.1 0 arch

    deb_package past $arch hello-tool 1.1 first hello-tool:$debarch hello-tool-doc:all
    deb_package day1 $arch hello-tool 1.2 first hello-tool:$debarch hello-tool-doc:all hello-tool-dbgsym:$debarch
    deb_package day2 $arch hello-tool 1.3 first hello-tool:$debarch hello-tool-doc:all hello-tool-dbgsym:$debarch
    deb_package day1 $arch libdemo 0.9.1 first libdemo1:$debarch libdemo++1:$debarch libdemo-dev:$debarch
    deb_package day1 $arch demo-data '2024.1~rc2+git1' first demo-data:all
    deb_package day1 $arch netdemo 2:4.0-1 first netdemo:$debarch
    deb_package day2 $arch netdemo 2:4.0-1 'a rebuild under the same name' netdemo:$debarch
    deb_package day1 $arch old-tool 0.5 first old-tool:$debarch
done
rpm_package day1 x86_64 demo-x86only 3 lp156.1.1 0 arch
deb_package day1 x86_64 demo-x86only 3 first demo-x86only:amd64
rpm_package past x86_64 foreign-tool 7.0 1 0 arch
find "$data" -type f | wc -l
du -sh "$data"
