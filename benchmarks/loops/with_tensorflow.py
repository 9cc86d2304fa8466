"""The loop in TensorFlow, with a step that is a graph; and Keras' own."""

from __future__ import annotations

import keras
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
