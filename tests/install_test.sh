#!/usr/bin/env bash
# Installs a build tree into a temporary folder, runs each program there and checks the links of the
# installed pages. All four programs come with their pages of the manual.
#
#   tests/install_test.sh build/release 0.1.0 sweep sweep-coordinator sweep-worker sweep-trainer
set -euo pipefail
build=$1 version=$2
shift 2
prefix=$(mktemp -d)
trap 'rm -rf "$prefix"' EXIT
cmake --install "$build" --prefix "$prefix" > "$prefix/install.log" ||
  { cat "$prefix/install.log" >&2; exit 1; }

failures=0
complain() { echo "install_test: $*" >&2; failures=$((failures + 1)); }

for program in "$@"; do
  said=$("$prefix/bin/$program" --version 2>&1) || complain "$program --version fails: $said"
  [[ $said == *"$version"* ]] || complain "$program --version prints '$said', without $version"
  [ $# -lt 4 ] || [ -s "$prefix/share/man/man1/$program.1.gz" ] ||
    complain "$program has no page of the manual"
done

pages=$prefix/share/doc/sweep
while IFS=: read -r page link; do
  [ -e "${page%/*}/$link" ] || complain "$page links to $link, which is not installed"
done < <(grep -roP --include='*.md' '\]\(\K[^)#:\s]+(?=[)#])' "$pages")
[ -e "$pages/examples/quickstart.yaml" ] || complain "there are no examples in $pages"

exit $((failures > 0))
