"""Trains a network, together with others or alone; writes its losses and weights.

    python distributed_program.py BACKEND FILE [name=value …]

The first worker writes `FILE`, an `.npz`. Names: `net` (mlp, lenet, transformer, normed),
`optimizer` (sgd, adam, adamw; sgd+adam trains a network by each of them), `dtype`, `epochs`,
`batch`, `samples`, `weights` (0 or 1), `distributed` (own: a strategy or contexts of the
framework's own), `pause` (seconds after each epoch, which is then printed), `checkpoint` (a
folder), `parts` (1: each worker writes its own there), `average` (of weights), `looked` (1: with a
schedule, and a callback that reads the loss of every third update, in the first worker; 2: without
the schedule; 3: with it and without the callback), `loaded` (1: each worker has a loader of its own
shares; 2: the last worker's has a batch less), `leaves` (the worker that leaves by `sys.exit` after
its second epoch), `dies` (where a worker is killed in the second save: `writing` its parts, when
all are `written`, or when the file that names them is `replaced`).
"""

import os
import signal
import sys
import time
from pathlib import Path

import numpy as np

BACKEND, FILE, *GIVEN = sys.argv[1:]
OPTIONS = {
    "net": "mlp",
    "optimizer": "sgd",
    "dtype": "float64",
    "epochs": "5",
    "batch": "10",
    "samples": "47",  # the last batch is smaller, and no number of workers divides it
    "weights": "0",
    "distributed": "auto",
    "pause": "0",
    "checkpoint": "",
    "parts": "0",
    "average": "0",
    "looked": "0",
    "loaded": "0",
    "leaves": "",
    "dies": "",
} | dict(each.split("=", 1) for each in GIVEN)

if devices := int(os.environ.get("DEVICES", 0)):  # before TensorFlow starts
    if BACKEND == "tensorflow":
        import tensorflow as tf

        cpu = tf.config.list_physical_devices("CPU")[0]
        configuration = [tf.config.LogicalDeviceConfiguration()] * devices
        tf.config.set_logical_device_configuration(cpu, configuration)
    DEVICES = [f"cpu:{i}" for i in range(devices)]
    if OPTIONS["distributed"] == "auto":
        OPTIONS["distributed"] = DEVICES

import unified_blocks as ub

ub.set_backend(BACKEND)
SAMPLES, EPOCHS, BATCH = (int(OPTIONS[name]) for name in ("samples", "epochs", "batch"))
OPTIMIZERS = {
    "sgd": ub.SGD(0.05, momentum=0.9),
    "adam": ub.Adam(0.002, epsilon=1e-3),
    "adamw": ub.AdamW(0.002, epsilon=1e-3, weight_decay=0.05),
}


class LeNet(ub.Block):
    def __init__(self):
        super().__init__()
        self.first = ub.Conv2D(3, 3, padding=1, in_channels=1, activation="tanh")
        self.pool = ub.AvgPool2D(2)
        self.second = ub.Conv2D(4, 3, in_channels=3, activation="tanh")
        self.flatten = ub.Flatten()
        self.out = ub.Dense(3, in_units=16)

    def forward(self, X):
        X = self.pool(self.first(X))
        return self.out(self.flatten(self.second(X)))


class Transformer(ub.Block):
    def __init__(self):
        super().__init__()
        self.attention = ub.MultiHeadAttention(8, 2, in_units=8)
        self.norm = ub.LayerNorm(in_units=8)
        self.wide = ub.Dense(16, in_units=8, activation="tanh")
        self.narrow = ub.Dense(8, in_units=16)
        self.out = ub.Dense(3, in_units=8)

    def forward(self, X):
        X = self.norm(X + self.attention(X))
        X = X + self.narrow(self.wide(X))
        return self.out(ub.ops.mean(X, axis=1))


class Paused(ub.Callback):
    """Tells of each epoch, and lets some time pass, in which a worker may be killed."""

    def epoch(self, run):
        print("epoch", run.epoch, flush=True)
        time.sleep(float(OPTIONS["pause"]))


class Leaving(ub.Callback):
    """Leaves in the middle of the training."""

    def epoch(self, run):
        if run.epoch == 2:
            sys.exit(3)


class Dying(ub.Checkpoint):
    """Kills its process in the middle of the second save."""

    saves = 0

    def epoch(self, run):
        self.saves += 1
        place = OPTIONS["dies"]
        if self.saves == 2 and run.is_writer == (place != "writing"):
            self.prepare(place)
        super().epoch(run)

    def prepare(self, place):
        from torch.distributed.checkpoint import FileSystemWriter

        from unified_blocks.training.runs import checkpoint

        def die(*given, **named):
            if place == "replaced":
                write(*given, **named)
            os.kill(os.getpid(), signal.SIGKILL)

        write = checkpoint.safetensors.write
        if place == "writing":
            FileSystemWriter.write_data = die
        else:
            checkpoint.safetensors.write = die


class Counted(ub.Callback):
    """Tells in how many shares a batch is computed."""

    def begin(self, run):
        print("shares", run.trainer.training_step.options.group.size, flush=True)


class Looked(ub.Callback):
    """Reads losses in the first worker alone, which must not wait for the others."""

    every = 3

    def step(self, run):
        if run.is_writer:
            assert np.isfinite(run.loss)


NETS = {
    "mlp": (lambda: ub.MLP(7, 3, in_units=5), (5,)),
    "lenet": (LeNet, (1, 8, 8)),
    "transformer": (Transformer, (4, 8)),
    "normed": (lambda: ub.MySequential(ub.Dense(6, in_units=5), ub.BatchNorm(), ub.Dense(3)), (5,)),
}
OWN = OPTIONS["distributed"] == "own"
MAKE, SHAPE = NETS[OPTIONS["net"]]


def network(seed):
    with ub.use_dtype(OPTIONS["dtype"]):
        net = ub.build(MAKE(), (2, *SHAPE))
    return ub.initialize(net, seed)


def made_by_hand():
    """A network on several devices, as the framework's own users put it there."""
    if BACKEND == "tensorflow":
        with tf.distribute.MirroredStrategy(DEVICES).scope():
            return network(3)
    from unified_blocks_mxnet.compat import mx

    net = network(3)
    net.collect_params().reset_ctx([mx.cpu(i) for i in range(len(DEVICES))])
    return net


def dealt(x, y, group):
    """The batches of a worker: its part of each, the last ones smaller."""
    rows = [range(i, min(i + BATCH, SAMPLES)) for i in range(0, SAMPLES, BATCH)]
    own = [np.array_split(each, group.processes)[group.rank] for each in rows]
    if OPTIONS["loaded"] == "2" and group.rank == group.processes - 1:
        own.pop()
    return [(x[each], y[each]) for each in own]


def train(group):
    generator = np.random.default_rng(0)
    x = generator.normal(size=(SAMPLES, *SHAPE)).astype(OPTIONS["dtype"])
    y = np.abs(x).reshape(SAMPLES, -1)[:, :3].argmax(axis=1)
    more = {}
    if OPTIONS["weights"] == "1":
        more["sample_weight"] = generator.uniform(0.1, 2, SAMPLES)
    if OPTIONS["checkpoint"]:
        parts = OPTIONS["parts"] == "1"
        kind = Dying if OPTIONS["dies"] else ub.Checkpoint
        more["checkpoint"] = kind(OPTIONS["checkpoint"], parts=parts)
    if OPTIONS["average"] != "0":
        more["average"] = float(OPTIONS["average"])
    if float(OPTIONS["pause"]):
        more["callbacks"] = [Paused()]
    if OPTIONS["leaves"] == str(group.rank):
        more["callbacks"] = [Leaving()]
    if OWN:
        more["callbacks"] = [Counted()]
    if OPTIONS["looked"] in ("1", "2"):
        more["callbacks"] = [*more.get("callbacks", ()), Looked()]
        more["metrics"] = ["accuracy"]
        more["validation"] = (x[:9], y[:9])
    if OPTIONS["looked"] in ("1", "3"):
        more["schedule"] = ub.CosineDecay(30)
    if OPTIONS["loaded"] != "0":
        x, y = dealt(x, y, group), None
    else:
        more |= {"batch_size": BATCH, "seed": 1}
    numbers = {}
    for name in OPTIONS["optimizer"].split("+"):
        # Each worker draws other numbers: those of the first count.
        net = made_by_hand() if OWN else network(3 + group.rank)
        history = ub.fit(
            net,
            x,
            y,
            loss="cross_entropy",
            optimizer=OPTIMIZERS[name],
            epochs=EPOCHS,
            distributed="auto" if OWN else group,
            **more,
        )
        found = {"losses": history.loss, **history.metrics, **ub.state(net)}
        numbers |= {f"{name}.{key}": array for key, array in found.items()}
    if group.rank == 0:
        np.savez(FILE, **numbers)
    else:
        np.savez(f"{FILE}.{group.rank}.npz", **numbers)


if __name__ == "__main__":
    Path(FILE).parent.mkdir(exist_ok=True)
    distributed = OPTIONS["distributed"]
    if distributed in ("None", "own"):
        train(ub.join(None))
    else:
        with ub.join(distributed) as group:
            print("rank", group.rank, flush=True)
            train(group)
            print("done", group.rank, "of", group.processes, flush=True)
