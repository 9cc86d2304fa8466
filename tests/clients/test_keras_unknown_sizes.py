"""A block is built by an input of which Keras does not know the batch: what can be inferred is."""

import numpy as np
import pytest

import unified_blocks as ub
from testbed.common import normal
from testbed.gallery import GALLERY
from unified_blocks import ops
from unified_blocks.equivalence.matrix.cases import CASES

tf = pytest.importorskip("tensorflow", reason="tensorflow is not installed")
keras = pytest.importorskip("keras", reason="tensorflow is not installed")


@pytest.fixture(autouse=True)
def on_tensorflow():
    with ub.use_backend("tensorflow"):
        yield


class Shaped(ub.Block):
    """A reshape between layers that have to know the width of their input."""

    def __init__(self, units, shape):
        super().__init__()
        self.dense, self.shape_, self.out = ub.Dense(units), shape, ub.Dense(3)

    def forward(self, X):
        return self.out(ops.reshape(self.dense(X), self.shape_))


class Twin(keras.Model):
    """The same with layers of Keras."""

    def __init__(self, units, shape):
        super().__init__()
        self.dense, self.out = keras.layers.Dense(units), keras.layers.Dense(3)
        self.reshape = keras.layers.Reshape(shape)

    def call(self, X):
        return self.out(self.reshape(self.dense(X)))


K = ub.KEEP
RESHAPES = {  # what reshape is given, what it is to keras.layers.Reshape, and the output
    "heads": ((K, K, 4, -1), (5, 4, -1), (None, 5, 4, 3)),
    "all": ((K, -1), (-1,), (None, 3)),
    "given": ((K, 10, 10), (10, 10), (None, 10, 3)),
    "first": ((K, -1, 25), (-1, 25), (None, 4, 3)),
    "batch in -1": ((-1, K, 20), (5, 20), (None, 5, 3)),
    "merged": ((-1, 20), None, (None, 3)),
}


def agree(model, net, x):
    np.testing.assert_allclose(model(x), net(x), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("shape", "by_keras", "expected"), RESHAPES.values(), ids=RESHAPES)
def test_reshape_between_layers(shape, by_keras, expected):
    inputs, x = keras.Input((5, 20)), normal(2, 5, 20)
    net = Shaped(20, shape)
    outputs = net(inputs)
    assert outputs.shape == expected
    model = keras.Model(inputs, outputs)
    agree(model, net, x)
    if by_keras is not None:
        twin = Twin(20, by_keras)
        assert twin(inputs).shape == outputs.shape
        twin.set_weights(net.get_weights())
        agree(model, twin, x)


def test_reshape_of_a_symbolic_tensor():
    inputs = keras.Input((5, 20))
    assert ops.reshape(inputs, (K, K, 4, -1)).shape == (None, 5, 4, 5)
    assert ops.reshape(keras.Input((None, 20)), (K, K, 4, -1)).shape == (None, None, 4, 5)


def test_a_size_that_cannot_be_inferred_is_left_open():
    traced = tf.function(lambda x: ops.reshape(x, (K, 2, -1)))
    output = traced.get_concrete_function(tf.TensorSpec((3, None))).output_shapes
    assert output.as_list() == [3, 2, None]
    assert traced(normal(3, 0)).shape == (3, 2, 0)
    with pytest.raises(tf.errors.InvalidArgumentError):  # 5 numbers are no 2 rows
        traced(normal(3, 5))


def test_cross_entropy_of_a_number_of_classes_that_is_unknown():
    loss = tf.function(
        ops.cross_entropy,
        input_signature=[tf.TensorSpec((None, None)), tf.TensorSpec((None,), tf.int64)],
    )
    x, y = normal(4, 3), np.array([0, 2, 1, 1])
    expected = keras.losses.sparse_categorical_crossentropy(y, x, from_logits=True)
    np.testing.assert_allclose(tf.reduce_mean(loss(x, y)), tf.reduce_mean(expected), rtol=1e-6)


BLOCKS = {case.name: (case.make, case.input_shape) for case in CASES}
BLOCKS |= {e.block: ((lambda e=e: e.make("tensorflow")), e.shape) for e in GALLERY}
every_block = pytest.mark.parametrize(("make", "shape"), BLOCKS.values(), ids=BLOCKS)


@every_block
def test_in_a_functional_model(make, shape):
    net, inputs, x = make(), keras.Input(shape[1:]), normal(*shape)
    outputs = net(inputs)
    agree(keras.Model(inputs, outputs), net, x)
    assert outputs.shape[1:] == net(x).shape[1:]


@every_block
def test_inside_sequential(make, shape):
    net = make()
    agree(keras.Sequential([keras.Input(shape[1:]), net]), net, normal(*shape))


@every_block
def test_in_a_function_of_any_batch(make, shape):
    net = make()
    function = tf.function(net, input_signature=[tf.TensorSpec((None, *shape[1:]))])
    agree(function, net, normal(*shape))


@every_block
def test_fit_of_a_dataset_of_any_batch(make, shape):
    net, x = make(), normal(7, *shape[1:])
    data = tf.data.Dataset.from_tensor_slices((x, np.zeros((7, 1), "float32"))).batch(3)
    assert data.element_spec[0].shape[0] is None
    net.compile("sgd", loss=lambda target, output: tf.reduce_sum(output))
    history = net.fit(data, epochs=2, verbose=0, shuffle=False)
    assert np.isfinite(history.history["loss"]).all()
