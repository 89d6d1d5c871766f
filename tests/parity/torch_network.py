"""Builds the network of the trainer's line in PyTorch, without the code that Sweep writes for it."""
import torch
from torch import nn


def modules(network, dropout):
    """One module per layer. Dropout needs `dropout`; the caller applies log_softmax."""
    layers, x = [], torch.zeros(1, *network["input"])
    for layer in network["layers"]:
        kind, channels = layer["kind"], x.shape[1]
        if kind == "conv":
            module = nn.Conv2d(channels, layer["out"], layer["kernel"], layer["stride"], layer["padding"],
                               bias=layer["bias"])
        elif kind == "linear":
            linear = nn.Linear(x[0].numel(), layer["out"], bias=layer["bias"])
            module = nn.Sequential(nn.Flatten(), linear, nn.Unflatten(1, (-1, 1, 1)))
        elif kind == "batch_norm":
            module = nn.BatchNorm2d(channels)
        elif kind in ("max_pool", "avg_pool"):
            pool = nn.MaxPool2d if kind == "max_pool" else nn.AvgPool2d
            module = pool(layer["kernel"], layer["stride"])
        elif kind == "global_avg_pool":
            module = nn.AdaptiveAvgPool2d(1)
        elif kind == "relu":
            module = nn.ReLU(inplace=True)
        elif dropout and kind in ("dropout", "dropout2d"):
            module = (nn.Dropout if kind == "dropout" else nn.Dropout2d)(layer["p"])
        else:
            assert kind in ("dropout", "dropout2d", "log_softmax"), kind
            module = nn.Identity()
        with torch.no_grad():
            x = module.eval()(x)
        layers.append(module)
    return layers
