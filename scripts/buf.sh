#!/bin/sh
# Checks the contracts in protos/ with buf: lint, format, and no change that breaks those who implement them.
#
# buf comes from the npm package @bufbuild/buf, pinned, into .tools/. What counts as the past is the last release; before
# the first one it is main, and on main itself the commit before. BUF_AGAINST=<git ref> names another. Called by
# `make proto-check`.
set -eu
cd "$(dirname "$0")/.."
version=1.75.0
buf=.tools/node_modules/.bin/buf
if [ "$($buf --version 2>/dev/null || true)" != "$version" ]; then
    scripts/need.sh npm
    npm install --silent --no-save --no-audit --no-fund --prefix .tools "@bufbuild/buf@$version"
fi
against=${BUF_AGAINST:-$(git describe --tags --abbrev=0 --match 'v*' 2>/dev/null || true)}
if [ -z "$against" ]; then
    if [ "$(git rev-parse --abbrev-ref HEAD)" != main ] && git rev-parse --verify --quiet main >/dev/null; then against=main
    else against=HEAD~1; fi
fi
$buf lint
$buf format --diff --exit-code >&2
if git rev-parse --verify --quiet "$against:protos" >/dev/null; then
    $buf breaking --against ".git#ref=$(git rev-parse "$against")"
else
    echo "buf.sh: $against has no protos to compare with: breaking changes not checked" >&2
fi
