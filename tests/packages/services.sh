#!/bin/bash
# Runs in a booted root: starts the services as docs/install.md says, and lets them train. Writes
# "passed" into /result when all is well, else what is wrong. $1: the coordinator's package that an
# upgrade installs.
set -u
exec > /result 2>&1
faults=0
complain() { echo "$*"; faults=$((faults + 1)); }
examples=/usr/share/doc/sweep/examples

# ends CODE COMMAND...: 3 means that no configuration met the criteria.
ends() {
  local said code=0
  said=$(timeout 240 "$@" 2>&1) || code=$?
  [ $code -eq 0 ] || [ $code -eq 3 ] || complain "'$*' ends with $code: $said"
}

# trains NAME [SED]: the synthetic sweep under another name.
trains() {
  sed "s/^name: .*/name: $1/" $examples/synthetic.yaml > "/tmp/$1.yaml"
  ends sweep submit "/tmp/$1.yaml" --wait
  sweep best "$1" | grep -q "$1/" || complain "there is no ranking of $1"
}

systemctl enable --now sweep-coordinator sweep-worker
trains first

# libtorch and foreign programs in the same sandbox.
echo 'backend: torch' >> /etc/sweep/worker.yaml
echo 'allow_program: true' >> /etc/sweep/worker.yaml
systemctl restart sweep-worker
trains torch
ends sweep submit $examples/shell.yaml --wait

exec 3<> /dev/tcp/127.0.0.1/7078
printf 'GET / HTTP/1.0\r\nHost: 127.0.0.1:7078\r\n\r\n' >&3
head -n 1 <&3 | grep -q ' 200 ' || complain "there is no dashboard"

user=$(stat -c %U /var/lib/sweep/sweep.db)
[ "$user" != root ] || complain "the database belongs to root"

before=$(systemctl show -p MainPID sweep-coordinator)
dpkg -i "$1" > /tmp/upgrade.log 2>&1 || complain "upgrade: $(cat /tmp/upgrade.log)"
after=$(systemctl show -p MainPID sweep-coordinator)
[ "$after" != "$before" ] && [ "$after" != MainPID=0 ] ||
  complain "the upgrade has not restarted the coordinator: $before, then $after"
sweep best first | grep -q first/ || complain "the upgrade has lost a sweep"
trains second

# As older versions had their settings; these count more.
echo 'SWEEP_COORDINATOR_OPTIONS="--log-level debug"' > /etc/default/sweep-coordinator
systemctl restart sweep-coordinator
trains third
pgrep -f 'coordinator.yaml --log-level debug' > /dev/null ||
  complain "the service does not take the options in /etc/default/sweep-coordinator"

echo 'listne: 1' >> /etc/sweep/coordinator.yaml
systemctl restart sweep-coordinator
for _ in $(seq 100); do
  systemctl is-failed -q sweep-coordinator && break
  sleep 0.1
done
systemctl is-failed -q sweep-coordinator || complain "a wrong setting does not stop the service"
journalctl -u sweep-coordinator | grep -q "coordinator.yaml:.*did you mean 'listen'" ||
  complain "the journal does not name the wrong setting"

dpkg --purge sweep-coordinator sweep-worker > /tmp/purge.log 2>&1 ||
  complain "purge: $(cat /tmp/purge.log)"
pgrep -l sweep- && complain "these still run after the purge"
left=$(find / -xdev -name '*sweep*' -not -path '/tmp/*' -not -path '/packages/*' -not -path '/usr/share/*' \
  -not -path '/var/lib/dpkg/info/sweep-client*' -not -path /usr/bin/sweep)
[ -z "$left" ] || complain "the purge leaves $left"
if [ $faults -eq 0 ]; then
  echo passed
else
  journalctl --no-pager -o cat -u sweep-coordinator -u sweep-worker | head -n 40
fi
