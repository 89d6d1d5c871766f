#!/usr/bin/env python3
"""Loads weights that Sweep kept into a plain PyTorch network and measures them on MNIST.

    pip install torch==2.13.0
    python3 tests/parity/check_weights.py WEIGHTS.safetensors --data-dir FOLDER

WEIGHTS is a blob of `sweep trial NAME/N` (role weights_best or weights_last), which lies in
sweep.db.blobs/. The file's own metadata says what the network is and what accuracy it is to have.
Needs nothing of Sweep. Exits with 1 when the accuracy differs.
"""
import argparse
import gzip
import json
import math
import pathlib
import struct
import sys

import torch
from torch import nn

DTYPES = {"F32": torch.float32, "I64": torch.int64, "U8": torch.uint8}


def read_safetensors(path):
    """Returns ({name: tensor}, {metadata})."""
    raw = pathlib.Path(path).read_bytes()
    (length,) = struct.unpack("<Q", raw[:8])
    header = json.loads(raw[8 : 8 + length])
    metadata = header.pop("__metadata__", {})
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        data = bytearray(raw[8 + length + begin : 8 + length + end])
        tensors[name] = torch.frombuffer(data, dtype=DTYPES[entry["dtype"]]).reshape(entry["shape"])
    return tensors, metadata


def build(network):
    """The layers of a network as the trainer's protocol writes them, as an nn.Sequential."""
    layers, channels, side = [], network["input"][0], network["input"][1]
    for layer in network["layers"]:
        kind = layer["kind"]
        if kind == "conv":
            stride, padding = layer.get("stride", 1), layer.get("padding", 0)
            layers.append(nn.Conv2d(channels, layer["out"], layer["kernel"], stride, padding,
                                    bias=layer.get("bias", True)))
            channels, side = layer["out"], (side + 2 * padding - layer["kernel"]) // stride + 1
        elif kind == "relu":
            layers.append(nn.ReLU())
        elif kind == "batch_norm":
            layers.append(nn.BatchNorm2d(channels))
        elif kind == "dropout":
            layers.append(nn.Dropout(layer["p"]))
        elif kind == "dropout2d":
            layers.append(nn.Dropout2d(layer["p"]))
        elif kind in ("max_pool", "avg_pool"):
            stride = layer.get("stride", layer["kernel"])
            pool = nn.MaxPool2d if kind == "max_pool" else nn.AvgPool2d
            layers.append(pool(layer["kernel"], stride))
            side = (side - layer["kernel"]) // stride + 1
        elif kind == "global_avg_pool":
            layers.append(nn.AdaptiveAvgPool2d(1))
            side = 1
        elif kind == "linear":
            layers.append(nn.Sequential(nn.Flatten()))
            layers[-1].append(nn.Linear(channels * side * side, layer["out"], bias=layer.get("bias", True)))
            channels, side = layer["out"], 1
        elif kind == "log_softmax":
            layers.append(nn.Sequential(nn.Flatten(), nn.LogSoftmax(1)))
        else:
            sys.exit(f"this script does not know the layer '{kind}'")
    return nn.Sequential(*layers)


def state_dict(tensors, model):
    """Renames "layers.3.weight" to what the nn.Sequential calls it."""
    names = {}
    for index, module in enumerate(model):
        inner = f"{index}.1." if isinstance(module, nn.Sequential) and len(module) == 2 else f"{index}."
        names[f"layers.{index}."] = inner
    renamed = {}
    for name, tensor in tensors.items():
        prefix = ".".join(name.split(".")[:2]) + "."
        if prefix in names:
            renamed[names[prefix] + name[len(prefix):]] = tensor
    return renamed


def read_idx(folder, name):
    for path in (pathlib.Path(folder) / name, pathlib.Path(folder) / (name + ".gz")):
        if path.exists():
            raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
            dimensions = raw[3]
            shape = struct.unpack(f">{dimensions}I", raw[4 : 4 + 4 * dimensions])
            return torch.frombuffer(bytearray(raw[4 + 4 * dimensions :]), dtype=torch.uint8).reshape(shape)
    sys.exit(f"{name} is not in {folder}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights")
    parser.add_argument("--data-dir", required=True)
    arguments = parser.parse_args()

    tensors, metadata = read_safetensors(arguments.weights)
    network = json.loads(metadata["network"])
    model = build(network)
    model.load_state_dict(state_dict(tensors, model), strict=True)
    model.eval()
    count = sum(p.numel() for p in model.parameters())

    images = read_idx(arguments.data_dir, "t10k-images-idx3-ubyte")
    labels = read_idx(arguments.data_dir, "t10k-labels-idx1-ubyte").long()
    mean, stddev = float(metadata.get("normalize_mean", 0.1307)), float(metadata.get("normalize_stddev", 0.3081))
    with torch.no_grad():
        pixels = ((images.float() / 255 - mean) / stddev).unsqueeze(1)
        right = sum(int((model(batch).flatten(1).argmax(1) == label).sum())
                    for batch, label in zip(pixels.split(500), labels.split(500)))
    accuracy = right / len(labels)
    stated = float(metadata["accuracy"])
    print(f"{network.get('name', 'network')}: {count} parameters, {right}/{len(labels)} right, "
          f"accuracy {accuracy:.4%} (Sweep says {stated:.4%} at epoch {metadata.get('epoch', '?')})")
    return 0 if math.isclose(accuracy, stated, abs_tol=1e-9) else 1


if __name__ == "__main__":
    sys.exit(main())
