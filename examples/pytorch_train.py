#!/usr/bin/env python3
"""A trainer for `program:` in a sweep file, in PyTorch: a model to copy (docs/protocol.md).

Reads one trial per line, trains it, prints one line per epoch, and stays for the next trial, so
that importing torch is paid once. A `stop` ends a trial at the next batch with its checkpoint.
"""
import gzip, json, math, os, queue, sys, threading, time

import torch
from torch import nn

trials = queue.Queue()
stopped = threading.Event()


def send(**message):
    print(json.dumps(message), flush=True)


def listen():
    """Reads standard input while the main thread trains."""
    for line in sys.stdin:
        message = json.loads(line)
        if message["type"] == "trial":
            stopped.clear()
            trials.put(message)
        elif message["type"] == "stop":
            stopped.set()
    os._exit(0)  # the end of the input: the worker is gone, or wants no more


def read_idx(folder, name):
    path = os.path.join(folder, name)
    with open(path, "rb") if os.path.exists(path) else gzip.open(path + ".gz") as file:
        data = bytearray(file.read())
    rank = data[3]
    shape = [int.from_bytes(data[4 + 4 * i : 8 + 4 * i], "big") for i in range(rank)]
    return torch.frombuffer(data, dtype=torch.uint8, offset=4 + 4 * rank).reshape(shape)


def load(trial, part, count):
    """Images and their classes: of MNIST, or noisy patterns when there is no folder of data."""
    if trial["data_dir"]:
        images, labels = (read_idx(trial["data_dir"], part + end)
                          for end in ("-images-idx3-ubyte", "-labels-idx1-ubyte"))
        images = images[: count or None, None] / 255 - trial["normalize_mean"]
        return images / trial["normalize_stddev"], labels[: count or None].long()
    draw = torch.Generator().manual_seed(0 if part == "train" else 1)
    patterns = torch.rand(10, 1, 28, 28, generator=torch.Generator().manual_seed(2))
    labels = torch.randint(10, (count or 1000,), generator=draw)
    noise = torch.rand(len(labels), 1, 28, 28, generator=draw)
    return patterns[labels] + noise - 1, labels


def make_model(width):
    return nn.Sequential(
        nn.Conv2d(1, width, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(width, 2 * width, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(2 * width * 49, 10))


def train(trial):
    me, name, options = trial["trial"], trial["output_dir"] + "/checkpoint.pt", trial["parameters"]
    device = "cuda" if trial["device"] != "cpu" and torch.cuda.is_available() else "cpu"
    torch.manual_seed(trial["seed"])
    images, labels = (t.to(device) for t in load(trial, "train", trial["dataset"]["train_size"]))
    tests, answers = (t.to(device) for t in load(trial, "t10k", trial["dataset"]["test_size"]))
    model = make_model(options.get("width", 16)).to(device)
    optimizer = torch.optim.SGD(model.parameters(), lr=trial["lr"], momentum=trial["momentum"])
    first = 1
    if trial["resume_from"]:
        state = torch.load(trial["resume_from"], map_location=device, weights_only=True)
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        first = state["epoch"] + 1
    print(f"{me}: {len(labels)} images on {device}, from epoch {first}", file=sys.stderr)

    for epoch in range(first, trial["epochs"] + 1):
        begin, total, right = time.time(), 0.0, 0
        # A function of seed and epoch, so that a resumed trial goes on as it would have.
        order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(
            (trial["seed"] + epoch) % 2**63))
        batches = order.to(device).split(trial["batch_size"])
        for step, batch in enumerate(batches, 1):
            if stopped.is_set():  # the last whole epoch's checkpoint is there already
                return send(type="done", trial=me, epochs=epoch - 1, stopped=True)
            output = model(images[batch])
            loss = nn.functional.cross_entropy(output, labels[batch])
            if not math.isfinite(loss.item()):
                return send(type="error", trial=me, reason=f"loss is {loss.item()} in epoch {epoch}")
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(batch)
            right += (output.argmax(1) == labels[batch]).sum().item()
            if step % 50 == 0:
                send(type="progress", trial=me, epoch=epoch, step=step, steps=len(batches))
        seconds = time.time() - begin
        with torch.no_grad():
            output = torch.cat([model(part) for part in tests.split(500)])
        send(type="epoch", trial=me, epoch=epoch, lr=trial["lr"], train_loss=total / len(labels),
             train_accuracy=right / len(labels), train_seconds=seconds,
             images_per_second=len(labels) / seconds,
             validation_loss=nn.functional.cross_entropy(output, answers).item(),
             validation_accuracy=(output.argmax(1) == answers).float().mean().item())
        with open(name + ".new", "wb") as file:
            torch.save({"epoch": epoch, "model": model.state_dict(),
                        "optimizer": optimizer.state_dict()}, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name + ".new", name)
        send(type="checkpoint", trial=me, epoch=epoch, path=name)
    send(type="done", trial=me, epochs=trial["epochs"], files={"model": name})


if __name__ == "__main__":
    torch.set_num_threads(1)  # one per slot of the worker
    send(type="ready", protocol=1, build=f"pytorch_train.py, torch {torch.__version__}",
         device="cuda" if torch.cuda.is_available() else "cpu", backend="torch")
    threading.Thread(target=listen, daemon=True).start()
    while True:
        train(trials.get())
