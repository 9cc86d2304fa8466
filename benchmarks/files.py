"""What saving and loading cost, compared with `numpy.save` and `numpy.load`.

    python benchmarks/files.py [--backend torch] [--gigabytes 1] [--pairs 5] [--folder DIR]

Both write and read the same numbers, in turn, in one process; `numpy.save` writes a new file,
flushes it to the disk and renames it, as `ub.save` does (`--folder /dev/shm` takes the disk out of
the comparison). Loading is into a model that is there, every digest checked; `ub.load`, which makes
the model first, is shown apart. It prints the medians of the speeds and of the paired ratios, and
how much more memory a save and a load had at their peak than before and after, in arrays.
"""

from __future__ import annotations

import argparse
import gc
import os
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

import unified_blocks as ub

LAYERS = 8


class Stack(ub.Block):
    """Layers that hold so many numbers together."""

    def __init__(self, width):
        super().__init__()
        self.layers_of_it = [ub.Dense(width, in_units=width, use_bias=False) for _ in range(LAYERS)]

    def forward(self, X):
        for layer in self.layers_of_it:
            X = layer(X)
        return X


def anonymous():
    """The memory of this process that does not belong to a mapped file, in bytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("RssAnon"):
            return int(line.split()[1]) * 1024
    raise OSError("this system does not tell")


def peak(function):
    """The result, the time, and how much more memory it had at its peak than before or after."""
    gc.collect()
    before, most, done = anonymous(), 0, False

    def watch():
        nonlocal most
        while not done:
            most = max(most, anonymous())
            time.sleep(0.001)

    watcher = threading.Thread(target=watch)
    watcher.start()
    start = time.perf_counter()
    result = function()
    seconds = time.perf_counter() - start
    done = True
    watcher.join()
    return result, seconds, max(0, most - max(before, anonymous()))


def numpy_save(path, arrays):
    """As safe as `ub.save`: a new file, flushed to the disk, which takes the place of the old."""
    new = path.with_suffix(".new")
    with new.open("wb") as file:
        for array in arrays:
            np.save(file, array)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


def numpy_load(path):
    with path.open("rb") as file:
        return [np.load(file) for _ in range(LAYERS)]


def done(net):
    """Return when `net` has its numbers: MXNet works behind the caller's back."""
    for variable in ub.backend_of(net).variables(net):
        variable.view()


def measure(name, width, pairs, folder):
    """The seconds of each step, and the most that a save and a load needed besides."""
    ours, theirs = folder / "net.safetensors", folder / "net.npy"
    net = Stack.on(name)(width)
    arrays = list(ub.state(net).values())
    steps = {
        "numpy save": lambda: numpy_save(theirs, arrays),
        "save": lambda: ub.save(net, ours),
        "numpy load": lambda: numpy_load(theirs),
        "load": lambda: done(ub.load_state(net, ub.read_state(ours))),
        "load and make": lambda: done(ub.load(ours, name)),
        "make": lambda: done(Stack.on(name)(width)),
    }
    seconds, extra = {what: [] for what in steps}, dict.fromkeys(steps, 0)
    for i in range(pairs + 1):
        for what, step in steps.items():
            result, taken, more = peak(step)
            del result
            if i:  # the first ones warm up
                seconds[what].append(taken)
                extra[what] = max(extra[what], more)
    return {what: np.array(times) for what, times in seconds.items()}, extra


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--backend", action="append", choices=ub.available_backends())
    parser.add_argument("--gigabytes", type=float, default=1.0)
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--folder", type=Path, help="where to write; default: a temporary folder")
    options = parser.parse_args()
    width = int((options.gigabytes * 1e9 / 4 / LAYERS) ** 0.5)
    one = width * width * 4 / 1e9
    print(f"{LAYERS} arrays of {one:.3f} GB in float32, {options.pairs} pairs")
    for name in options.backend or ub.available_backends():
        with tempfile.TemporaryDirectory(dir=options.folder) as folder:
            seconds, extra = measure(name, width, options.pairs, Path(folder))
        for what in ("save", "load"):
            speed, numpy_s = (
                LAYERS * one / np.median(seconds[key]) for key in (what, f"numpy {what}")
            )
            ratio = np.median(seconds[f"numpy {what}"] / seconds[what])
            print(
                f"{name:10} {what}  {speed:5.2f} GB/s, numpy {numpy_s:5.2f} GB/s, median ratio "
                f"{ratio:.2f}, extra memory {extra[what] / one / 1e9:.2f} arrays"
            )
        both, alone = (np.median(seconds[what]) for what in ("load and make", "make"))
        print(f"{name:10} ub.load {both:.2f} s, of which making the block takes {alone:.2f} s")


if __name__ == "__main__":
    main()
