"""MXNet, several contexts of one process: its key-value store `device` adds up the gradients.

    python examples/distributed/contexts.py

MXNet calls as many contexts of the CPU as one likes by numbers; here two of them stand for two
GPUs. There, name `["gpu:0", "gpu:1"]`.
"""

import numpy as np

import unified_blocks as ub

ub.set_backend("mxnet")


def data():
    """Numbers of two classes; each worker makes the same, and takes its share of each batch."""
    generator = np.random.default_rng(0)
    x = generator.normal(size=(1000, 20)).astype("float32")
    return x, (x[:, :10].sum(1) > 0).astype("int64")


with ub.join(["cpu:0", "cpu:1"]) as group:
    net = ub.initialize(ub.MLP(64, 2, in_units=20), seed=1)
    x, y = data()
    history = ub.fit(
        net,
        x,
        y,
        loss="cross_entropy",
        optimizer=ub.Adam(0.001),
        epochs=3,
        batch_size=128,
        metrics=["accuracy"],
    )
    losses = ", ".join(f"{loss:.6f}" for loss in history.loss)
    print(f"worker {group.rank} of {group.processes}: {losses}", flush=True)
