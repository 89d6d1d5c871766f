# Clean machines as folders: a minimal Debian 12, and copies of it that forget what was done in them.
# Sourced by scripts that run cases there. $kept lasts between runs, $work does not.

roots=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

# start_cases NAME CASES ARGUMENTS...: starts the script again in a mount namespace of its own, as root,
# and sets $cases to those that the arguments name, or all.
start_cases() {
  local name=$1 all=$2 case
  shift 2
  [ "$(id -u)" -eq 0 ] || { echo "$name: needs root" >&2; exit 2; }
  if [ -z "${SWEEP_TEST_NAMESPACE:-}" ]; then
    SWEEP_TEST_NAMESPACE=yes exec unshare --mount --pid --fork --kill-child --mount-proc "$name" "$@"
  fi
  cases=("$@")
  [ $# -gt 0 ] || read -ra cases <<< "$all"
  for case in "${cases[@]}"; do
    [[ " $all " == *" $case "* ]] ||
      { echo "$name: there is no case '$case'; there are: $all" >&2; exit 2; }
  done
  packages=$PWD/build/packages
  kept=$PWD/build/package-tests
  mirror=http://deb.debian.org/debian
  mkdir -p "$kept"
  work=$(mktemp -d "$kept/work.XXXXXX")
  # What is mounted there goes with the namespace, but the folder must be free to be removed.
  trap 'umount -R -l "$work"/*/root 2> /dev/null || true; rm -rf --one-file-system "$work"' EXIT
  failures=0
}

complain() { echo "$(basename "$here"): $*" >&2; failures=$((failures + 1)); }

# Makes packages of a kind unless there are some: have deb deb, have tar.gz tarball.
have() { compgen -G "$packages/*.$1" > /dev/null || deploy/package.sh "$2"; }

run_case() {
  local before=$failures
  printf '\n-- %s\n' "$1"
  "case_$1"
  [ "$failures" -ne "$before" ] || echo "$1: passed"
}

# Makes the minimal system once, from Debian's packages.
make_base() {
  base=$kept/debian12
  [ -f "$base.done" ] && return
  local tools=$kept/debootstrap
  rm -rf "$base" "$tools"
  mkdir -p "$base" "$tools"
  echo "-- making a minimal Debian 12 in $base"
  (cd "$tools" && apt-get download -qq -o APT::Sandbox::User=root debootstrap)
  dpkg-deb -x "$tools"/debootstrap_*.deb "$tools"
  DEBOOTSTRAP_DIR=$tools/usr/share/debootstrap "$tools/usr/sbin/debootstrap" --variant=minbase \
    bookworm "$base" "$mirror" > "$kept/debootstrap.log" 2>&1 ||
    { tail "$kept/debootstrap.log" >&2; return 1; }
  rm -f "$base"/var/cache/apt/archives/*.deb
  touch "$base.done"
}

# new_root NAME: a fresh copy, with /proc, /dev and the network's names, as $root. It waits for no
# disk (volatile), since nothing of it is kept.
new_root() {
  local place=$work/$1
  root=$place/root
  mkdir -p "$place"/{upper,work,root}
  mount -t overlay overlay \
    -o "lowerdir=$base,upperdir=$place/upper,workdir=$place/work,volatile" "$root"
  mount -t proc proc "$root/proc"
  mount --rbind /dev "$root/dev"
  mount -t tmpfs tmpfs "$root/tmp"
  chmod 1777 "$root/tmp"
  cp -L /etc/resolv.conf "$root/etc/resolv.conf"
  # Services are not started by installing packages, as there is no init.
  printf '#!/bin/sh\nexit 101\n' > "$root/usr/sbin/policy-rc.d"
  chmod 755 "$root/usr/sbin/policy-rc.d"
}

# In the root: as root, with a plain environment.
inside() {
  env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 HOME=/root DEBIAN_FRONTEND=noninteractive \
    chroot "$root" "$@"
}

# The same as an ordinary user.
inside_as_user() { inside setpriv --reuid=1000 --regid=1000 --clear-groups env HOME=/home/user "$@"; }

quietly() {
  "$@" > "$work/quietly.log" 2>&1 || { cat "$work/quietly.log" >&2; return 1; }
}

# Names and patterns of files in the root.
install_debs() {
  quietly inside sh -c "apt-get install -y -qq --no-install-recommends $*"
}

# Puts the files of MNIST into the root, if this machine has them, and sets $demonstration to the
# sweep that can be trained then and $data to its arguments.
give_data() {
  local folder
  demonstration=synthetic data=()
  for folder in "${SWEEP_DATA_DIR:-}" "${XDG_CACHE_HOME:-$HOME/.cache}/sweep/mnist"; do
    compgen -G "$folder/train-images*" > /dev/null || continue
    mkdir -p "$root/srv/mnist"
    cp "$folder"/*-ubyte* "$root/srv/mnist"
    demonstration=quickstart data=(--data-dir /srv/mnist)
    return
  done
}

# boot [--net] [COMMAND...]: boots $root as a container, with namespaces of its own, and waits until its
# systemd or the command has ended, at most half an hour. With --net it sees no network but its own.
boot() {
  local namespaces=(--mount --pid --fork --kill-child --cgroup --ipc --uts)
  if [ "${1:-}" = --net ]; then
    namespaces+=(--net)
    shift
  fi
  umount -R -l "$root/proc" "$root/dev" "$root/tmp"
  mkdir -p "$root/var/log/journal"
  : > "$work/console"
  timeout --signal=KILL 1800 unshare "${namespaces[@]}" \
    "$roots/boot.sh" "$root" "$work/console" "$@" < /dev/null > "$work/boot.log" 2>&1 || true
}
