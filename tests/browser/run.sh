#!/usr/bin/env bash
# The dashboard in a real browser against the real programs.
#
#   tests/browser/run.sh smoke|all BIN PACKAGES
#
# BIN has the built programs; PACKAGES is where the dashboard's node packages are or will be installed.
# Ends with 77 (skipped) without Node 18, Chromium or a way to get the packages.
set -euo pipefail
readonly SKIPPED=77
cd "$(dirname "$0")"

skip() { printf 'browser tests: skipped: %s\n' "$*" >&2; exit $SKIPPED; }

suite=$1
bin=$(cd "$2" && pwd)
mkdir -p "$3"
packages=$(cd "$3" && pwd)
readonly dashboard=../../dashboards/web

version=$(node --version 2>/dev/null) || skip "there is no node"
major=${version#v}
[ "${major%%.*}" -ge 18 ] || skip "node is $version; 18 is needed"
chromium=${SWEEP_CHROMIUM:-$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)}
[ -n "$chromium" ] || skip "there is no chromium"
for program in sweep sweep-coordinator sweep-worker sweep-trainer; do
  [ -x "$bin/$program" ] || skip "$bin has no $program"
done
if [ ! -d "$packages/node_modules/playwright-core" ]; then
  cp $dashboard/package.json $dashboard/package-lock.json "$packages"
  (cd "$packages" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error) || skip "npm could not install the packages"
fi

export SWEEP_BIN=$bin SWEEP_NODE_PACKAGES=$packages SWEEP_CHROMIUM=$chromium
case $suite in
  smoke) exec node --test smoke_test.mjs ;;
  all) exec node --test --test-concurrency=1 ./*_test.mjs ;;
  *) echo "run.sh: there is no suite '$suite'; there are smoke, all" >&2; exit 2 ;;
esac
