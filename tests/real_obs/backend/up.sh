#!/bin/bash
# Starts a real Open Build Service backend (Debian's obs-server) on 127.0.0.1 and prints its URL.
# Safe to run again: what runs already is left as it is.
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$HERE/lib/env.sh"
[ "$(id -u)" = 0 ] || die "needs root, to switch to user $OBS_USER"
[ -x $OBS_LIB/bs_srcserver ] || die "obs-server is not installed: run $HERE/install.sh"

as_obs() {
    HOME="$BSDIR" PATH="$LIB/bin:/usr/sbin:/usr/bin:/sbin:/bin" LC_ALL=C \
        setpriv --reuid=$OBS_USER --regid=$OBS_USER --clear-groups "$@"
}

# ---- a private instance: nothing of /etc/obs or /srv/obs is used ------------
mkdir -p "$RUN" "$LOG" "$FARM" "$LIB/bin" "$BSDIR/run" "$BSDIR/log" "$REAL_OBS_STATE/work" "$REAL_OBS_STATE/gnupg"
chmod 755 "$REAL_OBS_STATE"
chmod 700 "$REAL_OBS_STATE/gnupg"
for file in "$OBS_LIB"/*; do
    name=${file##*/}
    [ "$name" = BSConfig.pm ] || ln -sfn "$file" "$FARM/$name"
done
cat > "$FARM/BSConfig.pm" <<PERL
package BSConfig;
our \$ipaccess = { '127\\..*' => 'rw,worker' };
our \$srcserver = 'http://127.0.0.1:$REAL_OBS_SRC_PORT';
our \$reposerver = 'http://127.0.0.1:$REAL_OBS_REP_PORT';
our \$obsname = 'real-obs.test';
our \$bsdir = '$BSDIR';
our \$rundir = '$BSDIR/run';
our \$logdir = '$BSDIR/log';
our \$bsuser = '$OBS_USER';
our \$bsgroup = '$OBS_USER';
our \$nosharedtrees = 1;
our \$createrepo = '$LIB/bin/createrepo_c';
our \$modifyrepo = '/usr/bin/modifyrepo_c';
our \$servicedispatch = 0;
our \$repodownload = 'http://download.real-obs.test/repositories';
our \$sign = '$LIB/sign';
our \$keyfile = '$REAL_OBS_STATE/pubkey.asc';
our \$gpg_standard_key = '$REAL_OBS_STATE/pubkey.asc';
our \$sign_project = 0;
1;
PERL
# $OBS_USER may not be able to read this checkout, so its programs run from a copy.
cp -f "$HERE/lib/loopback-exec" "$HERE/lib/worker.py" "$HERE/lib/cpio.py" "$HERE/lib/sign" "$LIB/"
cp -f "$HERE/lib/index-when-released" "$LIB/bin/createrepo_c"
cp -f "$HERE/lib/index-when-released" "$LIB/bin/dpkg-scanpackages"
chmod -R a+rX "$LIB"
chown -R $OBS_USER:$OBS_USER "$BSDIR" "$LOG" "$REAL_OBS_STATE/work" "$REAL_OBS_STATE/gnupg"

# A throwaway signing key, so that published trees are signed like on a public instance.
if [ ! -s "$REAL_OBS_STATE/pubkey.asc" ]; then
    as_obs gpg --homedir "$REAL_OBS_STATE/gnupg" --batch --quiet --pinentry-mode loopback --passphrase '' \
        --quick-gen-key "real-obs test key <test@real-obs.test>" rsa2048 sign never >&2
    as_obs gpg --homedir "$REAL_OBS_STATE/gnupg" --batch --armor --export > "$REAL_OBS_STATE/pubkey.asc"
fi

# ---- daemons ----------------------------------------------------------------
# start NAME PROGRAM [ARG...]: as $OBS_USER, in a session of its own, with a pid file
start() {
    local name=$1 pid
    shift
    alive "$name" && return 0
    HOME="$BSDIR" PATH="$LIB/bin:/usr/sbin:/usr/bin:/sbin:/bin" LC_ALL=C \
        setsid setpriv --reuid=$OBS_USER --regid=$OBS_USER --clear-groups \
        "$@" >> "$LOG/$name.log" 2>&1 < /dev/null &
    pid=$!
    echo "$pid $(starttime $pid)" > "$RUN/$name.pid"
}
cd "$FARM"
start srcserver perl "$LIB/loopback-exec" "$REAL_OBS_SRC_PORT" "$FARM/bs_srcserver"
start repserver perl "$LIB/loopback-exec" "$REAL_OBS_REP_PORT" "$FARM/bs_repserver"
for _ in $(seq 50); do
    curl -fs -o /dev/null "$BASE_URL/" && curl -fs -o /dev/null "http://127.0.0.1:$REAL_OBS_REP_PORT/" && break
    sleep 0.2
done
curl -fs -o /dev/null "$BASE_URL/" || die "the source server does not answer, see $LOG/srcserver.log"
for arch in $ARCHS; do start "sched-$arch" "$FARM/bs_sched" "$arch"; done
start dispatch "$FARM/bs_dispatch"
start signer "$FARM/bs_signer"
start publish "$FARM/bs_publish"
for arch in $ARCHS; do
    port=REAL_OBS_WORKER_PORT_${arch^^}
    start "worker-$arch" /usr/bin/python3 -B "$LIB/worker.py" --arch "$arch" --port "${!port}" \
        --repserver "http://127.0.0.1:$REAL_OBS_REP_PORT" --workdir "$REAL_OBS_STATE/work/$arch" \
        --hold-file "$REAL_OBS_STATE/build-hold"
done
sleep 0.5
for file in "$RUN"/*.pid; do
    name=${file##*/}
    alive "${name%.pid}" || die "${name%.pid} has ended, see $LOG/${name%.pid}.log"
done

ports="$REAL_OBS_SRC_PORT|$REAL_OBS_REP_PORT|$REAL_OBS_WORKER_PORT_X86_64|$REAL_OBS_WORKER_PORT_AARCH64"
beyond=$(ss -Hltn | grep -E ":($ports)\b" | grep -v '127\.0\.0\.1:' || true)
[ -z "$beyond" ] || die "listens beyond loopback: $beyond"
echo "$BASE_URL"
