#!/usr/bin/env bash
# Holds the files of deploy/kubernetes and deploy/docker: their schemas and what they say against the
# programs (fleet_test.py), and the images of the Dockerfile, which are built from Debian's packages of
# Sweep and let train, as compose.yaml says, by podman in a minimal Debian 12 that is a folder.
#
#   tests/fleet/run.sh [CASE...]       files, images; both unless named. Packages that are there are not
#                                      made anew.
#
# Needs root, Debian's packages (apt-get), Python's (pip), kubectl or kustomize, and promtool
# (deploy/install-deps.sh). Trains MNIST if SWEEP_DATA_DIR or the cache has it, else drawn digits.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/../.."
# shellcheck source=tests/packages/roots.sh
source tests/packages/roots.sh

readonly PYTHON=build/fleet-python
install_python() {
  [ -x $PYTHON/bin/python ] || python3 -m venv $PYTHON
  $PYTHON/bin/pip install --quiet --only-binary=:all: --requirement "$here/requirements.txt"
}

case_files() {
  install_python
  $PYTHON/bin/python "$here/fleet_test.py" --bin build/release/bin --all ||
    complain "the files of the fleet are wrong"
}

# What Docker's debian:12-slim leaves out of packages, and debootstrap does not.
make_slim_base() {
  mkdir -p "$work/slim"
  cp -a "$base/." "$work/slim"
  printf 'path-exclude /usr/share/doc/*\npath-include /usr/share/doc/*/copyright\n' \
    > "$work/slim/etc/dpkg/dpkg.cfg.d/docker"
  tar -C "$work/slim" -cf "$root/srv/debian.tar" .
  rm -rf "$work/slim"
}

case_images() {
  make_base
  new_root images
  give_data
  quietly inside apt-get update -qq
  install_debs podman crun netavark aardvark-dns iptables iproute2 python3-yaml python3-dotenv
  install_python
  cp $PYTHON/lib/python3*/site-packages/podman_compose.py "$root"
  make_slim_base
  mkdir -p "$root"/srv/{packages,context,checkout/deploy/docker}
  cp -r examples "$root/srv/checkout"
  cp deploy/docker/compose.yaml "$root/srv/checkout/deploy/docker"
  cp "$packages"/*.deb "$root/srv/packages"
  # Without the stages that build the packages: they are there.
  sed '/ AS build$/,/^COPY --from=build/d' deploy/docker/Dockerfile > "$root/srv/Dockerfile"
  install -m 755 "$here/engine.sh" "$root/engine.sh"
  boot /engine.sh "$(dpkg-deb -f "$packages"/sweep-client_*.deb Version)" "$demonstration"
  # The containers' groups of processes are this machine's. rmdir takes only those that are empty.
  find /sys/fs/cgroup -depth -type d -path '*/libpod_parent*' -exec rmdir {} + 2> /dev/null || true
  if ! grep -qx passed "$root/result" 2> /dev/null; then
    complain "images: $(cat "$root/result" "$work/boot.log" 2> /dev/null | tail -n 60)"
  else
    grep -v '^passed$' "$root/result"
  fi
}

start_cases tests/fleet/run.sh "files images" "$@"
for case in "${cases[@]}"; do
  [ "$case" = files ] || have deb deb
  run_case "$case"
done
exit $((failures > 0))
