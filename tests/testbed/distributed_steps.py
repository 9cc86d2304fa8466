"""Training steps with options, together with others or alone; writes what they give.

    python distributed_steps.py BACKEND FILE DISTRIBUTED

Each case makes a network and a step, and takes updates: an epoch, pieces of one, and batches of
which each worker has its own. The first worker writes `FILE`, an `.npz`.
"""

import os
import sys

import numpy as np

BACKEND, FILE, DISTRIBUTED = sys.argv[1:]
if devices := int(os.environ.get("DEVICES", 0)):
    if BACKEND == "tensorflow":
        import tensorflow as tf

        cpu = tf.config.list_physical_devices("CPU")[0]
        configuration = [tf.config.LogicalDeviceConfiguration()] * devices
        tf.config.set_logical_device_configuration(cpu, configuration)
    DISTRIBUTED = [f"cpu:{i}" for i in range(devices)]
elif DISTRIBUTED == "None":
    DISTRIBUTED = None

import unified_blocks as ub
from unified_blocks import ops
from unified_blocks.backend import Clip, StepOptions
from unified_blocks.training.workers.join import group_of

ub.set_backend(BACKEND)
SAMPLES, SIZE = 19, 5
GENERATOR = np.random.default_rng(0)
X = GENERATOR.normal(size=(SAMPLES, 3))
Y = GENERATOR.normal(size=(SAMPLES, 2))
W = GENERATOR.uniform(0.1, 2, size=SAMPLES)
W[[4, 11]] = 0
ORDER = GENERATOR.permutation(SAMPLES)
RATES = np.float32(0.1) / np.arange(1, 5, dtype="float32")


def far(output, y, w):
    """A mean by mass, as metrics are."""
    apart = ops.max(ops.abs(output - y), axis=1)
    return ops.mean(apart) if w is None else ops.sum(apart * w) / ops.sum(w)


CASES = {
    "plain": ({}, "mse"),
    "sum": ({}, "sum"),
    "weighted": ({"weighted": True}, "mse"),
    "watched": ({"watched": (far,)}, "mse"),
    "scheduled": ({"scheduled": True}, "mse"),
    "accumulated": ({"accumulate": 2}, "mse"),
    "clipped": ({"clip": Clip(global_norm=0.3)}, "mse"),
    "clipped apart": ({"clip": Clip(norm=0.2)}, "mse"),
    "averaged": ({"average": 0.5}, "mse"),
    "all": (
        {
            "weighted": True,
            "watched": (far,),
            "scheduled": True,
            "accumulate": 2,
            "clip": Clip(norm=0.5),
            "average": 0.5,
        },
        "mse",
    ),
}


def network(group):
    net = ub.initialize(ub.MLP(4, 2, in_units=3, dtype="float64"), 1 + group.rank)
    return net, group_of(ub.backend_of(net), net, group)


def case(group, options, loss):
    """What an epoch, pieces, and own batches give, and the weights at the end."""
    net, together = network(group)
    backend = ub.backend_of(net)
    step = backend.training_step(
        net, ub.SGD(0.1, momentum=0.5), loss, StepOptions(**options, group=together)
    )
    weighted, scheduled = options.get("weighted"), options.get("scheduled")
    x, y, w = (backend.from_numpy(a) for a in (X, Y, W))
    y, w = (y if loss == "mse" else None), (w if weighted else None)
    many = options.get("accumulate", 1)
    updates = -(-SAMPLES // (SIZE * many))
    rates = RATES[:updates] if scheduled else None
    found = {"epoch": step.epoch(x, y, ORDER, SIZE, w, rates)}
    with step.running():
        values = []
        for i in range(updates):
            some = ORDER[i * SIZE * many : (i + 1) * SIZE * many]
            batches = [
                step.gather((x, y, w), some[j : j + SIZE]) for j in range(0, len(some), SIZE)
            ]
            rate = float(rates[i]) if scheduled else None
            if many == 1:
                values.append(step.update(*batches[0], rate))
            else:
                values.append(step.accumulated(batches, rate))
        found["pieces"] = step.fetched(values)
    own = ORDER[:4]
    if group.processes > 1:  # each worker has other samples, and not as many
        own = own[:3] if group.rank == 0 else own[3:]
    batch = [
        backend.from_numpy(a[own]) if given else None
        for a, given in ((X, True), (Y, y is not None), (W, w is not None))
    ]
    return net, step, found, batch, rates


def run(group):
    written = {}
    for name, (options, loss) in CASES.items():
        net, step, found, batch, rates = case(group, options, loss)
        if "accumulate" not in options:
            value = step(*batch, None if rates is None else float(rates[0]))
            found["own"] = ub.backend_of(net).to_numpy(value)
        for slot in step.averages():
            found[f"average.{slot.name}"] = slot.read()
        for key, array in (*found.items(), *ub.state(net).items()):
            written[f"{name}.{key}"] = array
    if group.rank == 0:
        np.savez(FILE, **written)


if __name__ == "__main__":
    with ub.join(DISTRIBUTED) as group:
        run(group)
