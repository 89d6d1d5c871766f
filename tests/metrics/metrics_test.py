#!/usr/bin/env python3
"""Compares docs/metrics.md, the alerts and the dashboard with a running coordinator.

    python3 tests/metrics/metrics_test.py --bin build/release/bin

A coordinator trains a sweep with two workers whose trainer only counts, and a real Prometheus scrapes
it. Every metric must be in docs/metrics.md as it is served, every query of
dashboards/grafana/sweep.json must give numbers, every rule of dashboards/prometheus must be valid and
pass its own tests. Prometheus and promtool are those of .deps/prometheus (deploy/install-deps.sh),
else of PATH; exits with 77, which skips the test, where they are missing.
"""
import argparse
import atexit
import json
import math
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
RULES = ROOT / "dashboards" / "prometheus"
DASHBOARD = ROOT / "dashboards" / "grafana" / "sweep.json"
PAGE = ROOT / "docs" / "metrics.md"
BIN = None
PATIENCE = 60  # seconds; every wait ends as soon as it can

TRAINER = """#!/usr/bin/env python3
import json, sys, time

def send(**message):
    print(json.dumps(message), flush=True)

send(type="ready", protocol=1, build="counting 1.0", device="cpu", backend="python")
for line in sys.stdin:
    trial = json.loads(line)
    if trial["type"] != "trial":
        continue
    name = trial["trial"]
    for epoch in range(1, trial["epochs"] + 1):
        send(type="progress", trial=name, epoch=epoch, step=1, steps=2, loss=1, images_per_second=1234.5)
        time.sleep(0.2)
        send(type="epoch", trial=name, epoch=epoch, validation_accuracy=1 - 0.5 / epoch)
    send(type="done", trial=name, epochs=trial["epochs"])
"""

SWEEP = """name: measured
model: cnn-18718
dataset: {name: synthetic, train: 64, test: 64}
method: random
parameters:
  lr: {min: 0.01, max: 0.1}
epochs: 20
run_cap: 10000
"""


def find_tool(name):
    unpacked = ROOT / ".deps" / "prometheus" / name
    return str(unpacked) if unpacked.exists() else shutil.which(name)


def check(*command, text=None):
    done = subprocess.run(command, input=text, text=True, capture_output=True, timeout=PATIENCE)
    return done.returncode, done.stdout + done.stderr


def end(process):
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class Files(unittest.TestCase):
    def test_the_configuration_is_valid(self):
        code, output = check(find_tool("promtool"), "check", "config", str(RULES / "prometheus.yml"))
        self.assertEqual(code, 0, output)

    def test_the_alerts_do_what_they_promise(self):
        code, output = check(find_tool("promtool"), "test", "rules", str(RULES / "alerts_test.yml"))
        self.assertEqual(code, 0, output)

    def test_each_alert_is_seen_to_fire_and_speaks_of_metrics_that_there_are(self):
        alerts = (RULES / "alerts.yml").read_text()
        tests = (RULES / "alerts_test.yml").read_text()
        known = set(documented())
        for name in re.findall(r"alert: (\w+)", alerts):
            self.assertIn(f"- alertname: {name}\n", tests)
        for name in re.findall(r"\b((?:sweep|process)_\w+)\b", alerts):
            base = re.sub(r"_(bucket|count|sum)$", "", name)
            self.assertTrue(name in known or base in known, name)


def documented():
    """Type, label names and label values of each metric, from the tables of docs/metrics.md."""
    metrics = {}
    for line in PAGE.read_text().splitlines():
        match = re.match(r"\| `(\w+)` \| (\w+) \|([^|]*)\|", line)
        if match:
            labels = re.match(r"`(\w+)`: (.*)", match[3].strip())
            values = set(labels[2].strip().split(", ")) if labels else set()
            metrics[match[1]] = (match[2], set(re.findall(r"`(\w+)`", match[3])), values)
    return metrics


class Live(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.path = pathlib.Path(cls.folder.name)
        cls.start_coordinator()
        cls.start_sweep()
        cls.start_prometheus()

    @classmethod
    def start(cls, name, *command, **more):
        log = open(cls.path / f"{name}.log", "w")
        cls.addClassCleanup(log.close)
        more.setdefault("stderr", log)
        process = subprocess.Popen(command, cwd=cls.path, text=True, **more)
        cls.addClassCleanup(end, process)
        atexit.register(end, process)  # an interrupt skips the class's cleanup
        return process

    @classmethod
    def start_coordinator(cls):
        process = cls.start("coordinator", BIN / "sweep-coordinator", "--listen", "127.0.0.1:0",
                            "--http", "127.0.0.1:0", "--db", "sweep.db", stdout=subprocess.PIPE)
        cls.addClassCleanup(process.stdout.close)
        cls.address = process.stdout.readline().split()[-1]  # "listening on …"
        cls.target = urllib.parse.urlsplit(process.stdout.readline().split()[-1]).netloc

    def read_metrics(self):
        with urllib.request.urlopen(f"http://{self.target}/metrics", timeout=PATIENCE) as answer:
            self.assertTrue(answer.headers["Content-Type"].startswith("text/plain; version=0.0.4"))
            return answer.read().decode()

    @classmethod
    def start_sweep(cls):
        trainer = cls.path / "trainer.py"
        trainer.write_text(TRAINER)
        trainer.chmod(0o755)
        (cls.path / "measured.yaml").write_text(SWEEP)
        code, output = check(BIN / "sweep", "submit", str(cls.path / "measured.yaml"),
                             "--coordinator", cls.address)
        assert code == 0, output
        for name in ("a", "b"):
            cls.start(f"worker-{name}", BIN / "sweep-worker", "--coordinator", cls.address, "--name",
                      name, "--slots", "2", "--trainer", str(trainer), stdout=subprocess.DEVNULL)

    @classmethod
    def start_prometheus(cls):
        configuration = {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(RULES / "alerts.yml")],
            "scrape_configs": [{"job_name": "sweep", "static_configs": [{"targets": [cls.target]}]}],
        }
        (cls.path / "prometheus.yml").write_text(json.dumps(configuration))  # JSON is YAML
        cls.start("prometheus", find_tool("prometheus"), "--config.file=prometheus.yml",
                  "--storage.tsdb.path=data", "--web.listen-address=127.0.0.1:0",
                  stdout=subprocess.DEVNULL)
        log = cls.path / "prometheus.log"
        cls.prometheus = wait_for(lambda: re.search(
            r'msg="Listening on" address=(\S+)', log.read_text()), log.read_text)[1]

    def ask(self, what, **arguments):
        url = f"http://{self.prometheus}/api/v1/{what}?{urllib.parse.urlencode(arguments)}"
        try:
            with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            text = error.read().decode()
            # Prometheus answers with plain text until it is ready.
            return json.loads(text) if text.startswith("{") else {"status": "error", "error": text}
        except OSError as error:  # it does not listen yet
            return {"status": "error", "error": str(error), "errorType": "unavailable"}

    def test_every_query_of_the_dashboard_gives_numbers(self):
        dashboard = json.loads(DASHBOARD.read_text())
        panels = [panel for panel in dashboard["panels"] if panel["type"] != "row"]
        self.assertEqual(len({panel["id"] for panel in dashboard["panels"]}), len(dashboard["panels"]))
        for panel in panels:
            self.assertTrue(panel["targets"], panel["title"])
            for target in panel["targets"]:
                with self.subTest(panel["title"], query=target["expr"]):
                    self.assert_gives_numbers(fill(target["expr"]))
        for variable in dashboard["templating"]["list"][1:]:
            metric, label = re.fullmatch(r"label_values\((.*), (\w+)\)", variable["definition"]).groups()
            values = {series["metric"][label] for series in self.assert_gives_numbers(fill(metric))}
            self.assertEqual(len(values), 1)

    def assert_gives_numbers(self, query):
        answer = {}

        def numbers():
            answer.update(self.ask("query", query=query))
            if answer.get("errorType") == "bad_data":
                self.fail(answer["error"])
            found = answer.get("data", {}).get("result", [])
            right = found and not any(math.isnan(float(series["value"][1])) for series in found)
            return found if right else None

        return wait_for(numbers, lambda: f"{query}: {answer}")

    def test_every_metric_is_documented_as_it_is(self):
        self.assert_gives_numbers("sum(increase(sweep_epochs_total[1m])) > 0")
        text = self.read_metrics()
        types = dict(re.findall(r"^# TYPE (\w+) (\w+)$", text, flags=re.M))
        labels, values = {}, {}
        for name, inside in re.findall(r"^(\w+)(?:\{(.*)\})? \S+$", text, flags=re.M):
            base = name if name in types else re.sub(r"_(bucket|sum|count)$", "", name)
            for label, value in re.findall(r'(\w+)="([^"]*)"', inside):
                if label != "le":
                    labels.setdefault(base, set()).add(label)
                    values.setdefault(base, set()).add(value)
        told = documented()
        self.assertEqual({name: kind for name, (kind, _, _) in told.items()}, types)
        for name, (_, its_labels, its_values) in told.items():
            self.assertEqual(labels.get(name, set()), its_labels, name)
            if its_values:
                self.assertEqual(values[name], its_values, name)
        every_value = set().union(*values.values())
        self.assertFalse({value for value in every_value if "measured" in value} | {"a", "b"} & every_value)

    def test_promtool_finds_nothing_to_complain_of(self):
        self.assert_gives_numbers("sum(sweep_epochs_total) > 0")
        code, output = check(find_tool("promtool"), "check", "metrics", text=self.read_metrics())
        self.assertEqual((code, output), (0, ""))

    def test_the_numbers_are_those_of_the_sweep(self):
        self.assert_gives_numbers("sweep_workers{state='connected'} == 2")
        self.assert_gives_numbers("sweep_slots == 4")
        self.assert_gives_numbers("sweep_images_per_second >= 1234")
        self.assert_gives_numbers("sweep_trials_ended_total{outcome='completed'} > 1")
        self.assert_gives_numbers(
            "sweep_rpc_duration_seconds_count{method='WorkerService/ReportEpochs', code='OK'} > 5")

    def test_prometheus_evaluates_the_alerts_and_none_fires(self):
        def rules():
            found = [rule for group in self.ask("rules").get("data", {}).get("groups", [])
                     for rule in group["rules"]]
            return found if found and all(rule["health"] == "ok" for rule in found) else None

        found = wait_for(rules, lambda: self.ask("rules"))
        self.assertEqual(len(found), len(re.findall(r"alert: ", (RULES / "alerts.yml").read_text())))
        disk = {"SweepDiskNearlyFull"}  # may fire on the machine that runs the test
        self.assertFalse({rule["name"] for rule in found if rule["state"] == "firing"} - disk)


def wait_for(function, describe):
    """The first result of `function` that is not empty."""
    deadline = time.monotonic() + PATIENCE
    while True:
        found = function()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {PATIENCE} s: {describe()}")
        time.sleep(0.1)


def fill(query):
    """The query as Grafana sends it."""
    for name, value in (("$__rate_interval", "15s"), ("$job", "sweep"), ("$instance", ".*")):
        query = query.replace(name, value)
    return query


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", type=pathlib.Path, required=True)
    arguments, rest = parser.parse_known_args()
    BIN = arguments.bin.resolve()
    for tool in ("prometheus", "promtool"):
        if find_tool(tool) is None:
            print(f"skipped: {tool} is not there; deploy/install-deps.sh unpacks it")
            sys.exit(77)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    unittest.main(argv=[sys.argv[0], *rest])
