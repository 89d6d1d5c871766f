#!/usr/bin/env python3
"""Checks the commands in README.md and docs/ with the programs.

    commands_test.py --bin build/release/bin

- Every `sweep …`, `sweep-coordinator …` and `sweep-worker …` in a sh block or in code within a line must
  name a command and flags that the program's own help has.
- A block that begins with ```sh checked is run, in a folder with the files of the page's blocks that
  begin with ```yaml NAME, and must print the ```text block right after it, where … stands for
  anything. ```sh checked exit=2 expects that exit code.
- Links to files must have a target.
"""
import argparse
import functools
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
PROGRAMS = ("sweep", "sweep-coordinator", "sweep-worker")
FENCE = re.compile(r"^```([^\n]*)\n(.*?)^```[ ]*$", flags=re.M | re.S)
BIN = None


@functools.lru_cache(maxsize=None)
def page_of_help(*words):
    """A program's output for --help; None when it fails."""
    done = subprocess.run([BIN / words[0], *words[1:]], capture_output=True, text=True, timeout=60,
                          env={**os.environ, "SWEEP_DB": "/nonexistent/sweep.db"})
    return done.stdout if done.returncode == 0 else None


def flags_in(text):
    return set(re.findall(r"(?<![\w-])(--?[A-Za-z][\w-]*)", text or ""))


def common_flags():
    return flags_in(page_of_help("sweep", "--help")) | flags_in(page_of_help("sweep", "help", "options"))


def is_placeholder(word):
    return re.fullmatch(r"[A-Z…<{$].*", word) is not None


def commands_in(text):
    """The words of each command in lines of shell."""
    text = text.replace("\\\n", " ")
    for line in text.splitlines():
        line = re.sub(r"^\s*\$ ", "", line)
        try:
            lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;<>()")
            lexer.whitespace_split = True
            words = list(lexer)
        except ValueError:
            words = line.split()
        command = []
        for word in [*words, ";"]:
            if not re.fullmatch(r"[|&;<>()]+", word):
                command.append(word)
                continue
            while command and re.fullmatch(r"[A-Za-z_]\w*=.*|time|exec|nohup", command[0]):
                command.pop(0)
            if command and pathlib.PurePath(command[0]).name in PROGRAMS:
                yield [pathlib.PurePath(command[0]).name, *command[1:]]
            command = []


def commands_of_page(text):
    """(line, words) of every command on a page."""
    for match in FENCE.finditer(text):
        if match[1].split(" ")[0] in ("sh", "bash", "console"):
            line = text[:match.start()].count("\n") + 1
            for words in commands_in(match[2]):
                yield line, words
    prose = FENCE.sub(lambda match: "\n" * match[0].count("\n"), text)
    for match in re.finditer(r"`((?:sweep|sweep-coordinator|sweep-worker) [^`]+)`", prose):
        inside = re.sub(r"\s+", " ", match[1]).replace("\\|", "|")
        for words in commands_in(re.sub(r"[\[\]]", " ", inside)):
            yield prose[:match.start()].count("\n") + 1, words


def complaint_about(words):
    """The fault of a command, or ""."""
    program, rest = words[0], words[1:]
    path = [program]
    if program == "sweep":
        names = [word for i, word in enumerate(rest) if not word.startswith("-")
                 and (i == 0 or rest[i - 1] not in ("--coordinator", "--db", "--format"))]
        if names and is_placeholder(names[0]):
            return ""
        if names and names[0] == "help":
            return "" if page_of_help("sweep", "help", *names[1:]) or is_placeholder(names[-1]) else "no such help"
        if names:
            path.append(names[0])
        text = page_of_help(*path, "--help")
        if text is None:
            return f"'{names[0]}' is no command"
        if len(names) > 1 and re.search(r"^(Commands|Subcommands):", text, flags=re.M | re.I):
            if not is_placeholder(names[1]) and page_of_help(*path, names[1], "--help") is None:
                return f"'{names[0]} {names[1]}' is no command"
            path.append(names[1])
    if program == "sweep-coordinator" and rest and rest[0] in ("init", "token"):
        path += rest[:1 if rest[0] == "init" else 2]
        if page_of_help(*path, "--help") is None:
            return f"'{' '.join(path)}' is no command"
    known = flags_in(page_of_help(*path, "--help")) | {"--help", "-h", "--version"}
    if program == "sweep":
        known |= common_flags()
    for word in rest:
        flag = re.match(r"--[A-Za-z][\w-]*|-[A-Za-z]$", word)
        if flag and flag[0] not in known:
            return f"{' '.join(path)} has no {flag[0]}"
    return ""


def pattern_of(expected):
    """A pattern for an output in which … stands for anything, and a line of … for any lines."""
    lines = []
    for line in expected.rstrip("\n").split("\n"):
        if line.strip() == "…":
            lines.append(r"(?:.*\n)*?")
        else:
            lines.append(".*?".join(re.escape(part) for part in line.rstrip().split("…")) + r"[ ]*\n")
    return re.compile("".join(lines))


def run_checked(page):
    """Runs the page's checked blocks; (line, fault) of each that is wrong."""
    blocks = [(m.start(), m[1].split(" "), m[2], m.end()) for m in FENCE.finditer(page)]
    with tempfile.TemporaryDirectory() as folder:
        place = pathlib.Path(folder)
        (place / "examples").symlink_to(ROOT / "examples")
        environment = {"PATH": f"{BIN}:/usr/bin:/bin", "HOME": folder, "LANG": "C.UTF-8", "NO_COLOR": "1"}
        for i, (start, info, body, end) in enumerate(blocks):
            if info[0] == "yaml" and len(info) > 1:
                (place / info[1]).parent.mkdir(parents=True, exist_ok=True)
                (place / info[1]).write_text(body)
            if info[:2] != ["sh", "checked"]:
                continue
            line = page[:start].count("\n") + 1
            code = next((int(word[5:]) for word in info if word.startswith("exit=")), 0)
            done = subprocess.run(["bash", "-eo", "pipefail", "-c", body], cwd=place, env=environment, text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120)
            if done.returncode != code:
                yield line, f"ends with {done.returncode}, not {code}:\n{done.stdout}"
            follows = i + 1 < len(blocks) and blocks[i + 1][1][0] == "text" and not page[end:blocks[i + 1][0]].strip()
            if follows and not pattern_of(blocks[i + 1][2]).fullmatch(done.stdout.rstrip("\n") + "\n"):
                yield line, f"prints\n{done.stdout}"


class CommandsTest(unittest.TestCase):
    def test_every_command_and_flag_exists(self):
        wrong, count = [], 0
        for page in PAGES:
            for line, words in commands_of_page(page.read_text()):
                count += 1
                complaint = complaint_about(words)
                if complaint:
                    wrong.append(f"{page.relative_to(ROOT)}:{line}: {' '.join(words)}: {complaint}")
        print(f"  {count} commands")
        self.assertGreater(count, 20)
        self.assertFalse(wrong, "\n" + "\n".join(wrong))

    def test_checked_blocks_print_what_the_page_says(self):
        wrong = [f"{page.relative_to(ROOT)}:{line}: {problem}"
                 for page in PAGES for line, problem in run_checked(page.read_text())]
        self.assertFalse(wrong, "\n" + "\n".join(wrong))

    def test_links_lead_somewhere(self):
        wrong = []
        for page in PAGES:
            for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", FENCE.sub("", page.read_text())):
                if not re.match(r"[a-z]+:", target) and not (page.parent / target).exists():
                    wrong.append(f"{page.relative_to(ROOT)}: {target}")
        self.assertFalse(wrong, "\n" + "\n".join(wrong))

    def test_what_does_not_exist_is_noticed(self):
        for words, part in [(["sweep", "vaildate", "x"], "no command"), (["sweep", "best", "--topp", "3"], "--topp"),
                            (["sweep-worker", "--slotz", "2"], "--slotz")]:
            self.assertIn(part, complaint_about(words))
        self.assertEqual(complaint_about(["sweep", "best", "NAME", "--top", "3", "--format", "json"]), "")
        self.assertIsNone(pattern_of("a …\n…\nc\n").fullmatch("a b\nb\nd\n"))
        self.assertIsNotNone(pattern_of("a …\n…\nc\n").fullmatch("a b\nb\nb\nc\n"))


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--bin", required=True, help="the folder of the programs")
    known, rest = arguments.parse_known_args()
    BIN = pathlib.Path(known.bin).resolve()
    unittest.main(argv=[sys.argv[0], *rest], verbosity=2)
