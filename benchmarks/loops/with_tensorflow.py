"""The loop in TensorFlow, with a step that is a graph; and Keras' own."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from benchmarks.loops import OPTIONS


def epoch_of(net, x, y, batch_size, optimizer, rate, generator):
    native = getattr(keras.optimizers, optimizer)(rate, **OPTIONS[optimizer])
    native.build(net.trainable_variables)
    loss_of = keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    @tf.function
    def step(xb, yb):
        with tf.GradientTape() as tape:
            loss = loss_of(yb, net(xb, training=True))
        gradients = tape.gradient(loss, net.trainable_variables)
        native.apply_gradients(zip(gradients, net.trainable_variables, strict=True))
        return loss

    def epoch():
        order, total = tf.constant(generator.permutation(len(x))), 0.0
        for i in range(0, len(x), batch_size):
            rows = order[i : i + batch_size]
            total += step(tf.gather(x, rows), tf.gather(y, rows)) * len(rows)
        return float(total) / len(x)

    return epoch


def keras_epoch_of(net, x, y, batch_size, optimizer, rate):
    """A function that calls `keras.Model.fit` for one epoch, on arrays."""
    net.compile(
        getattr(keras.optimizers, optimizer)(rate, **OPTIONS[optimizer]),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    return lambda: net.fit(x, y, batch_size=batch_size, shuffle=True, verbose=0)


def shared_epoch_of(net, x, y, batch_size, optimizer, rate, generator, group):
    """`epoch_of` of each of several processes: by `strategy.run`, in the scope of a strategy."""
    strategy = tf.distribute.get_strategy()
    native = getattr(keras.optimizers, optimizer)(rate, **OPTIONS[optimizer])
    native.build(net.trainable_variables)
    loss_of = keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    def share(xb, yb, part):
        with tf.GradientTape() as tape:
            loss = loss_of(yb, net(xb, training=True)) * part
        native.apply(tape.gradient(loss, net.trainable_variables), net.trainable_variables)
        return loss

    @tf.function
    def step(xb, yb, part):
        return strategy.run(share, args=(xb, yb, part))

    def epoch():
        order, total = generator.permutation(len(x)), 0.0
        for i in range(0, len(x), batch_size):
            rows = order[i : i + batch_size]
            own = np.array_split(rows, group.processes)[group.rank]
            # Keras' loss is divided by the number of replicas already.
            part = tf.constant(len(own) * group.processes / len(rows), tf.float32)
            own = tf.constant(own)
            total += step(tf.gather(x, own), tf.gather(y, own), part) * len(rows)
        return float(strategy.reduce("SUM", total, axis=None)) / len(x)

    return epoch


def watched_epoch_of(net, x, y, others, batch_size, optimizer, rate, generator):
    """`epoch_of` that tells the accuracy, too, and both of other data, in one array."""
    native = getattr(keras.optimizers, optimizer)(rate, **OPTIONS[optimizer])
    native.build(net.trainable_variables)
    loss_of = keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    def right(output, labels):
        return tf.cast(tf.argmax(output, -1) == tf.cast(labels, tf.int64), tf.float32)

    @tf.function
    def step(xb, yb):
        with tf.GradientTape() as tape:
            output = net(xb, training=True)
            loss = loss_of(yb, output)
        gradients = tape.gradient(loss, net.trainable_variables)
        native.apply_gradients(zip(gradients, net.trainable_variables, strict=True))
        return tf.stack([loss, tf.reduce_mean(right(output, yb))])

    @tf.function
    def measure(xb, yb):
        output = net(xb, training=False)
        return tf.stack([loss_of(yb, output), tf.reduce_mean(right(output, yb))])

    def epoch():
        order, total = tf.constant(generator.permutation(len(x))), 0.0
        for i in range(0, len(x), batch_size):
            rows = order[i : i + batch_size]
            total += step(tf.gather(x, rows), tf.gather(y, rows)) * len(rows)
        return tf.concat([total / len(x), measure(*others)], 0).numpy()

    return epoch


def outputs_of(net, x, batch_size):
    """A function that gives the outputs of a model as an array."""

    @tf.function
    def output_of(xb):
        return net(xb, training=False)

    def outputs():
        found = [output_of(x[i : i + batch_size]) for i in range(0, len(x), batch_size)]
        return tf.concat(found, 0).numpy()

    return outputs


def loader_of(x, y, batch_size):
    """A loader of arrays, in their order."""
    return tf.data.Dataset.from_tensor_slices((x, y)).batch(batch_size)


def loaded_epoch_of(net, loader, optimizer, rate):
    """`epoch_of` over the batches of a loader."""
    native = getattr(keras.optimizers, optimizer)(rate, **OPTIONS[optimizer])
    native.build(net.trainable_variables)
    loss_of = keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    @tf.function
    def step(xb, yb):
        with tf.GradientTape() as tape:
            loss = loss_of(yb, net(xb, training=True))
        gradients = tape.gradient(loss, net.trainable_variables)
        native.apply_gradients(zip(gradients, net.trainable_variables, strict=True))
        return loss

    def epoch():
        total, samples = 0.0, 0
        for xb, yb in loader:
            total += step(xb, yb) * len(xb)
            samples += len(xb)
        return float(total) / samples

    return epoch
