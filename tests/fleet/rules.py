"""What the files of deploy/kubernetes and deploy/docker must be, beyond their schemas: confined, of one
version, and in agreement with each other and with what the programs say of themselves (--help)."""
import functools
import json
import pathlib
import re
import shlex
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
DOCKERFILE = DEPLOY / "docker" / "Dockerfile"
BIN = None
PROGRAMS = {"coordinator": "sweep-coordinator", "worker": "sweep-worker", "client": "sweep"}


@functools.lru_cache(maxsize=None)
def help_of(program):
    words = ["help", "environment"] if program == "sweep" else ["--help"]
    return subprocess.run([BIN / program, *words], capture_output=True, text=True, check=True, timeout=60).stdout


def default_of(program, option):
    """The default of an option of the form [default: X] in the program's help."""
    return re.search(rf"^  {option} .*?\[default:\s*([^\]]+)\]", help_of(program), flags=re.M | re.S)[1]


def default_ports():
    return [int(default_of("sweep-coordinator", option).rsplit(":", 1)[1]) for option in ("--listen", "--http")]


def drain_seconds():
    return int(default_of("sweep-worker", "--drain-grace").removesuffix("s"))


def version():
    return re.search(r"^project\(sweep VERSION ([\d.]+)", (ROOT / "CMakeLists.txt").read_text(), flags=re.M)[1]


def unknown_options(program, words):
    known = set(re.findall(r"(?<![\w-])--[a-z][\w-]*", help_of(program)))
    return [word for word in words if word.startswith("--") and word.partition("=")[0] not in known]


def unknown_variables(program, names):
    said = help_of(program) + (help_of("sweep") if program != "sweep" else "")
    return [name for name in names if name.startswith("SWEEP_") and not re.search(rf"\b{name}\b", said)]


def open_complaints(where, words):
    """A coordinator for other machines that would refuse to start."""
    is_open = any(not re.match(r"127\.|localhost|\[::1\]|off$", value) for option, value in zip(words, words[1:])
                  if option in ("--listen", "--http"))
    if is_open and not {"--insecure", "--tls-cert"} & set(words):
        return [f"{where}: listens for others without --tls-cert or --insecure"]
    return []


# Images.

def instructions(text):
    """(word, rest) of each instruction of a Dockerfile."""
    text = re.sub(r"^\s*#.*\n", "", text, flags=re.M)
    for line in re.sub(r"\\\n\s*", "", text).splitlines():
        if line.strip():
            word, _, rest = line.strip().partition(" ")
            yield word.upper(), rest.strip()


@functools.lru_cache(maxsize=None)
def images(text=None):
    """What each stage of the Dockerfile ends with; a stage starts with what it is made from."""
    stages = {}
    for word, rest in instructions(text or DOCKERFILE.read_text()):
        if word == "FROM":
            source, name = re.fullmatch(r"(\S+) AS (\S+)", rest).groups()
            stage = {**stages.get(source, {"user": "root", "volumes": [], "ports": [], "environment": {},
                                           "check": None, "words": set(), "base": source})}
            stage["words"] = set()
            stages[name] = stage
        elif word == "USER":
            stage["user"] = rest
        elif word == "VOLUME":
            stage["volumes"] = rest.split()
        elif word == "EXPOSE":
            stage["ports"] = [int(port) for port in rest.split()]
        elif word == "ENV":
            stage["environment"] = {**stage["environment"], **dict(w.split("=", 1) for w in shlex.split(rest))}
        elif word == "HEALTHCHECK":
            stage["check"] = rest
        elif word == "ENTRYPOINT":
            stage["entry"] = json.loads(rest)
        stage["words"].add(word)
    return stages


def image_complaints(stages):
    said = []
    for name, stage in stages.items():
        if stage["base"] != "scratch" and not re.search(r":[\d.]", stage["base"]):
            said.append(f"{name}: {stage['base']} is not a version")
        if "ADD" in stage["words"]:
            said.append(f"{name}: ADD fetches or unpacks; COPY does not")
    for name, program in PROGRAMS.items():
        stage = stages[name]
        if not re.fullmatch(r"[1-9]\d*:[1-9]\d*", stage["user"]):
            said.append(f"{name}: the user is {stage['user']}, not a number other than root's")
        if stage["entry"][0] != program:
            said.append(f"{name}: starts {stage['entry'][0]}")
        said += [f"{name}: {program} has no {word}" for word in unknown_options(program, stage["entry"])]
        said += [f"{name}: nobody reads {word}" for word in unknown_variables(program, stage["environment"])]
        if name != "client" and "sweep" not in (stage["check"] or ""):
            said.append(f"{name}: HEALTHCHECK asks nobody")
    if stages["coordinator"]["ports"] != default_ports():
        said.append(f"coordinator: EXPOSE is not {default_ports()}")
    return said


# Kubernetes.

def labels_match(selector, labels):
    return bool(selector) and selector.items() <= labels.items()


def pods(documents):
    """(document, its pod's labels, its pod's spec)"""
    for document in documents:
        template = document.get("spec", {}).get("template")
        if template:
            yield document, template["metadata"]["labels"], template["spec"]


def unequal(where, found, wanted):
    """A line for each key whose value is another."""
    return [f"{where}: {key} is {found.get(key)!r}, not {value!r}" for key, value in wanted.items()
            if found.get(key) != value]


def pod_complaints(where, pod, image):
    user = int(image["user"].split(":")[0])
    said = unequal(where, pod, {"automountServiceAccountToken": False, "enableServiceLinks": False,
                                "hostNetwork": None, "hostPID": None, "hostIPC": None})
    said += unequal(where, pod["securityContext"], {"runAsNonRoot": True, "runAsUser": user, "runAsGroup": user,
                                                    "fsGroup": user, "seccompProfile": {"type": "RuntimeDefault"}})
    said += [f"{where}: a volume of hostPath" for volume in pod["volumes"] if "hostPath" in volume]
    return said


def container_complaints(where, box, image):
    said = unequal(where, box["securityContext"], {"readOnlyRootFilesystem": True, "allowPrivilegeEscalation": False,
                                                   "privileged": None, "capabilities": {"drop": ["ALL"]}})
    resources = box["resources"]
    for kind, key in (("limit", "cpu"), ("limit", "memory"), ("request", "cpu"), ("request", "memory")):
        if key not in resources[kind + "s"]:
            said.append(f"{where}: has no {kind} of {key}")
    mounted = [mount["mountPath"] for mount in box["volumeMounts"]]
    said += [f"{where}: nothing is mounted at {path}" for path in image["volumes"] if path not in mounted]
    return said


def probe_complaints(where, box, ports):
    """A container with ports has them as the program's defaults, and all probes on the first."""
    if not ports:
        return []
    said = []
    if [port["containerPort"] for port in box.get("ports", [])] != ports:
        said.append(f"{where}: the ports are not {ports}")
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        said += unequal(f"{where}: {probe}", box.get(probe, {}).get("grpc", {}), {"port": ports[0]})
    return said


def program_complaints(where, documents, box, name):
    """Options and variables that the program does not have."""
    program = PROGRAMS[name]
    variables = [entry["name"] for entry in box.get("env", [])]
    said = []
    for source in box.get("envFrom", []):
        wanted = source["configMapRef"]["name"]
        maps = [d for d in documents if d["kind"] == "ConfigMap" and d["metadata"]["name"] == wanted]
        said += [] if maps else [f"{where}: there is no ConfigMap {wanted}"]
        variables += [key for found in maps for key in found["data"]]
    said += [f"{where}: {program} has no {word}" for word in unknown_options(program, box.get("args", []))]
    said += open_complaints(where, box.get("args", []))
    return said + [f"{where}: nobody reads {word}" for word in unknown_variables(program, variables)]


def selector_complaints(documents):
    said, all_labels = [], [labels for _, labels, _ in pods(documents)]
    for document in documents:
        where = f"{document['kind']} {document['metadata']['name']}"
        spec = document.get("spec", {})
        selector = {"Service": lambda: spec["selector"], "PodDisruptionBudget": lambda: spec["selector"]["matchLabels"],
                    "NetworkPolicy": lambda: spec["podSelector"]["matchLabels"]}.get(document["kind"])
        if selector and not any(labels_match(selector(), labels) for labels in all_labels):
            said.append(f"{where}: selects no pod")
    policies = [d["spec"] for d in documents if d["kind"] == "NetworkPolicy"]
    ports = {port["port"] for p in policies for way in p.get("ingress", []) + p.get("egress", []) for port in way["ports"]}
    if ports != {*default_ports(), 53, 443}:
        said.append(f"the NetworkPolicies let through {sorted(ports)}")
    for document, labels, _ in pods(documents):
        if not any(labels_match(p["podSelector"]["matchLabels"], labels)
                   and set(p["policyTypes"]) == {"Ingress", "Egress"} for p in policies):
            said.append(f"{document['kind']} {document['metadata']['name']}: no NetworkPolicy for both directions")
    return said


def autoscaler_complaints(documents):
    said, workloads = [], {d["metadata"]["name"]: d for d, _, _ in pods(documents)}
    adapter = (DEPLOY / "kubernetes/overlays/autoscaled/prometheus-adapter.yaml").read_text()
    listed = re.findall(r"^\| `(sweep_\w+)` \| gauge", (ROOT / "docs/metrics.md").read_text(), flags=re.M)
    said += [f"the adapter reads {name}, which is no gauge of docs/metrics.md"
             for name in set(re.findall(r"\b(sweep_\w+)\{", adapter)) if name not in listed]
    for document in documents:
        if document["kind"] != "HorizontalPodAutoscaler":
            continue
        spec = document["spec"]
        target = workloads[spec["scaleTargetRef"]["name"]]["spec"]
        if "replicas" in target:
            said.append("the autoscaler's Deployment sets replicas, too")
        metric = spec["metrics"][0]["external"]
        if f"as: {metric['metric']['name']}}}" not in adapter:
            said.append(f"the adapter does not serve {metric['metric']['name']}")
        slots = target["template"]["spec"]["containers"][0]["resources"]["limits"]["cpu"]
        if metric["target"]["averageValue"] != slots:
            said.append(f"a worker has {slots} slots, the autoscaler reckons with {metric['target']['averageValue']}")
    return said


def complaints(documents):
    """What is wrong with rendered manifests."""
    said, stages = selector_complaints(documents) + autoscaler_complaints(documents), images()
    for document, _, pod in pods(documents):
        where = f"{document['kind']} {document['metadata']['name']}"
        for box in pod["containers"] + pod.get("initContainers", []):
            image = stages[box["name"]]
            said += pod_complaints(where, pod, image) + container_complaints(where, box, image)
            said += probe_complaints(where, box, image["ports"])
            said += program_complaints(where, documents, box, box["name"])
            if box["image"] != f"sweep-{box['name']}:{version()}":
                said.append(f"{where}: the image is {box['image']}")
        if document["kind"] == "StatefulSet":
            said += unequal(where, document["spec"], {"replicas": 1})
        elif pod["terminationGracePeriodSeconds"] < 2 * drain_seconds():
            said.append(f"{where}: terminationGracePeriodSeconds leaves no time for checkpoints")
    for document in documents:
        if document["kind"] == "Service":
            said += [f"Service {document['metadata']['name']}: port {port['port']} is no default"
                     for port in document["spec"]["ports"] if port["port"] not in default_ports()]
        if document["kind"] == "Namespace":
            said += unequal("Namespace", document["metadata"].get("labels", {}),
                            {"pod-security.kubernetes.io/enforce": "restricted"})
    return said


# Compose.

def compose_complaints(compose):
    said, stages = [], images()
    named = {volume.split(":")[0] for service in compose["services"].values() for volume in service.get("volumes", [])}
    named = {volume for volume in named if re.fullmatch(r"\w+", volume)}
    if named != set(compose["volumes"]):
        said.append(f"volumes {sorted(named)} are used, {sorted(compose['volumes'])} are there")
    for name, service in compose["services"].items():
        program, image = PROGRAMS[name], stages[name]
        said += unequal(name, service, {"read_only": True, "cap_drop": ["ALL"], "privileged": None,
                                        "security_opt": ["no-new-privileges:true"], "network_mode": None,
                                        "image": f"sweep-{name}:{version()}"})
        said += open_complaints(name, service.get("command", []))
        said += [f"{name}: the port {port} is not for this machine only" for port in service.get("ports", [])
                 if not port.startswith("127.0.0.1:")]
        limits = service["deploy"]["resources"]["limits"]
        said += [f"{name}: has no limit of {key}" for key in ("cpus", "memory", "pids") if key not in limits]
        mounted = [volume.split(":")[-1] for volume in service.get("volumes", [])]
        said += [f"{name}: nothing is mounted at {path}" for path in image["volumes"] if path not in mounted]
        said += [f"{name}: {program} has no {word}" for word in unknown_options(program, service.get("command", []))]
        said += [f"{name}: nobody reads {word}" for word in unknown_variables(program, service.get("environment", {}))]
        if name == "worker" and int(service["stop_grace_period"].removesuffix("s")) < 2 * drain_seconds():
            said.append(f"{name}: stop_grace_period leaves no time for checkpoints")
    return said
