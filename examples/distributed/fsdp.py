"""PyTorch, FSDP2: each process holds a part of each parameter, and of what the optimizer keeps.

    torchrun --standalone --nproc-per-node=2 examples/distributed/fsdp.py

Each worker prints the same losses.
"""

import numpy as np

import unified_blocks as ub

ub.set_backend("torch")


def data():
    """Numbers of two classes; each worker makes the same, and takes its share of each batch."""
    generator = np.random.default_rng(0)
    x = generator.normal(size=(1000, 20)).astype("float32")
    return x, (x[:, :10].sum(1) > 0).astype("int64")


with ub.join("fsdp") as group:
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
