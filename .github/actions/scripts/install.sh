#!/bin/bash
# pkgsync of the very commit that these actions are taken from, in an environment of its own.
# -I: nothing in the checked-out folder is taken for a part of Python or pip.
set -euo pipefail
venv="$RUNNER_TEMP/pkgsync-venv"
if [ ! -x "$venv/bin/pkgsync" ]; then
    python3 -I -m venv "$venv"
    "$venv/bin/python" -I -m pip install --quiet --disable-pip-version-check "$(dirname "${BASH_SOURCE[0]}")/../../.."
fi
