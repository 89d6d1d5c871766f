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
if [ -z "${SWEEP_TEST_NAMESPACE:-}" ]; then
  [ "$(id -u)" -eq 0 ] || { echo "tests/packages/run.sh: needs root" >&2; exit 2; }
  SWEEP_TEST_NAMESPACE=yes exec unshare --mount --pid --fork --kill-child --mount-proc "$0" "$@"
fi
readonly ALL="errors contents install upgrade service tarball"
cases=("$@")
[ $# -gt 0 ] || read -ra cases <<< "$ALL"
for case in "${cases[@]}"; do
  [[ " $ALL " == *" $case "* ]] ||
    { echo "tests/packages/run.sh: there is no case '$case'; there are: $ALL" >&2; exit 2; }
done

packages=$PWD/build/packages
kept=$PWD/build/package-tests
mirror=http://deb.debian.org/debian
mkdir -p "$kept"
work=$(mktemp -d "$kept/work.XXXXXX")
# What is mounted there goes with the namespace, but the folder must be free to be removed.
trap 'umount -R -l "$work"/*/root 2> /dev/null || true; rm -rf --one-file-system "$work"' EXIT
failures=0
complain() { echo "packages: $*" >&2; failures=$((failures + 1)); }

# shellcheck source=tests/packages/roots.sh
source "$here/roots.sh"
# shellcheck source=tests/packages/cases.sh
source "$here/cases.sh"

have() { compgen -G "$packages/*.$1" > /dev/null || deploy/package.sh "$2"; }
for case in "${cases[@]}"; do
  printf '\n-- %s\n' "$case"
  before=$failures
  case $case in
    errors) ;;
    tarball) have tar.gz tarball ;;
    *) have deb deb ;;
  esac
  "case_$case"
  [ "$failures" -ne "$before" ] || echo "$case: passed"
done
exit $((failures > 0))
