# Clean machines as folders: a minimal Debian 12, and copies of it that forget what was done in them.
# Sourced by run.sh, in a mount namespace of its own. $kept lasts between runs, $work does not.

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
