#!/bin/bash
# Runs in a booted root that has podman: builds the images, and lets a coordinator, a worker and a client
# train. Writes "passed" into /result when all is well, else what is wrong. $1: the sweep of the examples.
set -u
exec > /result 2>&1
faults=0
complain() { echo "$*"; faults=$((faults + 1)); }
# Layers cannot lie on a root that is itself made of layers.
mkdir -p /var/lib/containers
mount -t tmpfs tmpfs /var/lib/containers
cat > /etc/containers/containers.conf <<'CONF'
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "crun"
[containers]
cgroups = "disabled"
log_driver = "k8s-file"
CONF

# quietly COMMAND...: shows what it says when it fails.
quietly() { "$@" > /tmp/quiet 2>&1 || complain "'$*' ends with $?: $(tail -n 15 /tmp/quiet)"; }

# soon SECONDS COMMAND...: the command ends well within that time.
soon() {
  local end=$((SECONDS + $1))
  shift
  until "$@" > /tmp/soon 2>&1; do
    [ $SECONDS -lt $end ] || { complain "'$*' still fails: $(tail -n 5 /tmp/soon)"; return 1; }
    sleep 0.5
  done
}

# As deploy/kubernetes and compose.yaml confine them. All share the coordinator's network, which is
# nothing but loopback.
readonly CONFINED=(--read-only --read-only-tmpfs=false --cap-drop all --security-opt no-new-privileges)
coordinator() {
  quietly podman run --detach --name coordinator --network none "${CONFINED[@]}" \
    -v database:/var/lib/sweep sweep-coordinator --listen 0.0.0.0:7077 --http 0.0.0.0:7078
  soon 60 podman healthcheck run coordinator
}
worker() {
  quietly podman run --detach --name worker --network container:coordinator "${CONFINED[@]}" \
    -v cache:/var/cache/sweep-worker -v /srv:/srv:ro -e SWEEP_DATA_DIR="$data" \
    -e SWEEP_COORDINATOR=127.0.0.1:7077 sweep-worker "$@"
  soon 60 podman healthcheck run worker
}
client() {
  podman run --rm --network container:coordinator "${CONFINED[@]}" -v /tmp/sweeps:/sweeps:ro -w /sweeps \
    -e SWEEP_COORDINATOR=127.0.0.1:7077 sweep-client "$@"
}
# trains NAME: 3 means that no configuration met the criteria.
trains() {
  local said code=0
  said=$(client submit "$1.yaml" --wait 2>&1) || code=$?
  [ $code -eq 0 ] || [ $code -eq 3 ] || complain "submit $1 ends with $code: $said"
  client best "$1" | grep -q "$1/" || complain "there is no ranking of $1: $said"
}

quietly podman import /srv/debian.tar docker.io/library/debian:12-slim
for target in coordinator worker client; do
  quietly podman build --format docker --network host --isolation chroot \
    --build-context packages=/srv/packages -f /srv/Dockerfile --target $target -t sweep-$target /srv/context
done
podman images --format '{{.Repository}} {{.Size}}' --filter reference='sweep-*'
[ $faults -eq 0 ] || exit 1

data=""
[ ! -d /srv/mnist ] || data=/srv/mnist
mkdir /tmp/sweeps
examples=/usr/share/doc/sweep/examples
podman run --rm --entrypoint tar sweep-client -c -C $examples . | tar -x -C /tmp/sweeps ||
  complain "sweep-client has no examples"
quietly podman run --rm --entrypoint test sweep-worker -f /usr/share/doc/sweep-worker/licences/libtorch/LICENSE

coordinator
worker
start=$SECONDS
trains "$1"
echo "$1 took $((SECONDS - start)) s"
client best "$1" --top 1

for name in coordinator worker; do
  [ "$(podman exec $name id -u)" = 10001 ] || complain "$name runs as $(podman exec $name id -un)"
  podman exec $name grep -q '^CapEff:\s*0*$' /proc/1/status || complain "$name has capabilities"
  podman exec $name sh -c 'touch /etc/x' 2> /dev/null && complain "$name can write to its root"
done

# A worker that is stopped gives its trial back with a checkpoint, and another one goes on, with libtorch.
sed 's/^name: .*/name: long/; s/^epochs: .*/epochs: 1000/; s/^run_cap: .*/run_cap: 1/' \
  /tmp/sweeps/synthetic.yaml > /tmp/sweeps/long.yaml
quietly client submit long.yaml
soon 60 sh -c "podman exec coordinator sweep trials long --format json | grep -q '\"epoch\": *[1-9]'"
quietly podman stop --time 60 worker
code=$(podman inspect --format '{{.State.ExitCode}}' worker)
[ "$code" = 0 ] || complain "the stopped worker ends with $code: $(podman logs worker 2>&1 | tail -n 5)"
soon 30 sh -c "podman exec coordinator sweep trial long/1 | grep -q 'given back'" ||
  complain "$(podman exec coordinator sweep trial long/1)"
quietly client cancel long
quietly podman rm worker
worker --backend torch
sed 's/^name: .*/name: torch/' /tmp/sweeps/synthetic.yaml > /tmp/sweeps/torch.yaml
trains torch

# The database outlives its coordinator. A worker without one is not well.
quietly podman stop coordinator
podman healthcheck run worker > /dev/null 2>&1 && complain "a worker without a coordinator calls itself well"
quietly podman rm --force worker coordinator
coordinator
client best torch | grep -q torch/ || complain "a new coordinator has lost the sweep"
[ $faults -eq 0 ] && echo passed
