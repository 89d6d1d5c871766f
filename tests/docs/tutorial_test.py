#!/usr/bin/env python3
"""Goes through docs/tutorial.md with the real programs, in a temporary folder, and compares their
output with the page.

    tutorial_test.py --bin build/release/bin           fails where the page differs
    tutorial_test.py --bin build/release/bin --show    prints the page's new text

Numbers, times and drawn curves differ from machine to machine. The shape must be the same: the titles of
tables, the kinds of columns, and the words of sentences. Each line of a ```text block must be among what its
command prints, where … stands for anything.
"""
import argparse
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "tutorial.md").read_text()
FENCE = re.compile(r"^```([^\n]*)\n(.*?)^```[ ]*$", flags=re.M | re.S)
LONGEST = 600  # seconds for one step, on a busy machine
BIN = None
SHOW = False

# Curves, and lines that depend on the numbers, the person or the address.
DRAWN = re.compile(r"[⠀-⣿┤│└]|not shown \(lowest|^by ")
# Commands whose output depends on timing.
BY_TIMING = ("sweep explain", "sweep pause", "sweep worker drain")
# Asked before the page has told the client where the coordinator is.
WORKERS = "sweep workers --coordinator alpha:7077 --tls-ca keys/ca.crt --token-file keys/admin.token"
# Commands that need files or packages that a test does not have.
LEFT_OUT = ("deploy/", "cmake --install", "export PATH", "python3 ", "sweep predict")


def shape(line):
    """The line with every part that differs from run to run replaced."""
    line = re.sub(r"\b[\w.]+-[0-9a-f]{6}\b", "WORKER", line)
    line = re.sub(r"FROM \(\S+\)", "FROM (ZONE)", line)
    line = re.sub(r"just now|\d+ (s|min) ago", "AGO", line)
    line = re.sub(r"(?<=[=/ ])[0-9a-f]{12,}", "#", line)
    line = re.sub(r"\d[\d,]*(\.\d+)?(e-?\d+)?", "#", line)
    line = re.sub(r"(#|–)(?= images/s)", "#", line)
    line = re.sub(r"✗ by # pt|✓|✗", "GATE", line)
    line = re.sub(r"# (B|kB|MB)\b", "# BYTES", line)
    line = re.sub(r"\b(one_cycle|constant|step step_epochs=# step_gamma=#)", "SCHEDULE", line)
    return re.sub(r"\s+", " ", line).strip()


def is_among(line, printed):
    pattern = re.compile(".*".join(re.escape(part) for part in shape(line).split("…")))
    return any(pattern.fullmatch(shape(other)) for other in printed)


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Tutorial:
    """The page's steps in a folder of their own."""

    def __init__(self, folder):
        self.place = pathlib.Path(folder)
        (self.place / "examples").symlink_to(ROOT / "examples")
        self.environment = {"PATH": f"{BIN}:{os.environ['PATH']}", "HOME": folder, "LANG": "C.UTF-8",
                            "NO_COLOR": "1", "SWEEP_TRAINER": str(BIN / "sweep-trainer")}
        self.address = f"127.0.0.1:{free_port()}"
        self.running = []

    def here(self, command):
        command = command.replace("alpha:7077", self.address).replace("0.0.0.0:7077", self.address)
        if command.startswith("sweep-coordinator --listen"):
            command += " --http 127.0.0.1:0"
        return command

    def there(self, output):
        output = output.replace("listening on " + self.address, "listening on 0.0.0.0:7077")
        return output.replace(self.address, "alpha:7077").replace(str(self.place), "/home/me")

    def start(self, command, until):
        """Starts a program, waits for a line with `until`, and returns the process and its log."""
        log = self.place / f"log-{len(self.running)}"
        with log.open("w") as output:
            process = subprocess.Popen(["bash", "-c", "exec " + self.here(command)], cwd=self.place,
                                       env=self.environment, stdout=output, stderr=subprocess.STDOUT)
        self.running.append(process)
        self.wait(lambda: until in log.read_text() or process.poll() is not None, f"{command}: {until}")
        return process, log

    def wait(self, done, what):
        deadline = time.monotonic() + LONGEST
        while not done():
            if time.monotonic() > deadline:
                raise AssertionError(f"still not: {what}")
            time.sleep(0.1)

    def run(self, command):
        """The output of a step."""
        if command.startswith("sweep-coordinator --listen"):
            return self.start(command, "dashboard on")[1].read_text()
        if command.startswith("sweep-worker"):
            self.start(command.replace("beta", "gamma"), "worker started")
            output = self.start(command, "worker started")[1].read_text()
            self.wait(lambda: self.call(WORKERS).stdout.count(" connected ") == 2, "two workers")
            return output
        if command.startswith("sweep watch"):  # a person ends it with Ctrl-C
            watch, log = self.start(command, "✓")
            self.wait(lambda: log.read_text().count("✓") >= 2, "two trials have ended")
            watch.send_signal(signal.SIGINT)
            watch.wait(LONGEST)
            return log.read_text()
        if command.startswith("sweep best mine"):
            self.wait(lambda: " completed " in self.call("sweep list").stdout, "the sweep has ended")
        if command.startswith("sweep logs"):
            self.wait(lambda: "completed" in self.call("sweep trials mine --state completed").stdout, "a trial")
        done = self.call(command)
        assert done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout}"
        return done.stdout

    def call(self, command):
        return subprocess.run(["bash", "-c", self.here(command)], cwd=self.place, env=self.environment, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=LONGEST)

    def end(self):
        for process in reversed(self.running):
            process.terminate()
        for process in self.running:
            process.wait(LONGEST)


def complaints():
    blocks = [(m[1].split(" "), m[2], PAGE[:m.start()].count("\n") + 1) for m in FENCE.finditer(PAGE)]
    with tempfile.TemporaryDirectory() as folder:
        tutorial = Tutorial(folder)
        try:
            for i, (info, body, line) in enumerate(blocks):
                if info[0] in ("yaml", "python") and len(info) > 1:
                    (tutorial.place / info[1]).parent.mkdir(parents=True, exist_ok=True)
                    (tutorial.place / info[1]).write_text(body)
                if info != ["sh"]:
                    continue
                commands = [c for c in body.splitlines() if not c.startswith(LEFT_OUT)]
                output = tutorial.there("".join(tutorial.run(command) for command in commands))
                if SHOW:
                    print(f"--- line {line}: {'; '.join(commands)}\n{output}")
                if i + 1 >= len(blocks) or blocks[i + 1][0] != ["text"] or len(commands) < body.count("\n"):
                    continue
                if any(c.startswith(BY_TIMING) for c in commands):
                    continue
                for expected in blocks[i + 1][1].splitlines():
                    drawn = DRAWN.search(expected) or not expected.strip(" …")
                    if not drawn and not is_among(expected, output.splitlines()):
                        yield f"docs/tutorial.md: {'; '.join(commands)}: does not print\n  {expected}\nbut\n{output}"
        finally:
            tutorial.end()


class TutorialTest(unittest.TestCase):
    def test_the_page_shows_what_the_programs_print(self):
        wrong = list(complaints())
        self.assertFalse(wrong, "\n" + "\n".join(wrong))

    def test_another_title_or_word_is_noticed(self):
        printed = ["#  TRIAL   ACCURACY  LAST", "1  mine/6   99.80 %  99.10 %", "mine goes on: 4 of 8"]
        self.assertTrue(is_among("#  TRIAL     ACCURACY     LAST", printed))
        self.assertTrue(is_among("2  mine/2   9.81 %  9 %", printed))
        self.assertTrue(is_among("mine goes on: 6 …", printed))
        self.assertFalse(is_among("#  TRIAL   ACCURACY  FINAL", printed))
        self.assertFalse(is_among("mine continues: 4 of 8", printed))


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--bin", required=True, help="the folder of the programs")
    arguments.add_argument("--show", action="store_true", help="print what each step prints")
    known, rest = arguments.parse_known_args()
    BIN, SHOW = pathlib.Path(known.bin).resolve(), known.show
    unittest.main(argv=[sys.argv[0], *rest], verbosity=2)
