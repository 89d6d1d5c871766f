#!/usr/bin/env bash
# Runs workers in jobs of a real Slurm, which is started here without being installed. Tests what
# the end, the time limit, the requeue and the preemption of a job cost a program that needs 2 s for
# its checkpoint.
#
#   tests/slurm/run.sh BIN [CASE...]      BIN: the folder of sweep, sweep-coordinator, sweep-worker;
#                                         cases: cancel, requeue, preempt, limit (default: all)
#
# Needs Debian's packages of Slurm 22.05 (apt-get download), python3, and to be root. Takes five minutes.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
bin=$(cd "$1" && pwd)
shift
cases=("$@")
[ $# -gt 0 ] || cases=(cancel requeue preempt limit)

work=$(mktemp -d)
chmod 755 "$work"
root=$work/root
pids=()
finish() {
  local pid
  for pid in "${pids[@]}" $(cat "$work"/slurm/{slurmd.pid,slurmctld.pid,munge/pid} 2>/dev/null); do
    kill "$pid" 2>/dev/null || continue
    for _ in $(seq 100); do kill -0 "$pid" 2>/dev/null && sleep 0.1; done
  done
  rm -rf "$work"
}
trap finish EXIT

fetch() {
  mkdir -p "$work/packages" "$root"
  (cd "$work/packages" && apt-get download -qq -o APT::Sandbox::User=root slurmctld slurmd slurm-client \
    slurm-wlm-basic-plugins munge libmunge2 libhwloc15 liblua5.1-0)
  for package in "$work"/packages/*.deb; do dpkg-deb -x "$package" "$root"; done
}

# Two free ports.
free_ports() {
  python3 -c 'import socket
s = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
print(*(x.getsockname()[1] for x in s))'
}

start_slurm() {
  local run=$work/slurm host ports plugins=$root/usr/lib/x86_64-linux-gnu/slurm-wlm
  host=$(hostname -s)
  read -ra ports < <(free_ports)
  mkdir -p "$run"/{state,spool,log,munge}
  chmod 700 "$run/munge"
  export LD_LIBRARY_PATH=$root/usr/lib/x86_64-linux-gnu:$plugins SLURM_CONF=$run/slurm.conf
  export PATH=$root/usr/bin:$PATH
  sed -e "s|@HOST@|$host|g; s|@RUN@|$run|g; s|@PLUGINS@|$plugins|g" \
    -e "s|@CONTROL@|${ports[0]}|; s|@NODE@|${ports[1]}|" "$here/slurm.conf.in" >"$SLURM_CONF"
  dd if=/dev/urandom of="$run/munge/key" bs=128 count=1 status=none
  chmod 400 "$run/munge/key"
  "$root/usr/sbin/munged" --force --key-file="$run/munge/key" --socket="$run/munge/socket" \
    --pid-file="$run/munge/pid" --log-file="$run/munge/log" --seed-file="$run/munge/seed" \
    --num-threads=2
  "$root/usr/sbin/slurmctld-wlm" -c
  "$root/usr/sbin/slurmd-wlm" -d "$root/usr/sbin/slurmstepd-wlm"
  until_is 60 "sinfo --noheader --format=%T | sort -u" idle
}

# until_is SECONDS COMMAND TEXT: waits until the command prints the text.
until_is() {
  local end=$((SECONDS + $1)) now=""
  while [ $SECONDS -lt $end ]; do
    now=$(bash -c "$2" 2>&1) && [ "$now" = "$3" ] && return
    sleep 0.2
  done
  echo "tests/slurm/run.sh: '$2' says '$now' after $1 s, not '$3'" >&2
  tail -n 20 "$work"/jobs/* >&2 || true
  return 1
}

start_coordinator() {
  cd "$work"
  unset SWEEP_COORDINATOR
  "$bin/sweep-coordinator" --db sweep.db --listen 127.0.0.1:0 --http off >coordinator.log 2>&1 &
  pids+=($!)
  until_is 20 "grep -c 'listening on' coordinator.log" 1
  SWEEP_COORDINATOR=$(sed -n 's/^listening on //p' coordinator.log)
  export SWEEP_COORDINATOR
}

submit_sweep() {
  cp "$here/slow_checkpoint.py" "$work/"
  printf 'name: %s\nprogram: [python3, slow_checkpoint.py]\nfiles: [slow_checkpoint.py]\n%s' "$1" \
    $'parameters: {x: 1}\nrun_cap: 1\nepochs: 10000\nmax_failures: 1\n' >"$1.yaml"
  "$bin/sweep" submit "$1.yaml" --quiet >/dev/null
}

# The command that prints a field of the sweep's only trial.
trial() { echo "python3 '$here/field.py' '$work/sweep.db' $1 $2"; }

# The job of a worker: `srun`, so that Slurm signals the worker and its program as a step.
start_job() {
  mkdir -p jobs
  printf '#!/bin/sh\nexec srun "%s" --slots 1 --allow-program --log-level info\n' "$bin/sweep-worker" \
    >worker.sh
  sbatch --parsable --partition=low --requeue --time="${2:-10}" --output="jobs/$1" worker.sh
}

# The lease was given back with its checkpoint, and no failure is counted.
check() {
  until_is "${2:-60}" "$(trial "$1" outcome)" given_back
  until_is 1 "$(trial "$1" failures)" 0
  until_is 1 "$(trial "$1" checkpoint)" 1
  echo "$1: given back with its checkpoint, no failure"
}

run_case() {
  local job
  submit_sweep "$1"
  job=$(start_job "$1" "$([ "$1" = limit ] && echo 1 || echo 10)")
  until_is 60 "$(trial "$1" state)" running
  until_is 30 "$(trial "$1" measured)" 1
  case $1 in
    cancel) scancel "$job" ;;
    requeue) scontrol requeue "$job" ;;
    preempt) sbatch --parsable --partition=high --exclusive --output=/dev/null --wrap 'sleep 1' >high ;;
    limit) ;; # slurmctld checks every 30 s
  esac
  check "$1" "$([ "$1" = limit ] && echo 150 || echo 90)"
  scancel "$job" $(cat high 2>/dev/null) 2>/dev/null || true
  "$bin/sweep" cancel "$1" >/dev/null
  until_is 90 "squeue --noheader" ""
}

fetch
start_slurm
start_coordinator
for name in "${cases[@]}"; do run_case "$name"; done
