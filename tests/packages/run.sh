#!/usr/bin/env bash
# Holds the packages of deploy/package.sh against clean machines: installs them in minimal Debian 12
# systems that are folders, under a mount namespace of their own, and runs a sweep there.
#
#   tests/packages/run.sh [CASE...]    errors, contents, install, upgrade, service, tarball; all of them
#                                      unless named. Packages that are there are not made anew.
#
# Needs root and Debian's packages (apt-get). Trains MNIST if SWEEP_DATA_DIR or the cache has it, else
# drawn digits. Keeps the minimal system in build/package-tests.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/../.."
# shellcheck source=tests/packages/roots.sh
source "$here/roots.sh"
# shellcheck source=tests/packages/cases.sh
source "$here/cases.sh"

start_cases tests/packages/run.sh "errors contents install upgrade service tarball" "$@"
for case in "${cases[@]}"; do
  case $case in
    errors) ;;
    tarball) have tar.gz tarball ;;
    *) have deb deb ;;
  esac
  run_case "$case"
done
exit $((failures > 0))
