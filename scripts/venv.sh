#!/bin/sh
# Makes or updates a virtual environment with kubehop and its tools: scripts/venv.sh DIRECTORY [PYTHON]
#
# Takes the newest Python from 3.11 on that is on PATH unless one is named. Called by `make venv`.
set -eu
cd "$(dirname "$0")/.."
directory=$1
fits() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

if [ ! -x "$directory/bin/python" ] || ! fits "$directory/bin/python"; then
    python=
    for candidate in ${2:-} python3.14 python3.13 python3.12 python3.11 python3; do
        if fits "$candidate"; then python=$candidate; break; fi
    done
    [ -n "$python" ] || { echo "Python 3.11 or newer is needed: install it, or name it with PYTHON=/path" >&2; exit 1; }
    if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then # Debian keeps these in a package of their own
        version=$("$python" -c 'import sys; print("python%d.%d" % sys.version_info[:2])')
        sudo=; [ "$(id -u)" = 0 ] || sudo=sudo
        echo "installing $version-venv with apt-get"
        $sudo apt-get install --yes "$version-venv" || { $sudo apt-get update && $sudo apt-get install --yes "$version-venv"; }
    fi
    echo "making $directory with $python"
    "$python" -m venv --clear "$directory"
fi
"$directory/bin/python" -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
