#!/bin/bash
# Runs in a booted root that has podman: builds the images, starts compose.yaml by podman-compose, and
# lets it train. Writes "passed" into /result when all is well, else what is wrong.
#
#   engine.sh VERSION SWEEP [run]      the version of the images, one of the examples; run: without building
set -u
exec >> /result 2>&1
version=$1 sweep=$2
faults=0
complain() { echo "$*"; faults=$((faults + 1)); }
# Without systemd nobody asks for the health of containers in intervals; here the test does.
export DISABLE_HC_SYSTEMD=true
readonly EXAMPLES=/srv/checkout/examples

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

prepare_engine() {
  # crun gives what a container has as input and output to its user: it must not be this machine's null.
  umount -l /dev/null
  rm /dev/null
  mknod -m 666 /dev/null c 1 3
  chmod 755 /dev  # in a folder like /tmp root could not write to what is somebody else's
  # Layers cannot lie on a root that is itself made of layers.
  mkdir -p /var/lib/containers
  mount -t tmpfs tmpfs /var/lib/containers
  printf '[engine]\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\nruntime = "crun"\n' \
    > /etc/containers/containers.conf
  # Docker's `read_only` leaves nothing writable; podman's leaves /tmp and /run, unless it is told.
  cat > /podman << 'WRAPPER'
#!/bin/sh
case $1 in
  create | run) command=$1; shift; exec podman "$command" --read-only-tmpfs=false "$@" ;;
  *) exec podman "$@" ;;
esac
WRAPPER
  chmod 755 /podman
  [ "$(stat -f -c %T /sys/fs/cgroup)" != cgroup2fs ] || return
  local controller
  for controller in cpu cpuacct cpuset memory devices freezer blkio pids; do
    mkdir -p /sys/fs/cgroup/$controller
    mount -t cgroup -o $controller cgroup /sys/fs/cgroup/$controller
  done
}

build_images() {
  local target
  quietly podman import /srv/debian.tar docker.io/library/debian:12-slim
  for target in coordinator worker client; do
    quietly podman build --pull=never --format docker --network host --isolation chroot \
      --build-context packages=/srv/packages -f /srv/Dockerfile --target $target \
      -t sweep-$target:"$version" /srv/context
  done
  podman images --format '{{.Repository}} {{.Size}}' --filter "reference=*sweep-*"
}

compose() {
  python3 /podman_compose.py --podman-path /podman --in-pod false -p sweep \
    -f /srv/checkout/deploy/docker/compose.yaml "${overrides[@]}" "$@"
}
overrides=()
client() { compose --profile client run --rm -T client "$@"; }
# Of a service, those that run.
containers() { podman ps --quiet --filter label=com.docker.compose.service="$1"; }
well() { local box; for box in $(containers "$1"); do podman healthcheck run "$box" || return 1; done; }

start_services() {
  quietly compose up --detach coordinator
  soon 60 well coordinator
  # podman-compose sees replicas only where the mode is named.
  quietly compose up --detach --scale worker=2
  soon 60 well worker
  [ "$(containers worker | wc -l)" = 2 ] || complain "there are not two workers: $(podman ps --all)"
}

# trains NAME: 3 means that no configuration met the criteria.
trains() {
  local said code=0
  said=$(client submit "$1.yaml" --wait 2>&1) || code=$?
  [ $code -eq 0 ] || [ $code -eq 3 ] || complain "submit $1 ends with $code: $said"
  client best "$1" | grep -q "$1/" || complain "there is no ranking of $1: $said"
}

check_images() {
  quietly podman run --rm --entrypoint test sweep-worker:"$version" \
    -f /usr/share/doc/sweep-worker/licences/libtorch/LICENSE
  quietly podman run --rm --entrypoint test sweep-client:"$version" \
    -f /usr/share/doc/sweep/examples/quickstart.yaml
}

check_confinement() {
  local box service
  for service in coordinator worker; do
    box=$(containers $service | head -n 1)
    [ "$(podman exec "$box" id -u)" = 10001 ] || complain "$service runs as $(podman exec "$box" id)"
    podman exec "$box" grep -q '^CapEff:\s*0*$' /proc/1/status || complain "$service has capabilities"
    podman exec "$box" sh -c 'touch /etc/x || touch /tmp/x' 2> /dev/null && complain "$service writes to its root"
  done
  # One processor each: one slot.
  client workers --format json | tr -d ' \n' | grep -o '"slots":[0-9]*' | sort | uniq -c |
    grep -Eq '^ *2 "slots":1$' || complain "the slots are not those of the limits: $(client workers)"
}

# The published ports, from the machine itself.
check_ports() {
  local said
  said=$(exec 3<> /dev/tcp/127.0.0.1/7078 &&
    printf 'GET /metrics HTTP/1.0\r\nHost: 127.0.0.1:7078\r\n\r\n' >&3 && cat <&3)
  [[ $said == *sweep_queue_trials* ]] || complain "the dashboard's port says '${said:0:200}'"
}

# A worker that is stopped gives its trial back with a checkpoint, at no cost in failures.
check_drain() {
  local box boxes trial
  sed 's/^name: .*/name: long/; s/^epochs: .*/epochs: 1000/' $EXAMPLES/synthetic.yaml > $EXAMPLES/long.yaml
  quietly client submit long.yaml
  soon 60 sh -c "podman exec $(containers coordinator) sweep trials long --format json | grep -q '\"epoch\": *[1-9]'"
  boxes=$(containers worker)
  # shellcheck disable=SC2086
  quietly podman stop --time 60 $boxes
  for box in $boxes; do
    [ "$(podman inspect --format '{{.State.ExitCode}}' "$box")" = 0 ] ||
      complain "a stopped worker ends badly: $(podman logs "$box" 2>&1 | tail -n 5)"
  done
  trial=$(client trial long/1 --format json | tr -d ' \n')
  [[ $trial == *given_back* && $trial == *'"failures":0'* ]] || complain "the stopped worker's trial: $(client trial long/1)"
  quietly client cancel long
}

run_services() {
  local start
  ip link set lo up
  # As if it had been downloaded.
  if [ -d /srv/mnist ]; then
    quietly podman volume create sweep_cache
    install -d -o 10001 -g 10001 "$(podman volume inspect --format '{{.Mountpoint}}' sweep_cache)/sweep/mnist"
    install -o 10001 -g 10001 /srv/mnist/* "$(podman volume inspect --format '{{.Mountpoint}}' sweep_cache)/sweep/mnist"
  fi
  start_services
  start=$SECONDS
  trains "$sweep"
  echo "$sweep took $((SECONDS - start)) s"
  client best "$sweep" --top 1
  check_images
  check_confinement
  check_ports
  check_drain

  # The database outlives its containers; a worker without a coordinator is not well; libtorch trains too.
  quietly compose down
  printf 'services: {worker: {command: [--backend, torch]}}\n' > /srv/torch.yaml
  overrides=(-f /srv/torch.yaml)
  start_services
  client best "$sweep" | grep -q "$sweep/" || complain "new containers have lost the sweep"
  sed 's/^name: .*/name: torch/' $EXAMPLES/synthetic.yaml > $EXAMPLES/torch.yaml
  trains torch
  # shellcheck disable=SC2046
  quietly podman stop $(containers coordinator)
  well worker > /dev/null 2>&1 && complain "a worker without a coordinator calls itself well"
}

if [ "${3:-}" != run ]; then
  prepare_engine
  build_images
  [ $faults -eq 0 ] || exit 1
  # Building fetches Debian's packages; from here on there is no network but the containers' own.
  exec unshare --net "$0" "$version" "$sweep" run
fi
run_services
[ $faults -eq 0 ] && echo passed
