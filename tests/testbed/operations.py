"""What the tests of `ub.ops` share."""

from __future__ import annotations

from contextlib import nullcontext

import numpy as np

import unified_blocks as ub


class Applied(ub.Block):
    """A block that does one operation."""

    def __init__(self, case):
        super().__init__()
        self.case = case

    def forward(self, *X):
        return self.case.call(*X)


def semantics(backend_name):
    if backend_name != "mxnet":
        return nullcontext()
    from unified_blocks_mxnet.compat import numpy_semantics

    return numpy_semantics()


def tensors(backend_name, arrays):
    return [ub.from_numpy(array, backend_name) for array in arrays]


def ids(case):
    return f"{case.name}-{case.label}" if case.label else case.name


def gradients(backend_name, call, arrays, weight):
    """Of `sum(weight · call(*arrays))`, by the framework."""
    xs = tensors(backend_name, arrays)
    weight = ub.from_numpy(np.asarray(weight), backend_name)
    if backend_name == "torch":
        for x in xs:
            x.requires_grad_()
        (call(*xs) * weight).sum().backward()
        return [np.zeros(x.shape) if x.grad is None else x.grad.numpy() for x in xs]
    if backend_name == "tensorflow":
        import tensorflow as tf

        with tf.GradientTape() as tape:
            tape.watch(xs)
            value = tf.reduce_sum(call(*xs) * weight)
        found = tape.gradient(value, xs, unconnected_gradients="zero")
        return [tf.convert_to_tensor(gradient).numpy() for gradient in found]
    from unified_blocks_mxnet.compat import mx

    for x in xs:
        x.attach_grad()
    with mx.autograd.record():
        value = (call(*xs) * weight).sum()
    value.backward()
    return [x.grad.asnumpy() for x in xs]


def differences(meaning, arrays, weight, step=1e-5):
    for array in arrays:
        gradient = np.empty(array.shape)
        for index in np.ndindex(array.shape):
            before = array[index]
            array[index] = before + step
            above = np.sum(weight * meaning(*arrays))
            array[index] = before - step
            below = np.sum(weight * meaning(*arrays))
            array[index] = before
            gradient[index] = (above - below) / (2 * step)
        yield gradient
