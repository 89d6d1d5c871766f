"""A training on MNIST as one writes it by hand in PyTorch: what benches measure Sweep against.

Images stay in memory as [n, 1, 28, 28] floats, the augmentation is done for a whole batch at once, and the memory
layout is the faster one of this network on this machine.
"""
import gzip
import os
import pathlib
import sys
import time

import numpy
import torch
from torch import nn

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "parity"))
from torch_network import modules

MEAN, STDDEV = 0.1307, 0.3081


def read_mnist():
    """Normalised training images, their labels, test images, their labels, from the folder SWEEP_DATA_DIR."""
    folder = pathlib.Path(os.environ["SWEEP_DATA_DIR"])
    parts = []
    for part in ("train", "t10k"):
        tensors = []
        for kind, header in (("images-idx3-ubyte", 16), ("labels-idx1-ubyte", 8)):
            path = folder / f"{part}-{kind}"
            packed = path.with_name(path.name + ".gz")
            raw = path.read_bytes() if path.exists() else gzip.decompress(packed.read_bytes())
            tensors.append(torch.from_numpy(numpy.frombuffer(raw, numpy.uint8, offset=header).copy()))
        parts += [(tensors[0].reshape(-1, 1, 28, 28).float() / 255 - MEAN) / STDDEV, tensors[1].long()]
    return parts


def shifted(images, pixels):
    """Each image moved by up to so many pixels in each direction."""
    if pixels == 0:
        return images
    padded = nn.functional.pad(images, (pixels,) * 4, value=-MEAN / STDDEV)
    count, moves = len(images), 2 * pixels + 1
    rows = torch.randint(0, moves, (count, 1)) + torch.arange(28)
    columns = torch.randint(0, moves, (count, 1)) + torch.arange(28)
    return padded[torch.arange(count)[:, None, None], 0, rows[:, :, None], columns[:, None, :]][:, None]


def model_of(network, layout=torch.contiguous_format):
    """The network of a trainer's line; it returns what log_softmax is taken of."""
    has_dropout = any(layer.get("p") for layer in network["layers"])
    return nn.Sequential(*modules(network, dropout=has_dropout), nn.Flatten()).to(memory_format=layout)


def step(model, optimizer, images, labels):
    optimizer.zero_grad(set_to_none=True)
    nn.functional.cross_entropy(model(images), labels).backward()
    optimizer.step()


def faster_layout(network, batch, steps=100):
    """Of PyTorch's two memory layouts the one in which training steps of this network take less time, and the time of a
    step in seconds."""
    images, labels = torch.randn(batch, *network["input"]), torch.randint(10, (batch,))
    seconds = {}
    for layout in (torch.contiguous_format, torch.channels_last):
        model = model_of(network, layout).train()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
        step(model, optimizer, images, labels)
        begun = time.perf_counter()
        for _ in range(steps):
            step(model, optimizer, images, labels)
        seconds[layout] = time.perf_counter() - begun
    layout = min(seconds, key=seconds.get)
    return layout, seconds[layout] / steps


def accuracy_of(model, images, labels):
    model.eval()
    with torch.no_grad():
        return sum(int((model(images[i:i + 500]).argmax(1) == labels[i:i + 500]).sum())
                   for i in range(0, len(images), 500)) / len(images)


def train(network, recipe, data, layout):
    """Trains with a one-cycle learning rate, and gives the accuracy on the test images after each epoch.

    `recipe` has epochs, batch_size, lr, momentum, and may have nesterov and shift_pixels (0: images stay as they are).
    """
    images, labels, test_images, test_labels = data
    model = model_of(network, layout)
    optimizer = torch.optim.SGD(model.parameters(), lr=recipe["lr"], momentum=recipe["momentum"],
                                nesterov=recipe.get("nesterov", False))
    steps = recipe["epochs"] * -(-len(images) // recipe["batch_size"])
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=recipe["lr"], total_steps=steps,
                                                   cycle_momentum=False)
    for _ in range(recipe["epochs"]):
        model.train()
        for chosen in torch.randperm(len(images)).split(recipe["batch_size"]):
            step(model, optimizer, shifted(images[chosen], recipe.get("shift_pixels", 0)), labels[chosen])
            schedule.step()
        yield accuracy_of(model, test_images, test_labels)
