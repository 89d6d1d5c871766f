#!/usr/bin/env bash
# Tests the dashboard in a real browser with the real programs.
#
#   tests/browser/run.sh units|smoke|all|large|pictures BIN PACKAGES [dashboard|search]
#
# BIN has the built programs; PACKAGES is the folder for the dashboard's node packages. The last word chooses among the
# pictures; without it all are made.
# Ends with 77 (skipped) without Node 18, Chromium or a way to get the packages.
set -euo pipefail
readonly SKIPPED=77

skip() { printf 'browser tests: skipped: %s\n' "$*" >&2; exit $SKIPPED; }

suite=$1
bin=$(cd "$2" && pwd)
mkdir -p "$3"
packages=$(cd "$3" && pwd)
cd "$(dirname "$0")"
readonly dashboard=../../dashboards/web

version=$(node --version 2>/dev/null) || skip "there is no node"
major=${version#v}
[ "${major%%.*}" -ge 18 ] || skip "node is $version; 18 is needed"
install_packages() {
  [ -d "$packages/node_modules/vitest" ] && return
  cp $dashboard/package.json $dashboard/package-lock.json $dashboard/.npmrc "$packages"
  (cd "$packages" && npm ci --ignore-scripts --loglevel=error) || skip "npm could not install the packages"
}

# The unit tests of the page's parts, which need no browser.
if [ "$suite" = units ]; then
  install_packages
  for part in src fixtures tsconfig.json vite.config.ts; do cp -r "$dashboard/$part" "$packages"; done
  cd "$packages"
  exec node node_modules/vitest/vitest.mjs run
fi

chromium=${SWEEP_CHROMIUM:-$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)}
[ -n "$chromium" ] || skip "there is no chromium"
for program in sweep sweep-coordinator sweep-worker sweep-trainer; do
  [ -x "$bin/$program" ] || skip "$bin has no $program"
done
install_packages

export SWEEP_BIN=$bin SWEEP_NODE_PACKAGES=$packages SWEEP_CHROMIUM=$chromium
case $suite in
  smoke) exec node --test smoke_test.mjs ;;
  all) exec node --test --test-concurrency=1 ./*_test.mjs ;;
  large) exec node large_bench.mjs ;;
  pictures) exec node pictures.mjs "${@:4}" ;;
  *) echo "run.sh: there is no suite '$suite'; there are units, smoke, all, large, pictures" >&2; exit 2 ;;
esac
