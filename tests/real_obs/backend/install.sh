#!/bin/bash
# Installs the Debian packages that the real OBS backend needs, without letting their services start.
# Needs root. What is installed already is left as it is.
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$HERE/lib/env.sh"

missing=
for package in $OBS_PACKAGES; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done
[ -n "$missing" ] || exit 0
[ "$(id -u)" = 0 ] || die "needs root to install:$missing"
say "installing:$missing"

# Debian's way to say that package scripts must not start services. obs-server's would listen on every address.
guard=/usr/sbin/policy-rc.d
if [ ! -e $guard ]; then
    trap 'rm -f $guard' EXIT
    printf '#!/bin/sh\nexit 101\n' > $guard
    chmod 755 $guard
fi
apt-get -q -o DPkg::Lock::Timeout=300 update >&2
DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 install --no-install-recommends $missing >&2
# The package also enables its services for the next boot.
! command -v systemctl >/dev/null || systemctl -q disable obsdeltastore obsdispatcher obsdodup obspublisher \
    obsrepserver obsservice obssigner obssrcserver obswarden obsscheduler@i586 obsscheduler@x86_64 \
    obsscheduler@armv7hl >/dev/null 2>&1 || true
