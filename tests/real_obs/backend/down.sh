#!/bin/bash
# Ends the processes that up.sh started (by its pid files) and nothing else.
# The data stays; "down.sh --wipe" also removes the instance's state folder.
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$HERE/lib/env.sh"

# Whoever waits for these can go on and end.
rm -f "$REAL_OBS_STATE/build-hold" "$REAL_OBS_STATE/publish-hold"

stop() {
    local name=$1 pid start children
    if alive "$name"; then
        read -r pid start < "$RUN/$name.pid"
        children=$(cat "/proc/$pid/task/$pid/children" 2>/dev/null || true)
        kill -TERM "$pid" $children 2>/dev/null || true
        for _ in $(seq 50); do alive "$name" || break; sleep 0.1; done
        ! alive "$name" || kill -KILL "$pid" 2>/dev/null || true
    fi
    rm -f "$RUN/$name.pid"
}
for file in "$RUN"/worker-*.pid "$RUN"/{dispatch,signer,publish}.pid "$RUN"/sched-*.pid "$RUN"/{repserver,srcserver}.pid; do
    [ -e "$file" ] || continue
    name=${file##*/}
    stop "${name%.pid}"
done
# gpg started this agent for the instance's own key folder.
[ ! -d "$REAL_OBS_STATE/gnupg" ] || gpgconf --homedir "$REAL_OBS_STATE/gnupg" --kill gpg-agent 2>/dev/null || true
if [ "${1:-}" = --wipe ] && [ -e "$FARM/BSConfig.pm" ]; then    # only a folder that up.sh made
    rm -rf -- "$REAL_OBS_STATE"
fi
