#!/usr/bin/env bash
# Makes packages of the programs in build/release, which deploy/build.sh has built, in build/packages:
# for Debian 12 one .deb each for client, coordinator and worker, and a tarball that runs wherever it
# is unpacked (glibc 2.36 or newer). docs/install.md tells how they are installed.
#
#   deploy/package.sh [deb|tarball]...      both unless named
set -euo pipefail
cd "$(dirname "$0")/.."
readonly BUILD=build/release OUT=build/packages

fail() { printf 'package: error: %s\n' "$1" >&2; exit "${2:-1}"; }

kinds=("$@")
[ $# -gt 0 ] || kinds=(deb tarball)
for kind in "${kinds[@]}"; do
  case $kind in
    deb | tarball) ;;
    *) fail "there is no kind of package '$kind'; there are deb, tarball" 2 ;;
  esac
done

# The tool, and Debian's package that has it.
need() { command -v "$1" > /dev/null || fail "$1 is missing; it is in Debian's package $2"; }

check_tools() {
  need cmake cmake
  need cpack cmake
  need gzip gzip
  need objdump binutils
  need strip binutils
  need dpkg-query dpkg
  case " ${kinds[*]} " in
    *" deb "*)
      need dpkg-shlibdeps dpkg-dev
      need file file
      ;;
  esac
}

# The programs must be there, and of the version that the packages will have.
check_build() {
  local program said version
  version=$(sed -n 's/^project(sweep VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)
  [ -f $BUILD/CMakeCache.txt ] || fail "there is no build in $BUILD; run deploy/build.sh first"
  for program in sweep sweep-coordinator sweep-worker sweep-trainer; do
    [ -x $BUILD/bin/$program ] || fail "there is no $BUILD/bin/$program; run deploy/build.sh $program first"
    said=$($BUILD/bin/$program --version) || fail "$BUILD/bin/$program does not run"
    said=${said#sweep-* }
    [ "${said%%,*}" = "$version" ] ||
      fail "$BUILD/bin/$program has version ${said%%,*}, not $version; run deploy/build.sh $program first"
  done
  [ -f $BUILD/web/web_files.bin ] ||
    fail "$BUILD/bin/sweep-coordinator has no dashboard; with Node.js 18 and npm, run deploy/build.sh first"
}

run() {
  "$@" > $OUT/package.log 2>&1 || { cat $OUT/package.log >&2; fail "'$*' failed"; }
}

check_tools
check_build
mkdir -p $OUT
run cmake -S . -B $BUILD
for kind in "${kinds[@]}"; do
  case $kind in
    deb) generator=DEB; rm -f $OUT/*.deb ;;
    tarball) generator=TGZ; rm -f $OUT/*.tar.gz ;;
  esac
  run cpack --config $BUILD/CPackConfig.cmake -G $generator -B $OUT
done
rm -rf $OUT/_CPack_Packages $OUT/package.log
for package in $OUT/*.deb $OUT/*.tar.gz; do
  [ ! -f "$package" ] || du -h "$package"
done
