"""A block and its native twin under a strategy of TensorFlow; prints how many checks were made.

    python strategies.py mirrored | workers

In a process of its own: logical devices and workers are set up before TensorFlow starts.
"""

import json
import os
import sys
from contextlib import nullcontext
from pathlib import Path

KIND = sys.argv[1]
if KIND == "workers":
    cluster = {"cluster": {"worker": ["127.0.0.1:0"]}, "task": {"type": "worker", "index": 0}}
    os.environ["TF_CONFIG"] = json.dumps(cluster)

import keras
import numpy as np
import pytest
import tensorflow as tf

if KIND == "mirrored":
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    STRATEGY = tf.distribute.MirroredStrategy(["cpu:0", "cpu:1"])
else:
    STRATEGY = tf.distribute.MultiWorkerMirroredStrategy()

sys.path.insert(0, str(Path(__file__).parent.parent))

import unified_blocks as ub
from testbed.common import normal
from unified_blocks.backend import StepOptions

ub.set_backend("tensorflow")
X, Y = normal(8, 5), np.arange(8) % 2
CHECKS = []


class Listed(ub.Block):
    def __init__(self):
        super().__init__()
        self.parts = [ub.Dense(3, activation="relu"), ub.BatchNorm(), ub.Dense(2)]

    def forward(self, X):
        for part in self.parts:
            X = part(X)
        return X


def twin():
    norm = keras.layers.BatchNormalization(axis=1, momentum=0.9, epsilon=1e-5)
    dense = keras.layers.Dense
    return keras.Sequential([dense(3, activation="relu"), norm, dense(2)])


def check(function):
    for make in (twin, Listed):
        function(make)
        CHECKS.append(f"{function.__name__} {make.__name__}")
    return function


def built(make, strategy=STRATEGY):
    with strategy.scope() if strategy else nullcontext():
        net = ub.build(make(), (2, 5))
        plain = ub.initialize(ub.build(twin(), (2, 5)), 3, "torch_default")
        net.set_weights(plain.get_weights())
    return net


def close(found, expected):
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def same_weights(a, b):
    for left, right in zip(a.get_weights(), b.get_weights(), strict=True):
        close(left, right)


@check
def questions(make):
    """`build`, `state`, `load_state`, `value_and_grad`: as without a strategy, in and out."""
    alone = built(make, None)
    start, output = ub.state(alone), alone(X)
    value, gradients = ub.value_and_grad(alone, X, Y, loss="cross_entropy", wrt="both", train=True)
    for scope in (STRATEGY.scope(), nullcontext()):
        with scope:
            net = built(make)
            for name, array in ub.state(net).items():
                close(array, start[name])
            close(net(X), output)
            ub.load_state(net, ub.state(net))
            found, its = ub.value_and_grad(net, X, Y, loss="cross_entropy", wrt="both", train=True)
            close(found, value)
            for name, gradient in gradients.items():
                close(its[name], gradient)
            for name, array in ub.state(net).items():  # running statistics, too
                close(array, ub.state(alone)[name])
            assert ub.backend_of(net).variables(net)[0].device == "cpu"


def takes_its_steps(make, optimizer):
    alone = built(make, None)
    of_alone = ub.Trainer(alone, optimizer, "cross_entropy")
    losses = [float(of_alone.step(X, Y)) for _ in range(3)]
    losses += [*of_alone.epoch(X, Y, np.arange(8), 3)]
    for scope in (STRATEGY.scope(), nullcontext()):
        with scope:
            net = built(make)
            trained = ub.Trainer(net, optimizer, "cross_entropy")
            found = [float(trained.step(X, Y)) for _ in range(3)]
            found += [*trained.epoch(X, Y, np.arange(8), 3)]
            ub.load_state(trained, ub.state(trained))
        close(found, losses)
        same_weights(net, alone)
        for name, array in ub.state(of_alone).items():
            close(ub.state(trained)[name], array)


@check
def trainer(make):
    """`ub.Trainer` and `ub.fit` take the steps that they take without a strategy."""
    for optimizer in (ub.SGD(0.125, 0.875), ub.AdamW(0.01, epsilon=1e-3, weight_decay=0.05)):
        takes_its_steps(make, optimizer)


@check
def options(make):
    """With clipping, groups, accumulation, averages and a schedule, too."""
    groups = (ub.ParameterGroup("*bias", learning_rate=0.5, weight_decay=0.0),)
    more = {"clip": ub.Clip(global_norm=0.1), "groups": groups, "average": 0.5}
    chosen = StepOptions(accumulate=2, scheduled=True, **more)
    results = []
    for strategy in (None, STRATEGY):
        net = built(make, strategy)
        optimizer = ub.SGD(0.25, 0.875, weight_decay=0.05)
        step = ub.backend_of(net).training_step(net, optimizer, "cross_entropy", chosen)
        rates = np.array([0.25, 0.125], "float32")
        losses = step.epoch(X, Y, np.arange(8), 3, rates=rates)
        results.append((net, losses, [slot.read() for slot in step.averages()]))
    (alone, losses, averages), (net, found, its) = results
    close(found, losses)
    same_weights(net, alone)
    for left, right in zip(its, averages, strict=True):
        close(left, right)


@check
def run(make):
    """A step in `strategy.run`, and Keras' own `fit`, give what they give the native twin."""

    def trained(model):
        with STRATEGY.scope():
            optimizer = keras.optimizers.SGD(0.125)
            optimizer.build(model.trainable_variables)

        def step(x, y):
            with tf.GradientTape() as tape:
                losses = tf.nn.sparse_softmax_cross_entropy_with_logits(y, model(x, training=True))
                loss = tf.reduce_sum(losses) / 8
            variables = model.trainable_variables
            optimizer.apply(tape.gradient(loss, variables), variables)
            return loss

        function = tf.function(lambda x, y: STRATEGY.run(step, args=(x, y)))
        data = tf.data.Dataset.from_tensor_slices((X, Y)).batch(8)
        for batch in STRATEGY.experimental_distribute_dataset(data):
            function(*batch)
        with STRATEGY.scope():
            loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
            model.compile(keras.optimizers.SGD(0.125), loss)
        model.fit(X, Y, batch_size=4, shuffle=False, verbose=0, epochs=2)
        return model

    same_weights(trained(built(make)), trained(built(twin)))


def refused(words, function):
    with pytest.raises(ub.UnsupportedError, match=words):
        function()


@check
def errors(make):
    """What cannot be done is said in this library's words."""
    net = built(make)
    moved = ub.to_device(net, "cpu")  # outside the scope it is a plain model
    assert not isinstance(moved.weights[0].value, tf.distribute.DistributedValues)
    same_weights(moved, net)
    with STRATEGY.scope():
        if KIND == "workers":
            same_weights(ub.to_device(net, "cpu"), net)
        else:
            refused("must be on its devices, cpu, cpu:1", lambda: ub.to_device(net, "cpu"))
        alone = moved
        refused("must have been made in it", lambda: ub.Trainer(alone, ub.SGD(0.1), "sum"))
    inside = ub.Trainer(net, ub.SGD(0.125), "sum")
    refused("for all replicas at once", lambda: STRATEGY.run(lambda: inside.step(X)))


print(len(CHECKS))
