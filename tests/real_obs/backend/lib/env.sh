# Settings and helpers of the scripts beside this folder (sourced, not run).
# Every value can be set from the environment.
: "${REAL_OBS_STATE:=/var/tmp/pkgsync-real-obs}"   # everything the instance writes
: "${REAL_OBS_SRC_PORT:=5352}"                     # source server: /build, /published and /source, as the API serves them
: "${REAL_OBS_REP_PORT:=5252}"                     # repository server (internal)
: "${REAL_OBS_WORKER_PORT_X86_64:=5290}"           # build worker of each architecture
: "${REAL_OBS_WORKER_PORT_AARCH64:=5291}"
# rpm is also what the tests of the version order ask; osc, apt and dnf also read the sandbox, which gpg signs.
OBS_PACKAGES="obs-server rpm dpkg-dev createrepo-c apt apt-utils dnf osc gnupg gpgv openssh-client curl fakeroot python3 build-essential iproute2"
OBS_LIB=/usr/lib/obs/server                        # where Debian's obs-server puts the backend
OBS_USER=obsrun                                    # made by Debian's obs-server
ARCHS="x86_64 aarch64"
RUN="$REAL_OBS_STATE/pids"
LOG="$REAL_OBS_STATE/log"
FARM="$REAL_OBS_STATE/server"                      # links to $OBS_LIB plus our own BSConfig.pm
LIB="$REAL_OBS_STATE/lib"
BSDIR="$REAL_OBS_STATE/bs"
BASE_URL="http://127.0.0.1:$REAL_OBS_SRC_PORT"

say() { echo "${0##*/}: $*" >&2; }
die() { say "$*"; exit 1; }

# starttime PID: the kernel's start tick of a process; tells a reused pid apart.
# Prints nothing for a process that is gone or only waits to be reaped.
starttime() { sed -n 's/.*) //; /^Z/!p' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20 || true; }

# alive NAME: true if the process in NAME's pid file still runs and is the one we started.
alive() {
    local pid start
    [ -s "$RUN/$1.pid" ] || return 1
    read -r pid start < "$RUN/$1.pid"
    [ -n "$start" ] && [ "$(starttime "$pid")" = "$start" ]
}
