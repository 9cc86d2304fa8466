"""Operations on generated shapes and axes: as in NumPy, eagerly and in graphs."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import mutually_broadcastable_shapes

import unified_blocks as ub
from pytest_unified_blocks.op_cases import OpCase
from testbed.operations import Applied, semantics, tensors
from unified_blocks import KEEP, ops

few = settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],  # the same for every example
)
shapes = st.lists(st.integers(1, 4), min_size=1, max_size=4).map(tuple)


def agrees(backend_name, call, meaning, arrays, rtol=1e-12):
    """Whether `call` on tensors gives `meaning` on arrays, eagerly and in a graph."""
    expected = np.asarray(meaning(*arrays))
    with semantics(backend_name):
        eager = ub.to_numpy(call(*tensors(backend_name, arrays)))
    found = [eager]
    if backend_name == "mxnet":  # its symbols know no shapes, so graphs are another path
        net = Applied.on("mxnet")(OpCase("", call, meaning))
        net.hybridize()
        found.append(ub.to_numpy(net(*tensors(backend_name, arrays))))
    if backend_name == "tensorflow":  # and so are sizes that are not known yet
        import tensorflow as tf

        signature = [tf.TensorSpec([None] * array.ndim, array.dtype) for array in arrays]
        traced = tf.function(call, input_signature=signature, autograph=False)
        found.append(ub.to_numpy(traced(*tensors(backend_name, arrays))))
    for array in found:
        assert array.shape == expected.shape
        np.testing.assert_allclose(array, expected, rtol=rtol, atol=1e-12)


def normal(shape):
    return np.random.default_rng(0).normal(size=shape)


@few
@given(pair=mutually_broadcastable_shapes(num_shapes=2, min_dims=1, max_dims=4, max_side=3))
def test_broadcasting(backend_name, pair):
    arrays = [normal(shape) for shape in pair.input_shapes]
    for name in ("add", "multiply", "maximum", "subtract"):
        agrees(backend_name, getattr(ops, name), getattr(np, name), arrays)
    agrees(
        backend_name,
        lambda x, y: ops.where(ops.less(x, y), x + y, x - y),
        lambda x, y: np.where(x < y, x + y, x - y),
        arrays,
    )


@few
@given(
    pair=mutually_broadcastable_shapes(num_shapes=2, max_dims=2, max_side=3),
    sizes=st.tuples(*[st.integers(1, 4)] * 3),
)
def test_matmul(backend_name, pair, sizes):
    n, k, m = sizes
    first, second = pair.input_shapes
    arrays = [normal((*first, n, k)), normal((*second, k, m))]
    agrees(backend_name, ops.matmul, np.matmul, arrays)


@few
@given(shape=shapes, data=st.data(), keepdims=st.booleans())
def test_reductions(backend_name, shape, data, keepdims):
    rank = len(shape)
    several = st.lists(st.integers(0, rank - 1), min_size=1, unique=True).map(tuple)
    axis = data.draw(st.none() | st.integers(-rank, rank - 1) | several)
    for name in ("sum", "mean", "max", "min", "prod", "var"):
        agrees(
            backend_name,
            lambda x, name=name: getattr(ops, name)(x, axis=axis, keepdims=keepdims),
            lambda x, name=name: getattr(np, name)(x, axis=axis, keepdims=keepdims),
            [normal(shape)],
        )


@few
@given(shape=shapes, data=st.data())
def test_along_an_axis(backend_name, shape, data):
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    x = normal(shape)
    agrees(
        backend_name,
        lambda x: ops.softmax(x, axis=axis),
        lambda x: np.exp(x) / np.exp(x).sum(axis, keepdims=True),
        [x],
    )
    agrees(
        backend_name,
        lambda x: ops.cumulative_sum(x, axis=axis),
        lambda x: np.cumsum(x, axis),
        [x],
    )
    agrees(backend_name, lambda x: ops.flip(x, axis=axis), lambda x: np.flip(x, axis), [x])
    agrees(
        backend_name,
        lambda x, y: ops.concat([x, y, x], axis=axis),
        lambda x, y: np.concatenate([x, y, x], axis),
        [x, x + 1],
    )
    agrees(
        backend_name,
        lambda x, y: ops.stack([x, y], axis=axis),
        lambda x, y: np.stack([x, y], axis),
        [x, x + 1],
    )
    agrees(
        backend_name,
        lambda x: ops.expand_dims(x, axis=axis),
        lambda x: np.expand_dims(x, axis),
        [x],
    )


@few
@given(shape=shapes, data=st.data())
def test_permute_dims(backend_name, shape, data):
    axes = tuple(data.draw(st.permutations(range(len(shape)))))
    agrees(
        backend_name,
        lambda x: ops.permute_dims(x, axes),
        lambda x: x.transpose(axes),
        [normal(shape)],
    )


@few
@given(shape=shapes, data=st.data())
def test_reshape_keeps_what_it_is_told_to(backend_name, shape, data):
    """The first sizes are kept or named, the rest is joined, split or left over."""
    kept = data.draw(st.integers(0, len(shape)))
    front = [KEEP if data.draw(st.booleans()) else size for size in shape[:kept]]
    rest = int(np.prod(shape[kept:], dtype=int))
    factor = data.draw(st.sampled_from([n for n in range(1, rest + 1) if rest % n == 0]))
    back = data.draw(st.sampled_from([(-1,), (factor, -1), (-1, factor), (factor, rest // factor)]))
    x = normal(shape)
    agrees(
        backend_name,
        lambda x: ops.reshape(x, (*front, *back)),
        lambda x: x.reshape(*shape[:kept], *back),
        [x],
    )


def test_a_difference_is_seen(backend_name):
    with pytest.raises(AssertionError):
        agrees(backend_name, lambda x: x * 1, lambda x: x + 1e-9, [np.ones(3)])
