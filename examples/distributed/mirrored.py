"""TensorFlow, MirroredStrategy: several devices of one process.

    python examples/distributed/mirrored.py

Two halves of the CPU stand for two GPUs; there, leave out the lines on logical devices and name
`["gpu:0", "gpu:1"]`.
"""

import numpy as np
import tensorflow as tf

import unified_blocks as ub

ub.set_backend("tensorflow")
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)


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
