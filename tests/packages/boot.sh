#!/usr/bin/env bash
# Becomes the first process of a root, in namespaces of its own: its systemd, or the command.
#
#   boot.sh ROOT CONSOLE [COMMAND...]
set -euo pipefail
root=$1
mount --make-rprivate /
ip link set lo up
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys" -o ro
for folder in run tmp dev; do mount -t tmpfs tmpfs "$root/$folder"; done
chmod 1777 "$root/tmp"
for device in null zero full random urandom tty; do
  touch "$root/dev/$device"
  mount --bind "/dev/$device" "$root/dev/$device"
done
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts devpts "$root/dev/pts" -o newinstance,ptmxmode=0666
ln -s pts/ptmx "$root/dev/ptmx"
mount -t tmpfs tmpfs "$root/dev/shm"
touch "$root/dev/console"
mount --bind "$2" "$root/dev/console"
# systemd needs a hierarchy to keep processes apart: cgroup2, or only the one with its name where the
# controllers are in use as version 1.
if [ "$(stat -f -c %T /sys/fs/cgroup)" = cgroup2fs ]; then
  mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
else
  mount -t tmpfs tmpfs "$root/sys/fs/cgroup"
  mkdir "$root/sys/fs/cgroup/systemd"
  mount -t cgroup -o none,name=systemd cgroup "$root/sys/fs/cgroup/systemd"
fi
# The new root is a real one: behind chroot the kernel allows no namespaces of users, which the services have.
cd "$root"
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
pivot_root . .
umount -l .
shift 2
[ $# -gt 0 ] || set -- /lib/systemd/systemd --log-target=console --unit=multi-user.target
exec env -i container=other PATH="$PATH" "$@"
