#!/bin/bash
# Runs an instance for as long as standard input stays open: starts it, prints its URL, and at the end of
# standard input ends it and removes its data. So nothing outlives the caller, however the caller ends.
set -uo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
trap : HUP INT TERM      # these end the wait, never the clean-up (":" and not "": children would inherit "ignored")
"$HERE/up.sh" < /dev/null
status=$?
[ $status = 0 ] && cat > /dev/null
"$HERE/down.sh" --wipe < /dev/null
exit $status
