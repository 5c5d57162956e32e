#!/bin/sh
# Makes sure that programs are there: scripts/need.sh PROGRAM...
#
# What is on PATH stays as it is; what is missing comes from the system's own package manager (apt-get on Debian and
# Ubuntu, brew on macOS), with sudo where that needs root. Called by the Makefile.
set -eu

package() { # program, package manager
    case "$2:$1" in
        apt-get:etcd) echo etcd-server ;;
        apt-get:npm) echo npm ;;
        brew:npm) echo node ;;
        apt-get:dockerd) echo docker.io ;;
        *) echo "$1" ;;
    esac
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else
        command -v sudo >/dev/null || { echo "need.sh: run as root: $*" >&2; exit 1; }
        sudo "$@"
    fi
}

PATH=$PATH:/usr/sbin:/sbin
missing=
for program in "$@"; do
    command -v "$program" >/dev/null 2>&1 || missing="$missing $program"
done
[ -n "$missing" ] || exit 0

if command -v brew >/dev/null 2>&1; then manager=brew
elif command -v apt-get >/dev/null 2>&1; then manager=apt-get
else
    echo "need.sh: install$missing and put it on PATH: neither apt-get nor brew is here to do it" >&2
    exit 1
fi
packages=
for program in $missing; do packages="$packages $(package "$program" "$manager")"; done
echo "installing$packages with $manager"
# the names are words without spaces: splitting them is meant
# shellcheck disable=SC2086
if [ "$manager" = brew ]; then brew install $packages; else
    as_root apt-get install --yes --no-install-recommends $packages ||
        { as_root apt-get update && as_root apt-get install --yes --no-install-recommends $packages; }
fi
for program in $missing; do
    command -v "$program" >/dev/null 2>&1 || { echo "need.sh: $program is still not on PATH" >&2; exit 1; }
done
