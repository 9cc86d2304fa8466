"""What a portable block costs: a call of the portable `MLP` over one of the native `MLP`.

    python benchmarks/portable.py [--backend torch] [--pairs 400]

Both are of this library, with the same numbers, called in turn in one process. It prints the median
of the paired ratios with the bounds of its 95 % bootstrap interval, and the same for the native one
against a second instance of itself, which shows what the machine adds.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

import unified_blocks as ub

CALLS = {"torch": 40, "tensorflow": 4, "mxnet": 10}


def seconds(net, x, backend, calls):
    """The time of one call, from several in a row."""
    start = time.perf_counter()
    for _ in range(calls):
        y = net(x)
    backend.to_numpy(y)  # MXNet computes behind the caller's back
    return (time.perf_counter() - start) / calls


def ratios(first, second, x, backend, pairs):
    calls = CALLS.get(backend.name, 10)
    found = []
    for i in range(pairs + 20):
        order = (first, second) if i % 2 else (second, first)
        times = {id(net): seconds(net, x, backend, calls) for net in order}
        if i >= 20:  # the first ones warm up
            found.append(times[id(first)] / times[id(second)])
    return np.array(found)


def interval(values, draws=2000):
    """The bounds of the 95 % bootstrap interval of the median."""
    generator = np.random.default_rng(0)
    medians = np.median(generator.choice(values, (draws, len(values))), axis=1)
    return np.quantile(medians, [0.025, 0.975])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--backend", action="append", choices=ub.available_backends())
    parser.add_argument("--pairs", type=int, default=400)
    parser.add_argument("--batch", type=int, default=2)
    options = parser.parse_args()
    print(f"MLP(256, 10) on ({options.batch}, 20), float32, {options.pairs} pairs")
    for name in options.backend or ub.available_backends():
        backend = ub.get_backend(name)
        native, twin = (ub.build(ub.MLP.on(name)(256, 10), (2, 20)) for _ in range(2))
        portable = ub.build(ub.MLP.on(name, portable=True)(256, 10), (2, 20))
        for net in (twin, portable):
            ub.load_state(net, ub.state(native))
        x = backend.from_numpy(np.ones((options.batch, 20), "float32"))
        for label, net in (("portable / native", portable), ("native / native", twin)):
            values = ratios(net, native, x, backend, options.pairs)
            low, high = interval(values)
            print(f"{name:10} {label:18} median {np.median(values):.3f} [{low:.3f}, {high:.3f}]")


if __name__ == "__main__":
    main()
