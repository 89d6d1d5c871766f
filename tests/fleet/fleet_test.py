#!/usr/bin/env python3
"""Holds the files of deploy/kubernetes and deploy/docker against the API's schemas, the programs and
each other, without a cluster and without an engine.

    fleet_test.py --bin build/release/bin           skips what needs a tool that is missing
    fleet_test.py --bin build/release/bin --all     fails there; tests/long.sh fleet installs the tools

Each rule of `complaints` is broken on purpose, too.
"""
import argparse
import copy
import functools
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

import rules
from rules import DEPLOY, ROOT

sys.path.append(str(ROOT / ".deps" / "python"))
try:
    import yaml
except ImportError:
    yaml = None
try:
    import kubernetes_validate
except ImportError:
    kubernetes_validate = None
try:
    import compose_spec
except ImportError:
    compose_spec = None

# The gRPC probe is part of the API since 1.27. The newest are those that the package has.
VERSIONS = ("1.27", "1.30", "1.33", "1.37")
TARGETS = ("base", "overlays/single-node", "overlays/autoscaled")
ALL = False


def needs(test, *what):
    """Skips the test unless all of it is there."""
    for thing, name in what:
        if not thing and ALL:
            test.fail(f"{name} is missing")
        if not thing:
            test.skipTest(f"{name} is missing")


def kustomize():
    for command in (["kustomize", "build"], ["kubectl", "kustomize"]):
        if shutil.which(command[0]):
            return command
    return None


def promtool():
    unpacked = ROOT / ".deps" / "prometheus" / "promtool"
    return str(unpacked) if unpacked.exists() else shutil.which("promtool")


@functools.lru_cache(maxsize=None)
def parsed(target):
    command = [*kustomize(), str(DEPLOY / "kubernetes" / target)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and not done.stderr, f"{' '.join(command)}: {done.stderr}"
    return list(yaml.safe_load_all(done.stdout))


def rendered(target):
    return copy.deepcopy(parsed(target))


def schema_complaint(document, version):
    try:
        kubernetes_validate.validate(document, version, strict=True)
    except (kubernetes_validate.ValidationError, kubernetes_validate.SchemaNotFoundError) as error:
        return f"{document['kind']}, Kubernetes {version}: {error.message}"
    return None


def find(documents, kind, name="sweep-worker"):
    return next(d for d in documents if d["kind"] == kind and d["metadata"]["name"] == name)


def container(documents, kind, name):
    return find(documents, kind, name)["spec"]["template"]["spec"]["containers"][0]


# A rule of `rules.complaints`: what its complaint says, and what breaks it.
def breakages():
    pod = lambda d: find(d, "Deployment")["spec"]["template"]["spec"]
    worker = lambda d: container(d, "Deployment", "sweep-worker")
    coordinator = lambda d: container(d, "StatefulSet", "sweep-coordinator")
    return [
        ("runAsNonRoot", lambda d: pod(d)["securityContext"].update(runAsNonRoot=False)),
        ("runAsUser", lambda d: pod(d)["securityContext"].update(runAsUser=10002)),
        ("seccompProfile", lambda d: pod(d)["securityContext"].pop("seccompProfile")),
        ("automountServiceAccountToken", lambda d: pod(d).pop("automountServiceAccountToken")),
        ("enableServiceLinks", lambda d: pod(d).pop("enableServiceLinks")),
        ("hostNetwork", lambda d: pod(d).update(hostNetwork=True)),
        ("hostPath", lambda d: pod(d)["volumes"].append({"name": "x", "hostPath": {"path": "/"}})),
        ("terminationGracePeriodSeconds", lambda d: pod(d).update(terminationGracePeriodSeconds=10)),
        ("readOnlyRootFilesystem", lambda d: worker(d)["securityContext"].update(readOnlyRootFilesystem=False)),
        ("allowPrivilegeEscalation", lambda d: worker(d)["securityContext"].pop("allowPrivilegeEscalation")),
        ("capabilities", lambda d: worker(d)["securityContext"]["capabilities"].update(add=["NET_ADMIN"])),
        ("has no limit of memory", lambda d: worker(d)["resources"]["limits"].pop("memory")),
        ("has no request of cpu", lambda d: worker(d)["resources"]["requests"].pop("cpu")),
        ("image", lambda d: worker(d).update(image="sweep-worker:latest")),
        ("image", lambda d: worker(d).update(image="sweep-worker")),
        ("--lable", lambda d: worker(d).update(args=["--lable", "rack=3"])),
        ("SWEEP_CORDINATOR", lambda d: worker(d).update(env=[{"name": "SWEEP_CORDINATOR", "value": "x"}])),
        ("/var/lib/sweep-worker", lambda d: worker(d)["volumeMounts"].pop(0)),
        ("--insecure", lambda d: coordinator(d)["args"].remove("--insecure")),
        ("livenessProbe", lambda d: coordinator(d).pop("livenessProbe")),
        ("readinessProbe", lambda d: coordinator(d)["readinessProbe"]["grpc"].update(port=7078)),
        ("ports", lambda d: coordinator(d)["ports"].pop()),
        ("replicas", lambda d: find(d, "StatefulSet", "sweep-coordinator")["spec"].update(replicas=2)),
        ("port 7080", lambda d: find(d, "Service", "sweep-coordinator")["spec"]["ports"][0].update(port=7080)),
        ("selects no pod", lambda d: find(d, "Service", "sweep-coordinator")["spec"].update(selector={"a": "b"})),
        ("selects no pod", lambda d: find(d, "PodDisruptionBudget")["spec"]["selector"].update(matchLabels={"a": "b"})),
        ("NetworkPolicy", lambda d: d.remove(find(d, "NetworkPolicy"))),
        ("NetworkPolicy", lambda d: find(d, "NetworkPolicy")["spec"].update(policyTypes=["Ingress"])),
        ("let through", lambda d: find(d, "NetworkPolicy")["spec"]["egress"][0]["ports"][0].update(port=22)),
        ("sweep-other", lambda d: worker(d)["envFrom"][0]["configMapRef"].update(name="sweep-other")),
        ("replicas", lambda d: find(d, "Deployment")["spec"].update(replicas=3)),
        ("slots", lambda d: worker(d)["resources"]["limits"].update(cpu="4")),
        ("sweep_queue_lenght", lambda d: find(d, "HorizontalPodAutoscaler")["spec"]["metrics"][0]["external"]["metric"].update(name="sweep_queue_lenght")),
        ("restricted", lambda d: find(d, "Namespace", "sweep")["metadata"].pop("labels")),
    ]


class KubernetesTest(unittest.TestCase):
    def setUp(self):
        needs(self, (yaml, "PyYAML"), (kustomize(), "kustomize, or kubectl"))

    def test_every_document_is_of_the_api(self):
        needs(self, (kubernetes_validate, "kubernetes-validate"))
        count, wrong = 0, []
        for target in TARGETS:
            for document in rendered(target):
                for version in VERSIONS:
                    count += 1
                    wrong.append(schema_complaint(document, version))
        self.assertEqual([w for w in wrong if w], [])
        print(f"  {count} validations, Kubernetes {', '.join(VERSIONS)}")

    def test_a_misspelt_key_is_not_of_the_api(self):
        needs(self, (kubernetes_validate, "kubernetes-validate"))
        documents = rendered("base")
        context = container(documents, "Deployment", "sweep-worker")["securityContext"]
        context["readOnlyRootFileSystem"] = context.pop("readOnlyRootFilesystem")
        self.assertIn("readOnlyRootFileSystem", schema_complaint(find(documents, "Deployment"), "1.37"))

    def test_no_rule_is_broken(self):
        for target in TARGETS:
            self.assertEqual(rules.complaints(rendered(target)), [], target)

    def test_every_rule_notices_when_it_is_broken(self):
        for word, damage in breakages():
            documents = rendered("overlays/autoscaled")
            damage(documents)
            said = rules.complaints(documents)
            self.assertTrue(any(word in line for line in said), f"{word}: {said}")

    def test_the_adapter_counts_the_trials_that_want_a_slot(self):
        needs(self, (promtool(), "promtool"))
        rule = yaml.safe_load((DEPLOY / "kubernetes/overlays/autoscaled/prometheus-adapter.yaml").read_text())
        query = rule["rules"]["external"][0]["metricsQuery"]
        for template, text in (("<<.LabelMatchers>>", 'namespace="sweep"'), ("<<.GroupBy>>", "namespace")):
            query = query.replace(template, text)
        values = {"sweep_queue_trials": 3, "sweep_configurations_to_make": 40, "sweep_leases_held": 500}
        series = [{"series": f'{name}{{namespace="{space}",pod="p"}}', "values": f"{value}x2"}
                  for name, value in values.items() for space in ("sweep", "other")]
        case = {"interval": "1m", "input_series": series, "promql_expr_test": [
            {"expr": query, "eval_time": "1m", "exp_samples": [{"labels": '{namespace="sweep"}', "value": 543}]}]}
        with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
            json.dump({"rule_files": [], "tests": [case]}, file)  # JSON is YAML
            file.flush()
            done = subprocess.run([promtool(), "test", "rules", file.name], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


class DockerTest(unittest.TestCase):
    def test_the_dockerfile_has_no_complaint_of_hadolint(self):
        tool = pathlib.Path(sys.executable).parent / "hadolint"
        needs(self, (tool.exists(), "hadolint"))
        done = subprocess.run([tool, DEPLOY / "docker" / "Dockerfile"], capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stdout), (0, ""))

    def test_no_rule_of_images_is_broken(self):
        self.assertEqual(rules.image_complaints(rules.images()), [])

    def test_every_rule_of_images_notices_when_it_is_broken(self):
        def broken(pattern, text):
            changed = re.sub(pattern, text, rules.DOCKERFILE.read_text(), flags=re.M)
            self.assertNotEqual(changed, rules.DOCKERFILE.read_text(), pattern)
            return rules.image_complaints(rules.images(changed))
        for word, pattern, text in [
                ("debian:latest", "^FROM debian:12-slim", "FROM debian:latest"),
                ("user", "^USER 10001:10001\n# Files", "# Files"),
                ("HEALTHCHECK", r"^HEALTHCHECK.*workers\"\]", ""),
                ("EXPOSE", "^EXPOSE 7077 7078", "EXPOSE 7077"),
                ("--dbb", '"--db"', '"--dbb"'),
                ("ADD", "^COPY . .", "ADD . .")]:
            self.assertTrue(any(word in line for line in broken(pattern, text)), word)

    def test_the_context_leaves_out_what_git_ignores(self):
        said = (ROOT / ".dockerignore").read_text().split()
        for line in (ROOT / ".gitignore").read_text().split():
            self.assertTrue(line.strip("/") in said or f"**/{line.strip('/')}" in said, line)
        self.assertIn(".git", said)


class ComposeTest(unittest.TestCase):
    FILE = DEPLOY / "docker" / "compose.yaml"

    def setUp(self):
        needs(self, (yaml, "PyYAML"))

    def parse(self, text):
        # PyYAML merges what `<<` names.
        compose_spec.PyCompose.from_json(json.dumps(yaml.safe_load(text))).validate()

    def test_it_is_a_compose_file(self):
        needs(self, (compose_spec, "compose-spec"))
        text = self.FILE.read_text().replace("${SWEEP_FILES:-../../examples}", "../../examples")
        self.parse(text)
        for right, wrong in (("read_only", "readonly"), ("service_healthy", "service_fine"), ("replicas: 2", "replicas: two")):
            self.assertIn(right, text)
            with self.assertRaises(ValueError, msg=wrong):
                self.parse(text.replace(right, wrong))

    def test_no_rule_is_broken(self):
        self.assertEqual(rules.compose_complaints(yaml.safe_load(self.FILE.read_text())), [])

    def test_every_rule_notices_when_it_is_broken(self):
        for word, service, damage in [
                ("read_only", "client", lambda s: s.pop("read_only")),
                ("cap_drop", "worker", lambda s: s.update(cap_drop=[])),
                ("security_opt", "worker", lambda s: s.pop("security_opt")),
                ("privileged", "worker", lambda s: s.update(privileged=True)),
                ("image", "worker", lambda s: s.update(image="sweep-worker:latest")),
                ("0.0.0.0", "coordinator", lambda s: s["ports"].append("0.0.0.0:7077:7077")),
                ("7078", "coordinator", lambda s: s["ports"].append("7078:7078")),
                ("--insecure", "coordinator", lambda s: s["command"].remove("--insecure")),
                ("--htpp", "coordinator", lambda s: s["command"].append("--htpp")),
                ("SWEEP_CORDINATOR", "worker", lambda s: s.update(environment={"SWEEP_CORDINATOR": "x"})),
                ("memory", "worker", lambda s: s["deploy"]["resources"]["limits"].pop("memory")),
                ("/var/cache/sweep-worker", "worker", lambda s: s["volumes"].pop(0)),
                ("databse", "coordinator", lambda s: s.update(volumes=["databse:/var/lib/sweep"])),
                ("stop_grace_period", "worker", lambda s: s.update(stop_grace_period="10s"))]:
            compose = yaml.safe_load(self.FILE.read_text())
            damage(compose["services"][service])
            said = rules.compose_complaints(compose)
            self.assertTrue(any(word in line for line in said), f"{word}: {said}")


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--bin", required=True, help="the folder of the programs")
    arguments.add_argument("--all", action="store_true", help="fail where a tool is missing")
    known, rest = arguments.parse_known_args()
    rules.BIN, ALL = pathlib.Path(known.bin).resolve(), known.all
    unittest.main(argv=[sys.argv[0], *rest], verbosity=2)
