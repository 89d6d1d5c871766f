#!/usr/bin/env python3
"""Compares docs/schema/*.schema.json with the parsers, in both directions.

    schema_test.py --parser build/release/bin/parser_verdicts

Many files, and systematic changes to them, go through the parser and through the schema:

- a file that the parser accepts, the schema must accept; so a file that the schema refuses, the parser
  refuses;
- a file that the parser refuses for its structure (unknown or missing key, wrong type, word or range),
  the schema must refuse. Every other complaint must be in BEYOND, with the reason why no schema can know.

The words and ranges of the parsers' own tables are compared with the schemas' as well. Exits with 77
when jsonschema cannot be imported.
"""
import argparse
import copy
import json
import pathlib
import random
import re
import subprocess
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / ".deps" / "python"))
try:
    import jsonschema
except ImportError:
    print("skipped: jsonschema cannot be imported; deploy/install-deps.sh installs it into .deps/python")
    sys.exit(77)

# Measures that lists show by a shorter name.
ALIASED = {"validation_accuracy", "validation_loss"}
CORPUS = pathlib.Path(__file__).resolve().parent / "corpus"
# The schemas as `sweep schema` prints them.
SCHEMAS = {}
VALIDATORS = {}

# Complaints of a parser that no schema can make: complaint, reason, pattern that the file must contain.
BEYOND = [(re.compile(complaint), re.compile(where[0] if where else "")) for complaint, _why, *where in [
    # Limits of JSON itself.
    (r"must be an integer.*, not -?[0-9.]+(\.0|e\+[0-9]+)$", "JSON has no difference between 5.0 and 5"),
    (r"is [0-9.]+\.0; it must be an integer from", "the same"),
    (r"^'input' must be \[channels, height, width\], integers", "the same", r"[0-9]\.0"),
    (r"takes integers, but uniform gives fractions", "the same", r"[0-9]\.0"),
    (r"has distribution uniform, which a grid cannot enumerate", "the same", r"[0-9]\.0"),
    (r"has the range .*; int_uniform needs integers", "the same", r"[0-9]\.0"),
    (r"is given twice; first on line", "JSON has no key twice; editors complain of it themselves"),
    (r"is nested in '.*', which has a value of its own", "two names"),
    (r"has a list as a value, which only", "whether there is a 'program'"),
    (r"^'[^']*' of point [0-9]+ of 'try_first' must be a single value, not a list", "the same"),
    (r"^an item of '[^']*' must be a single value, not a list", "the same", r"\bwhen\b"),
    (r"has more than 256 items$|in more than 4 levels$", "lists in lists"),
    (r"has a reserved name", "names put together", r"\b(parameters|trial|best|last|low|high)\b"),
    (r"has [0-9]+ bytes; the limit is", "JSON Schema counts characters", r"[^\x00-\x7f]"),
    # Two values that contradict each other.
    (r"has min .* above max", "two values"),
    (r"has no multiple of .* in \[", "two values"),
    (r"has q .*, which is too fine", "two values"),
    (r"lists its numbers in no order", "two values", r"\bcmaes\b"),
    (r"has 'probabilities', which method cmaes", "whether they are equal", r"\bcmaes\b"),
    (r"has [0-9]+ values, but [0-9]+ probabilit", "two lists"),
    (r"has probabilities with the sum", "the sum of a list"),
    (r"is 'ordered: true' and has 'probabilities' that differ", "whether they are equal"),
    (r"is 'ordered: false', but method cmaes", "whether the list varies", r"\bcmaes\b"),
    (r"^'[^']*' of point [0-9]+ of 'try_first' is .*; it must be ", "the parameter's values"),
    (r"^point [0-9]+ of 'try_first' ", "parameters, conditions and constraints"),
    (r"^point [0-9]+ of 'try_first': ", "the same"),
    (r"^'try_first' has [0-9]+ points, more than", "two values"),
    (r", with which nearly nothing lies in|, which reach beyond|; add min and max$", "mu and sigma"),
    (r"'holdout' must be an integer in \[1, (?!999999\])[0-9]+\], not [1-9]", "the data set's size", r"train"),
    (r"is already among the values of the source", "two mappings"),
    (r"^'stop_when' goes with 'require'|of type target needs a gate on a measure", "two keys"),
    (r"^'early_terminate' .* their mean would compare unlike runs", "three keys", r"\breplicates\b"),
    (r"^'replicates' has min: .*: 'max' must be larger", "two values"),
    (r"^gate_on is .*, but 'replicates: auto' compares means", "two keys", r"\breplicates\b"),
    (r"^'replicates: auto' is a race by one metric", "two keys"),
    (r"^'trial_qualifies' of 'stop_when' does not go with replicates: auto", "two keys"),
    (r"no member would ever copy another$|not every member would be trained$|epochs: it could not qualify$"
     r"|segments makes [0-9]+ configurations", "two values", r"\bpbt\b"),
    (r"no band lies below it$|no trial would be judged before its last epoch$", "two values"),
    (r"is the folder of file", "two names"),
    (r"^'[a-z_]+' must be .* in [\[(].*, not [^']+$", "the first and the last multiple of q", r"\bq_"),
    (r"^'confidence' (needs a gate on a measure|cannot be said of)", "gates against each other", r"\bconfidence\b"),
    # Text that is no value, though YAML accepts it.
    (r"bracket or a quotation mark without its partner|^YAML has no tuples", "a schema sees a text"),
    (r", a number that JSON does not have|cannot be told from 0|beyond the largest number|does not fit in 64 bits",
     "JSON has no such number"),
    (r"^the tag ", "JSON has no tags"),
    (r"^'program' (is|runs|cannot be executed)", "the words and the files against each other"),
    # Other files, and names that depend on other parts of the file.
    (r"file .* was not sent along", "other files"),
    (r"can only have goal", "the measure's direction"),
    (r"needs a goal: write", "what 'measures' says"),
    (r"^metric .* is given twice", "two names for one measure"),
    (r"^'range' of measure", "two numbers"),
    (r"^unknown gate .*; did you mean", "a program's own measures"),
    (r"has no recipe", "the network's"),
    (r"is used neither by the trainer nor by", "the network's"),
    (r"is no hyperparameter; did you mean", "the network's"),
    (r"^no layer refers to", "the layers'"),
    (r"^unknown hyperparameter", "the layers'"),
    (r"goes in a circle", "parameters against each other"),
    (r"refers to unknown", "names in expressions"),
    # Expressions, the search space and the network as a whole.
    (r"^constraint .*: |has a bad 'when': |^'when' of ", "the grammar of expressions"),
    (r"no point of the search space|the grid has .* points", "the search space"),
    (r"; exclude it by 'constraints'$", "a point that cannot be trained"),
    (r"^layer [0-9]+ \(.*\): (?!(out|kernel|stride|padding|probability) is)|^the network ends in", "shapes"),
    (r"^layer [0-9]+ \(.*\): (out|kernel|stride|padding|probability)", "what a reference stands for", r"\$\{"),
    (r"^layer [0-9]+ \(dropout.*\): probability", "what a reference stands for", r"\bdropout(2d)?\"?(?!\"?:)"),
    (r"^layer [0-9]+ \(.* \(with [a-z_]+=", "what a reference stands for"),
    (r"^input [0-9×]+ has more", "the product of the three"),
    (r"does not fit in [0-9]+ more ways", "shapes"),
    (r"the (integer|number) .* is out of range", "a number beyond all doubles in a text"),
    (r"nested deeper than|more than [0-9]+ values", "the document as a whole"),
]]


class Parser:
    """One process of parser_verdicts."""

    def __init__(self, program):
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.network_files = {**{path.name: path.read_text() for path in (ROOT / "examples").glob("*-net.yaml")},
                              "nets/widths.yaml": (CORPUS / "nets/widths.yaml").read_text()}

    def close(self):
        self.process.communicate()

    def ask(self, **request):
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def verdict(self, kind, text):
        answer = self.ask(kind=kind, text=text, network_files=self.network_files)
        document = answer.get("document")
        files = document.get("files") if isinstance(document, dict) else None
        if files is None:
            return answer
        names = files if isinstance(files, list) else [files]
        sent = {(name if isinstance(name, str) else json.dumps(name)): "x\n" for name in names}
        return self.ask(kind=kind, text=text, network_files=self.network_files, program_files=sent)


def snippets(path):
    """(name, text) of each part of a corpus file."""
    parts = re.split(r"^=== (.*)\n", path.read_text(), flags=re.M)
    return list(zip(parts[1::2], parts[2::2]))


def fenced_yaml(path):
    """(where, text) of each yaml block of a page that is a whole file, that is, begins with a name."""
    text = path.read_text()
    for match in re.finditer(r"^```yaml[^\n]*\n(.*?)^```", text, flags=re.M | re.S):
        if re.match(r"(#.*\n)*name:", match[1]):
            yield f"{path.name}:{text[:match.start()].count(chr(10)) + 1}", match[1]


def is_network(text):
    return re.search(r"^layers:", text, flags=re.M) is not None


def whole_files():
    """(label, kind, text, must be valid or None)."""
    pages = sorted((ROOT / "docs").glob("*.md")) + [ROOT / "README.md"]
    files = sorted((ROOT / "examples").glob("*.yaml")) + sorted((ROOT / "common/network/networks").glob("*.yaml"))
    for path in files + sorted((CORPUS / "nets").glob("*.yaml")):
        text = path.read_text()
        yield path.name, "network" if is_network(text) else "sweep", text, True
    for page in pages:
        for where, text in fenced_yaml(page):
            # A page may name files that only the reader has.
            yield where, "network" if is_network(text) else "sweep", text, None
    for kind in SCHEMAS:
        for valid in (True, False):
            path = CORPUS / ("valid" if valid else "invalid") / f"{kind}.txt"
            for name, text in snippets(path):
                yield f"{path.parent.name}/{kind}/{name}", kind, text, valid


def walk(value, path=()):
    """Every (path, value) of a document, the document itself first."""
    yield path, value
    if isinstance(value, dict):
        for key in value:
            yield from walk(value[key], path + (key,))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from walk(item, path + (index,))


def with_change(document, path, change):
    """A copy with `change(parent, key)` applied at `path`."""
    root = [copy.deepcopy(document)]
    parent, key = root, 0
    for step in path:
        parent, key = parent[key], step
    change(parent, key)
    return root[0]


WORDS = [None, True, False, 0, 1, -1, 2, 5.5, 0.25, 10**16, -(10**16), 300, 70_000, 2_000_000, "", "qqqq", "two words",
         "< 20", ">= 99.4%", ">= 99.4", "99.4%", "0.994", "== true", "${width}", "${2 * w}", "same", "step", "log_uniform_values",
         "q_uniform", "int_uniform", "constant", "categorical", [], [1], [1, 1], ["qqqq", 2], [[1]], [None], {},
         {"qqqq": 1}, {"value": 1}, {"values": [1, 2]}, {"min": 1, "max": 2}, {"min": 0.1, "max": 0.2}, "x" * 5000,
         {"values": [1, 2], "probabilities": [0.5, 0.5]}, {"min": 1, "max": 2, "q": 1}, {"distribution": "q_uniform", "min": 1, "max": 2, "q": 1},
         {"distribution": "normal", "mu": 1, "sigma": 0.1, "min": 0.5, "max": 2},
         {"distribution": "q_log_normal", "mu": 1, "sigma": 0.1, "q": 1, "max": 9}]


def changes(value):
    """(label, change) of every change to try at a place with that value."""
    def put(word):
        return lambda parent, key: parent.__setitem__(key, copy.deepcopy(word))

    def rename(parent, key):
        parent[key + "q"] = parent.pop(key)
    yield "dropped", lambda parent, key: parent.__delitem__(key)
    yield "renamed", lambda parent, key: rename(parent, key) if isinstance(parent, dict) else None
    for word in WORDS:
        yield f"= {str(word)[:40]!r}", put(word)
    yield "in a list", lambda parent, key: parent.__setitem__(key, [parent[key]])
    yield "in a mapping", lambda parent, key: parent.__setitem__(key, {"value": parent[key]})
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        yield "as text", put(str(value))
        yield "negative", put(-value)
        yield "as a fraction", put(value + 0.5)
    if isinstance(value, str):
        yield "misspelt", put(value + "q")
        yield "padded", put(" " + value)
    if isinstance(value, dict):
        yield "with an unknown key", lambda parent, key: parent[key].update(qqqqqqqqqqqq=1)
        for key in ("value", "values", "probabilities", "min", "max", "mu", "sigma", "q", "when", "distribution", "name", "path", "stride"):
            if key not in value:
                yield f"with {key}", lambda parent, at, key=key: parent[at].update({key: 1})
    if isinstance(value, list) and value:
        yield "with an item twice", lambda parent, key: parent[key].append(parent[key][0])


def kind_of_place(path, value):
    """Places of one kind are tried once. List indices do not matter, nor does the hyperparameter of a type
    (test_words_and_ranges_are_the_parsers compares the range of each)."""
    definitions = SCHEMAS["sweep"]["definitions"]
    steps = []
    for step in path:
        if isinstance(step, int):
            step = "*"
        elif steps[-1:] in (["parameters"], ["values"], ["ours"]):
            known = definitions.get(step, {})
            step = known.get("type", "choice" if known else "own")
        elif steps[-1:] in (["recipes"], ["labels"]):
            step = "*"
        steps.append(step)
    return tuple(steps), type(value).__name__


class SchemaTest(unittest.TestCase):
    parser_program = ""

    @classmethod
    def setUpClass(cls):
        cls.parser = Parser(cls.parser_program)
        cls.valid_documents = []
        for label, kind, text, _ in whole_files():
            verdict = cls.parser.verdict(kind, text)
            if not verdict["errors"]:
                cls.valid_documents.append((label, kind, verdict["document"]))

    @classmethod
    def tearDownClass(cls):
        cls.parser.close()

    def disagreement(self, kind, text):
        """The disagreement of parser and schema, or None."""
        verdict = self.parser.verdict(kind, text)
        errors = verdict["errors"]
        if "document" not in verdict:
            return None if errors else "the parser accepts what is no document"
        refused = next(VALIDATORS[kind].iter_errors(verdict["document"]), None)
        if refused is not None:
            if errors:
                return None
            return f"the parser accepts it; the schema: {list(refused.absolute_path)}: {refused.message[:200]}"
        unknown = [error for error in errors
                   if not any(said.search(error) and where.search(text) for said, where in BEYOND)]
        return f"the schema accepts it; the parser: {unknown}" if unknown else None

    def check_all(self, cases):
        """`cases` are (label, kind, text). Fails with the first disagreements."""
        count, wrong = 0, []
        for label, kind, text in cases:
            count += 1
            problem = self.disagreement(kind, text)
            if problem:
                wrong.append(f"{label}: {problem}\n    {text[:300]}")
        print(f"  {count} files")
        if wrong:
            self.fail(f"{len(wrong)} disagreements:\n" + "\n".join(wrong[:25]))

    def mutations(self):
        """The valid documents with every kind of place changed in every way."""
        seen = set()
        for label, kind, document in self.valid_documents:
            for path, value in walk(document):
                place = (kind, kind_of_place(path, value))
                if not path or place in seen:
                    continue
                seen.add(place)
                for what, change in changes(value):
                    text = json.dumps(with_change(document, path, change))
                    yield f"{label} {'.'.join(map(str, path))} {what}", kind, text

    def test_schemas_are_schemas(self):
        for schema in SCHEMAS.values():
            jsonschema.Draft7Validator.check_schema(schema)

    def test_whole_files(self):
        cases = list(whole_files())
        for label, kind, text, valid in cases:
            if valid is not None:
                errors = self.parser.verdict(kind, text)["errors"]
                self.assertEqual(not errors, valid, f"{label}: {errors}")
        self.check_all((label, kind, text) for label, kind, text, _ in cases)

    def test_single_changes(self):
        self.check_all(self.mutations())

    def test_several_changes_at_random(self):
        draw = random.Random(1)

        def cases():
            for number in range(800):
                label, kind, document = draw.choice(self.valid_documents)
                for _ in range(draw.randint(2, 3)):
                    places = [place for place in walk(document) if place[0]]
                    if not places:
                        break
                    path, value = draw.choice(places)
                    _, change = draw.choice(list(changes(value)))
                    document = with_change(document, path, change)
                yield f"{label}, random {number}", kind, json.dumps(document)
        self.check_all(cases())

    def test_limits(self):
        """Both accept each limit, and both refuse one more."""
        sweep = {"name": "s", "program": "train", "run_cap": 1}
        for kind, limit, make in [
            ("sweep", 63, lambda n: {**sweep, "name": "s" * n}),
            ("sweep", 4096, lambda n: {**sweep, "description": "x" * n}),
            ("sweep", 64, lambda n: {**sweep, "labels": {f"l{i}": "x" for i in range(n)}}),
            ("sweep", 256, lambda n: {**sweep, "labels": {"l": "x" * n}}),
            ("sweep", 100, lambda n: {**sweep, "parameters": {f"p{i}": 1 for i in range(n)}}),
            ("sweep", 63, lambda n: {**sweep, "parameters": {"p" * n: 1}}),
            ("sweep", 1000, lambda n: {**sweep, "parameters": {"p": {"values": list(range(n))}}}),
            ("sweep", 10**15, lambda n: {**sweep, "parameters": {"p": {"min": n, "max": n}}}),
            ("sweep", 10**15, lambda n: {**sweep, "parameters": {"p": {"min": -n, "max": 0.5}}}),
            ("sweep", 64, lambda n: {**sweep, "constraints": ["true"] * n}),
            ("sweep", 64, lambda n: {**sweep, "program": ["x"] * n}),
            ("sweep", 4096, lambda n: {**sweep, "program": ["x" * n]}),
            ("sweep", 16, lambda n: {**sweep, "files": [f"f{i}" for i in range(n)]}),
            ("sweep", 255, lambda n: {**sweep, "files": ["f" * n]}),
            ("sweep", 8, lambda n: {**sweep, "files": ["f/" * n + "f"]}),
            ("sweep", 60_000, lambda n: {**sweep, "dataset": {"name": "mnist", "train": n}}),
            ("sweep", 10_000, lambda n: {**sweep, "dataset": {"name": "mnist", "test": n}}),
            ("sweep", 1_000_000, lambda n: {**sweep, "dataset": {"name": "synthetic", "train": n}}),
            ("sweep", 59_999, lambda n: {**sweep, "dataset": "mnist", "evaluate": {"holdout": n}}),
            ("sweep", 4095, lambda n: {**sweep, "dataset": "synthetic", "evaluate": {"holdout": n}}),
            ("sweep", 999_999, lambda n: {**sweep, "evaluate": {"holdout": n}}),
            ("sweep", 10_000, lambda n: {**sweep, "epochs": n}),
            ("sweep", 1_000_000, lambda n: {**sweep, "run_cap": n}),
            ("sweep", 1000, lambda n: {**sweep, "replicates": n}),
            ("sweep", 100, lambda n: {**sweep, "max_failures": n}),
            ("network", 1000, lambda n: {"name": "n", "layers": ["relu"] * (n - 1) + [{"linear": 2}]}),
            ("network", 65_536, lambda n: {"name": "n", "layers": ["global_avg_pool", {"linear": n}]}),
            ("network", 255, lambda n: {"name": "n", "input": [1, n, n], "layers": [{"max_pool": n}, {"linear": 2}]}),
            ("network", 255, lambda n: {"name": "n", "layers": [{"conv": {"out": 2, "stride": n}}]}),
            ("network", 255, lambda n: {"name": "n", "layers": [{"conv": {"out": 2, "padding": n}}, {"linear": 2}]}),
            ("network", 65_536, lambda n: {"name": "n", "input": [n, 1, 1], "layers": [{"linear": 2}]}),
            ("network", 10**6, lambda n: {"name": "n", "normalize": {"mean": n}, "layers": [{"linear": 2}]}),
            ("network", 10**4, lambda n: {"name": "n", "layers": [{"linear": 2}], "recipes": {"r": {"ours": {"epochs": n}}}}),
        ]:
            for value, good in ((limit, True), (limit + 1, False)):
                text = json.dumps(make(value))
                errors = self.parser.verdict(kind, text)["errors"]
                self.assertEqual(not errors, good, f"parser, {value}: {text[:200]} {errors}")
                self.assertEqual(VALIDATORS[kind].is_valid(make(value)), good, f"schema, {value}: {text[:200]}")

    def test_examples_in_the_schema_hold(self):
        for kind, schema in SCHEMAS.items():
            for path, node in walk(schema):
                if not isinstance(node, dict) or path[-1:] in (("properties",), ("definitions",)):
                    continue
                within = {**node, "definitions": schema["definitions"]}
                examples = node.get("examples", []) + ([node["default"]] if "default" in node else [])
                for example in examples + [snippet["body"] for snippet in node.get("defaultSnippets", [])]:
                    errors = list(jsonschema.Draft7Validator(within).iter_errors(example))
                    self.assertFalse(errors, f"{kind} {path} {example}")

    def test_every_property_is_described(self):
        for kind, schema in SCHEMAS.items():
            for path, node in walk(schema):
                if path[-1:] != ("properties",) or {"if", "then", "else"} & set(path):
                    continue
                if path[-3:-1] == ("require", "properties") or path[-2:-1] == ("names_with_network",):
                    continue
                for name, value in node.items():
                    self.assertIn("description", value, f"{kind} {path} {name}")

    def test_keys_are_the_parsers(self):
        """The complaint about a key that resembles no other lists all keys."""
        sweep = {"name": "s", "model": "cnn-18718", "run_cap": 1}
        network = {"name": "n", "layers": [{"linear": 10}]}
        top = SCHEMAS["sweep"]["properties"]
        layer = SCHEMAS["network"]["definitions"]["layer"]["anyOf"][1]["properties"]
        forms = [set(form["properties"]) for form in top["dataset"]["anyOf"][1:]]
        odd = {"qqqqqqqqqqqq": 1}
        for kind, document, expected in [
            ("sweep", {**sweep, **odd}, top),
            ("sweep", {**sweep, "model": odd}, top["model"]["anyOf"][1]["properties"]),
            ("sweep", {**sweep, "dataset": odd}, set.union(*forms)),
            ("sweep", {**sweep, "metric": odd}, top["metric"]["anyOf"][1]["properties"]),
            ("sweep", {**sweep, "evaluate": odd}, top["evaluate"]["anyOf"][1]["properties"]),
            ("sweep", {**sweep, "require": odd}, set(top["require"]["properties"]) - ALIASED),
            ("sweep", {**sweep, "parameters": {"lr": odd}}, SCHEMAS["sweep"]["definitions"]["own_parameter"]["properties"]),
            ("network", {**network, **odd}, SCHEMAS["network"]["properties"]),
            ("network", {**network, "normalize": odd}, SCHEMAS["network"]["properties"]["normalize"]["properties"]),
            ("network", {**network, "recipes": {"a": odd}}, SCHEMAS["network"]["definitions"]["recipe"]["properties"]),
            *[("network", {"name": "n", "layers": [{name: odd}]}, layer[name]["properties"])
              for name in ("conv", "max_pool", "avg_pool", "linear")],
            ("network", {"name": "n", "layers": [odd]}, layer),
        ]:
            answer = self.parser.verdict(kind, json.dumps(document))["errors"]
            lists = [re.search(r"(?:it has|there are) (.*)", error) for error in answer if "qqqqqqqqqqqq" in error]
            self.assertTrue(lists and lists[0], answer)
            self.assertEqual(set(lists[0][1].split(", ")), set(expected), document)

    def test_words_and_ranges_are_the_parsers(self):
        tables = self.parser.ask(kind="tables")
        sweep, network = SCHEMAS["sweep"], SCHEMAS["network"]
        definitions, properties = sweep["definitions"], sweep["properties"]
        self.assertEqual(definitions["own_parameter"]["properties"]["distribution"]["enum"], tables["distributions"])
        self.assertEqual(definitions["network"]["anyOf"][0]["enum"], tables["builtin_networks"])
        self.assertEqual(set(properties["require"]["properties"]) - {"epochs", "confidence"} -
                         set(definitions["predefined_measure"]["enum"]), set(tables["network_facts"]))
        self.assertEqual(set(definitions["predefined_measure"]["enum"]), set(tables["measures"]))
        self.assertEqual(properties["method"]["enum"], tables["methods"])
        layer = network["definitions"]["layer"]["anyOf"]
        self.assertEqual(set(layer[1]["properties"]), set(tables["layers"]))
        self.assertEqual(set(network["definitions"]["hyperparameters"]["properties"]), set(tables["trial_parameters"]))
        parameters = {**properties["parameters"]["properties"], **definitions["trainer_parameters"]["properties"]}
        self.assertEqual(set(parameters), set(tables["known_parameters"]))
        for name, known in tables["known_parameters"].items():
            self.assertEqual(parameters[name]["default"], known["default"], name)
            expected = {"type": known["type"]}
            if known["type"] == "choice":
                expected = {"enum": known["choices"]}
            elif known["type"] != "boolean":
                expected["exclusiveMinimum" if known["open_min"] else "minimum"] = known["min"]
                expected["exclusiveMaximum" if known["open_max"] else "maximum"] = known["max"]
            self.assertEqual(definitions[name], expected, name)


def load_schemas(program):
    parser = Parser(program)
    for kind in ("sweep", "network"):
        text = (ROOT / "docs" / "schema" / f"{kind}.schema.json").read_text()
        SCHEMAS[kind] = parser.ask(kind="schema", of=kind, text=text)
        VALIDATORS[kind] = jsonschema.Draft7Validator(SCHEMAS[kind])
    parser.close()


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--parser", required=True, help="the program parser_verdicts")
    known, rest = arguments.parse_known_args()
    SchemaTest.parser_program = known.parser
    load_schemas(known.parser)
    unittest.main(argv=[sys.argv[0], *rest], verbosity=2)
