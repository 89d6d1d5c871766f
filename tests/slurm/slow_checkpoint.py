# A program that needs 2 s for its checkpoint when it is asked to stop: by its worker with a line,
# or by a batch system with SIGTERM, which may come more than once.

import json
import os
import queue
import signal
import sys
import threading
import time

asked = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: asked.set())
lines = queue.Queue()
threading.Thread(target=lambda: [lines.put(line) for line in sys.stdin], daemon=True).start()


def say(**message):
    print(json.dumps(message), flush=True)


trial = json.loads(lines.get())
first = 0
if trial.get("resume_from"):
    with open(trial["resume_from"]) as file:
        first = int(file.read())
for epoch in range(first + 1, trial["epochs"] + 1):
    asked.wait(0.5)
    say(type="epoch", trial=trial["trial"], epoch=epoch, validation_accuracy=0.5)
    while not lines.empty():
        if json.loads(lines.get()).get("type") == "stop":
            asked.set()
    if asked.is_set():
        end = time.monotonic() + 2
        while time.monotonic() < end:  # not interrupted by a signal, but perhaps by a clock change
            time.sleep(0.1)
        path = os.path.join(trial["output_dir"], "checkpoint")
        with open(path, "w") as file:
            file.write(str(epoch))
        say(type="checkpoint", trial=trial["trial"], epoch=epoch, path=path)
        say(type="done", trial=trial["trial"], epochs=epoch, stopped=True)
        sys.exit(0)
