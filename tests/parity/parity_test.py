#!/usr/bin/env python3
"""Compares what Sweep trains and predicts with plain PyTorch.

    python3 tests/parity/parity_test.py --bin build/release/bin [--work FOLDER]

Trains a user's own network with swept widths for a little, and the five built-in networks for one
step, through `sweep run`; exports every trial with `sweep model`; loads each net.py in PyTorch and
compares on the test images: log-probabilities with those of `sweep predict`, classes with those of
`sweep predict` and with the trainer's own predictions, tensors with an independent construction of
the network. Then writes random weights, including BatchNorm's estimates, into each folder and compares
again. Exits with 77, which skips the test, where torch cannot be imported.
"""
import argparse
import importlib.util
import json
import os
import pathlib
import struct
import subprocess
import sys
import tempfile
import unittest

try:
    import torch
    from torch import nn
except ImportError as error:
    print(f"skipped: torch cannot be imported ({error})")
    sys.exit(77)

from torch_network import modules

TOLERANCE = 1e-4  # of log-probabilities
BUILTIN = ["cnn-18718", "cnn-19046", "cnn-19750", "cnn-17216", "cnn-16034"]

NETWORK = """name: widths-net
parameters: {width: 4}
layers:
  - conv: {out: "${width}", kernel: 3, stride: 2, padding: 1}
  - relu
  - batch_norm
  - dropout: 0.02
  - max_pool: {kernel: 3, stride: 2}
  - conv: {out: "${width}", kernel: 3, padding: same, bias: false}
  - relu
  - batch_norm
  - avg_pool: {kernel: 2, stride: 1}
  - linear: 16
  - relu
  - linear: 10
"""

# At width 64 the network has more than 45,000 parameters.
WIDTHS = """name: widths
model: net.yaml
dataset: {name: synthetic, train: 1024, test: 300}
method: grid
parameters:
  width: {values: [4, 6, 64]}
  lr: {value: 0.05}
  batch_size: {value: 64}
constraints: ["parameters < 20000"]
epochs: 3
require: {accuracy: ">= 20%"}
"""

BUILTINS = f"""name: builtin
model: {{values: [{", ".join(BUILTIN)}]}}
dataset: {{name: synthetic, train: 64, test: 300}}
method: grid
parameters: {{batch_size: {{value: 64}}}}
epochs: 1
"""


def read_idx(path):
    raw = path.read_bytes()
    shape = struct.unpack(f">{raw[3]}I", raw[4 : 4 + 4 * raw[3]])
    return torch.frombuffer(bytearray(raw[4 + 4 * raw[3] :]), dtype=torch.uint8).reshape(shape)


def write_safetensors(path, tensors):
    header, data = {}, b""
    for name, tensor in tensors.items():
        raw = tensor.contiguous().numpy().tobytes()
        header[name] = {"dtype": "I64" if tensor.dtype == torch.int64 else "F32", "shape": list(tensor.shape),
                        "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def build(network):
    return nn.Sequential(*modules(network, dropout=False), nn.Flatten(), nn.LogSoftmax(1)).eval()


class Parity(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="sweep-parity-", dir=ARGUMENTS.work)
        cls.path = pathlib.Path(cls.folder.name)
        (cls.path / "net.yaml").write_text(NETWORK)
        (cls.path / "widths.yaml").write_text(WIDTHS)
        (cls.path / "builtin.yaml").write_text(BUILTINS)
        for name in ("widths", "builtin"):
            cls.sweep("run", f"{name}.yaml", "--slots", "1", codes=(0, 3))
        # The images on which the trainer evaluated.
        subprocess.run([ARGUMENTS.bin / "draw_digits", "300", "images.idx", "labels.idx"], cwd=cls.path,
                       check=True, timeout=60)
        cls.images = read_idx(cls.path / "images.idx")

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    @classmethod
    def sweep(cls, *arguments, codes=(0,)):
        environment = {key: value for key, value in os.environ.items() if not key.startswith("SWEEP_")}
        environment["XDG_CACHE_HOME"] = str(cls.path / "cache")
        done = subprocess.run([ARGUMENTS.bin / "sweep", *arguments], cwd=cls.path, env=environment,
                              capture_output=True, text=True, timeout=600)
        if done.returncode not in codes:
            raise AssertionError(f"sweep {' '.join(arguments)}: {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def trials(self, sweep):
        return json.loads(self.sweep("trials", sweep, "--format", "json"))

    def export(self, trial):
        folder = self.path / trial.replace("/", "-")
        self.sweep("model", trial, "-o", str(folder), "--force")
        spec = importlib.util.spec_from_file_location(trial.replace("/", "_"), folder / "net.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return folder, module

    def predicted(self, model):
        """Log-probabilities and classes by `sweep predict`."""
        rows = json.loads(self.sweep("predict", str(model), "images.idx", "--format", "json"))
        return (torch.tensor([row["log_probabilities"] for row in rows], dtype=torch.float32),
                torch.tensor([row["digit"] for row in rows]))

    def assert_same(self, ours, theirs, classes):
        """`ours`: (log-probabilities, classes) by Sweep; `theirs`: log-probabilities by PyTorch."""
        self.assertEqual(ours[0].shape, theirs.shape)
        self.assertLessEqual((ours[0] - theirs).abs().max().item(), TOLERANCE)
        self.assert_same_classes(ours[1], theirs)
        self.assert_same_classes(classes, theirs)

    def assert_same_classes(self, classes, log_probabilities):
        """The classes are equal, unless two are equally likely within rounding."""
        chosen = log_probabilities.gather(1, classes.long()[:, None])[:, 0]
        self.assertLessEqual((log_probabilities.max(1).values - chosen).max().item(), 1e-5)

    def test_networks_that_are_too_large_never_reach_a_worker(self):
        trials = self.trials("widths")
        self.assertEqual([trial["parameters"]["width"] for trial in trials], [4, 6])
        self.assertTrue(all(trial["state"] == "completed" for trial in trials))
        self.assertTrue(all(trial["network_parameters"] < 20000 for trial in trials))

    def test_exported_trials_predict_what_the_trainer_predicted(self):
        for trial in self.trials("widths") + self.trials("builtin"):
            with self.subTest(trial["trial"], model=trial["model"]):
                folder, module = self.export(trial["trial"])
                net = module.load()
                theirs = module.log_probabilities(self.images, net)
                ours = self.predicted(folder)
                self.assert_same(ours, theirs, module.predict(self.images, net))
                again = self.predicted(trial["trial"])
                self.assertTrue(torch.equal(ours[0], again[0]), "a trial and its folder predict otherwise")
                self.assert_same_classes(self.stored_predictions(trial["trial"], module), theirs)

    def stored_predictions(self, trial, module):
        """The trainer's own classes for the test images, from the trial's stored file."""
        document = json.loads(self.sweep("trial", trial, "--format", "json"))
        (sha256,) = [file["sha256"] for file in document["artifacts"] if file["role"] == "predictions"]
        blob = self.path / "sweep.db.blobs" / sha256[:2] / sha256
        raw = blob.read_bytes()
        (length,) = struct.unpack("<Q", raw[:8])
        begin, end = json.loads(raw[8 : 8 + length])["predictions"]["data_offsets"]
        return torch.tensor(list(raw[8 + length + begin : 8 + length + end]))

    def test_net_py_is_the_network_of_the_trainers_line(self):
        for trial in self.trials("builtin") + self.trials("widths")[:1]:
            with self.subTest(trial["model"]):
                folder, module = self.export(trial["trial"])
                network = json.loads((folder / "trial.json").read_text())["spec"]["network"]
                own = build(network)
                tensors, _ = module.read_safetensors(folder / "weights.safetensors")
                self.assertEqual(sum(p.numel() for p in own.parameters()), trial["network_parameters"])
                own.load_state_dict({renamed(name, own): tensor for name, tensor in tensors.items()}, strict=True)
                with torch.no_grad():
                    pixels = ((self.images.float() / 255 - module.MEAN) / module.STDDEV).unsqueeze(1)
                    difference = own(pixels) - module.log_probabilities(self.images, module.load())
                self.assertLessEqual(difference.abs().max().item(), 1e-6)

    def test_random_weights_are_evaluated_as_pytorch_does(self):
        torch.manual_seed(20)  # for the dropout in randomize
        generator = torch.Generator().manual_seed(20)
        for trial in self.trials("builtin") + self.trials("widths"):
            with self.subTest(trial["model"]):
                folder, module = self.export(trial["trial"])
                net = module.load()
                randomize(net, ((self.images.float() / 255 - module.MEAN) / module.STDDEV).unsqueeze(1), generator)
                write_safetensors(folder / "weights.safetensors", net.state_dict())
                theirs = module.log_probabilities(self.images, net)
                self.assertGreater(theirs.std(0).mean().item(), 100 * TOLERANCE, "the images are all the same to it")
                self.assert_same(self.predicted(folder), theirs, module.predict(self.images, net))

    def test_net_py_is_a_program(self):
        folder, module = self.export(self.trials("widths")[0]["trial"])
        done = subprocess.run([sys.executable, folder / "net.py", self.path / "images.idx"], capture_output=True,
                              text=True, check=True)
        self.assertEqual([int(line) for line in done.stdout.split()], self.predicted(folder)[1].tolist())
        done = subprocess.run([sys.executable, folder / "net.py", self.path / "images.idx", "--labels",
                               self.path / "labels.idx"], capture_output=True, text=True, check=True)
        stated = json.loads((folder / "trial.json").read_text())["weights"]["accuracy"]
        self.assertIn(f"accuracy {stated:.4%}", done.stdout)


def randomize(net, pixels, generator):
    """Random weights with which the images still differ in the last layer, and estimates of BatchNorm
    that are near the statistics of its real inputs, but not equal."""
    norms = [module for module in net.modules() if isinstance(module, nn.BatchNorm2d)]
    with torch.no_grad():
        for parameter in net.parameters():
            if parameter.dim() > 1:
                parameter.normal_(0, (2 / parameter[0].numel()) ** 0.5, generator=generator)
            else:
                parameter.normal_(0.5, 0.3, generator=generator)
        for norm in norms:
            norm.momentum = 1.0
        net.train()(pixels)
        for norm in norms:
            norm.running_mean += torch.empty_like(norm.running_mean).normal_(0, 0.1, generator=generator)
            norm.running_var *= torch.empty_like(norm.running_var).uniform_(0.5, 2, generator=generator)
        net.eval()


def renamed(name, own):
    """The name in the network of build() for a name such as "layers.3.weight"."""
    _, index, rest = name.split(".")
    return f"{index}.1.{rest}" if isinstance(own[int(index)], nn.Sequential) else f"{index}.{rest}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=pathlib.Path, required=True, help="folder of the built programs")
    parser.add_argument("--work", default=None, help="where to make the temporary folder")
    ARGUMENTS, rest = parser.parse_known_args()
    ARGUMENTS.bin = ARGUMENTS.bin.resolve()
    torch.set_num_threads(1)
    unittest.main(argv=[sys.argv[0], *rest])
