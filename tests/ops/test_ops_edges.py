"""Operations where frameworks part ways: at zeros and kinks, at large whole numbers, in float16."""

import numpy as np
import pytest

import unified_blocks as ub
from testbed.common import graph, normal, run
from testbed.operations import Applied, gradients, semantics, tensors
from testbed.where import ROOT
from unified_blocks import ops

BIG = np.array([2**53 + 1, 2**60 + 1, -(2**60) - 3, 2**63 - 1, -7, 0])


def called(backend_name, call, *arrays):
    """`call` on the arrays as tensors, as an array."""
    with semantics(backend_name):
        return ub.to_numpy(call(*tensors(backend_name, arrays)))


# whole numbers

WHOLE = {
    "abs": (ops.abs, np.abs),
    "square": (lambda x: ops.square(ops.floor_divide(x, 2**33)), lambda x: np.square(x // 2**33)),
    "sign": (ops.sign, np.sign),
    "add": (lambda x: ops.add(2**60 + 1, x * 0), lambda x: x * 0 + 2**60 + 1),
    "maximum": (lambda x: ops.maximum(x, 2**53 + 3), lambda x: np.maximum(x, 2**53 + 3)),
    "clip": (lambda x: ops.clip(x, 0, 2**60 + 1), lambda x: np.clip(x, 0, 2**60 + 1)),
    "equal": (lambda x: ops.equal(x, 2**53), lambda x: x == 2**53),
    "where": (
        lambda x: ops.where(ops.greater(x, 0), x, 2**60 + 1),
        lambda x: np.where(x > 0, x, 2**60 + 1),
    ),
    "full": (lambda x: ops.full((2,), 2**60 + 1, like=x), lambda x: np.full(2, 2**60 + 1)),
    "full_like": (lambda x: ops.full_like(x, -(2**62) - 1), lambda x: x * 0 - 2**62 - 1),
    "sum": (lambda x: ops.sum(x[:3]), lambda x: np.sum(x[:3])),
    "max": (lambda x: ops.max(x[:3]), lambda x: np.max(x[:3])),
    "take": (
        lambda x: ops.take(x, ops.argmax(ops.reshape(x, (2, 3))), axis=0),
        lambda x: x[np.argmax(x.reshape(2, 3), -1)],
    ),
    **{
        f"{name} {number}": (
            lambda x, name=name, number=number: getattr(ops, name)(x, number),
            lambda x, name=name, number=number: getattr(np, name)(x, number),
        )
        for name in ("floor_divide", "remainder")
        for number in (3, -3, 2**31 + 1, 2**62 + 1)
    },
    "number first": (lambda x: ops.floor_divide(7, x[:5]), lambda x: 7 // x[:5]),
    "two": (
        lambda x: ops.remainder(ops.reshape(x[:4], (4, 1)), x[1:5]),
        lambda x: np.remainder(x[:4, None], x[1:5]),
    ),
}


@pytest.mark.parametrize("what", WHOLE)
def test_whole_numbers_are_exact(backend_name, what):
    call, meaning = WHOLE[what]
    found, expected = called(backend_name, call, BIG), np.asarray(meaning(BIG))
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found, expected)


FRACTIONS = {
    "clip": lambda x: ops.clip(x, 0.5, 2),
    "clip max": lambda x: ops.clip(x, max=float("inf")),
    "full_like": lambda x: ops.full_like(x, 0.5),
    "full": lambda x: ops.full((2,), 0.5, like=x),
    "where": lambda x: ops.where(ops.greater(x, 0), x, 0.5),
    "arange": lambda x: ops.arange(0, 2, 0.5, like=x),
}


@pytest.mark.parametrize("what", FRACTIONS)
@pytest.mark.parametrize("kind", ["int32", "int64"])
def test_whole_numbers_take_no_fraction(backend_name, what, kind):
    name = what.split()[0]
    with pytest.raises(TypeError, match=rf"ops\.{name}: with a tensor of .*{kind}.* whole one"):
        called(backend_name, FRACTIONS[what], np.array([1, 2], kind))


WHOLE_INDICES = {
    "take": lambda x, i: ops.take(x, i, axis=0),
    "one_hot": lambda x, i: ops.one_hot(i, 3),
    "cross_entropy": ops.cross_entropy,
}


@pytest.mark.parametrize("what", WHOLE_INDICES)
@pytest.mark.parametrize("kind", ["float32", "float64", "bool"])
def test_indices_are_whole_numbers(backend_name, what, kind):
    with pytest.raises(TypeError, match=rf"ops\.{what} must be given whole .*{kind}.*ops.astype"):
        called(backend_name, WHOLE_INDICES[what], normal(2, 3), np.array([0, 1], kind))


@pytest.mark.parametrize("what", WHOLE_INDICES)
@pytest.mark.parametrize("kind", ["uint8", "int8", "int32", "int64"])
def test_indices_are_whole_numbers_of_any_size(backend_name, what, kind):
    x = normal(2, 3)
    found = called(backend_name, WHOLE_INDICES[what], x, np.array([1, 0], kind))
    expected = called(backend_name, WHOLE_INDICES[what], x, np.array([1, 0]))
    np.testing.assert_array_equal(found, expected)


def test_a_large_index_is_outside(backend_name):
    found = called(backend_name, lambda i: ops.one_hot(i, 3), np.array([2**32 + 1, 2**53 + 1, 1]))
    np.testing.assert_array_equal(found, [[0, 0, 0], [0, 0, 0], [0, 1, 0]])


@pytest.mark.parametrize("kind", ["float16", "float64", "int32", "int64", "bool"])
@pytest.mark.parametrize("bad", [-1, 3000])
def test_take_outside(backend_name, kind, bad):
    x = np.ones((3000, 2), kind)  # more than float16 counts to
    indices = np.array([2999, bad])
    if backend_name == "torch":
        with pytest.raises(IndexError):
            called(backend_name, lambda x, i: ops.take(x, i, axis=0), x, indices)
        return
    outside = np.nan if kind.startswith("float") else kind == "bool" or np.iinfo(kind).min
    expected = np.array([[1, 1], [outside, outside]], kind)
    for call in (
        lambda x, i: ops.take(x, i, axis=0),
        in_a_graph(backend_name, lambda x, i: ops.take(x, i, axis=0)),
    ):
        found = called(backend_name, call, x, indices)
        assert found.dtype == kind
        np.testing.assert_array_equal(found, expected)


def in_a_graph(backend_name, call):
    """`call`, traced or hybridized; on PyTorch as it is."""
    if backend_name == "tensorflow":
        import tensorflow as tf

        return tf.function(call, autograph=False)
    if backend_name == "mxnet":
        from pytest_unified_blocks.op_cases import OpCase

        net = Applied.on("mxnet")(OpCase("", call, None))
        net.hybridize()
        return net
    return call


# truth values


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("where", lambda x: ops.where(x, x, x)),
        ("logical_and", lambda x: ops.logical_and(x, x)),
        ("logical_or", lambda x: ops.logical_or(x, x)),
        ("logical_not", ops.logical_not),
        ("any", ops.any),
        ("all", ops.all),
    ],
)
def test_numbers_are_no_truth_values(backend_name, name, call):
    with pytest.raises(TypeError, match=rf"ops\.{name} must be given truth values; got .*int64"):
        called(backend_name, call, np.array([1, 0]))


# two frameworks

FOREIGN = {
    "take": lambda x, y: ops.take(x, ops.argmax(y), axis=0),
    "where": lambda x, y: ops.where(ops.greater(x, 0), y, 0),
    "cross_entropy": lambda x, y: ops.cross_entropy(x, ops.argmax(y)),
}


@pytest.mark.parametrize("what", FOREIGN)
def test_a_second_tensor_of_another_framework(backend_name, what):
    for other in ub.available_backends():
        if other != backend_name:
            x, y = (ub.from_numpy(normal(2, 3), name) for name in (backend_name, other))
            titles = [ub.backend_of(t).title for t in (x, y)]
            if what == "where":  # its condition comes first
                titles.reverse()
            message = r"ops\.{}.* of {} and one of {}: convert".format(what, *titles)
            with pytest.raises(ub.ForeignTensorError, match=message):
                FOREIGN[what](x, y)


# float16


def test_float16_matmul(backend_name):
    x, y = normal(3, 2, 4, dtype="float16"), normal(4, 5, dtype="float16", seed=1)
    found = called(backend_name, ops.matmul, x, y)
    assert found.dtype == "float16"
    exact = x.astype("float64") @ y.astype("float64")
    np.testing.assert_allclose(found.astype("float64"), exact, rtol=2e-3, atol=2e-3)


def row(capability):
    """The row of the documentation's table of what a framework lacks."""
    text = (ROOT / "docs" / "reference" / "capabilities.md").read_text(encoding="utf-8")
    return next(line for line in text.splitlines() if line.startswith(f"| `{capability}`"))


def test_the_limits_of_dtypes_are_those_in_the_documentation(backend_name):
    def in_graph(call, *arrays):
        return called(backend_name, in_a_graph(backend_name, call), *arrays)

    half, whole = np.ones((2, 2), "float16"), np.array([-7, 5], "int32")
    if backend_name != "mxnet":
        assert in_graph(ops.matmul, half, half).dtype == "float16"
        assert in_graph(lambda x: ops.floor_divide(x, 2), whole).dtype == "int32"
        assert in_graph(ops.sum, whole).dtype == "int64"
        return
    from unified_blocks_mxnet.compat import mx

    assert "no `ops.matmul` in a graph" in row("float16")
    with pytest.raises(mx.base.MXNetError, match="only supports float32/float64 for CPU"):
        in_graph(ops.matmul, half, half)
    assert "`ops.sum` of int32 stays int32" in row("whole-numbers-in-graphs")
    assert in_graph(ops.sum, whole).dtype == "int32"
    assert "`ops.floor_divide` gives float32" in row("whole-numbers-in-graphs")
    assert in_graph(lambda x: ops.floor_divide(x, 2), whole).dtype == "float32"
    for name in ("abs", "square", "remainder"):
        assert f"`{name}`" in row("whole-numbers-in-graphs")


def test_a_large_identity_in_float16(backend_name):
    found = called(backend_name, lambda x: ops.eye(2100, like=x), np.ones(1, "float16"))
    assert found.dtype == "float16"
    np.testing.assert_array_equal(found, np.eye(2100))


# outside of blocks


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (lambda x: ops.full((2,), 2.5, like=x), [2.5, 2.5]),
        (lambda x: ops.zeros((1, 2), like=x), [[0, 0]]),
        (lambda x: ops.ones((2,), like=x), [1, 1]),
        (lambda x: ops.arange(2, like=x), [0, 1]),
        (lambda x: ops.eye(2, like=x), [[1, 0], [0, 1]]),
        (lambda x: ops.take(x, ops.argmax(x), axis=0), [[3, 4], [3, 4]]),
        (ops.prod, 24),
    ],
)
def test_without_numpy_semantics(backend_name, call, expected):
    x = ub.from_numpy(np.array([[1.0, 2], [3, 4]]), backend_name)
    np.testing.assert_array_equal(ub.to_numpy(call(x)), expected)


def test_an_empty_range(backend_name):
    for start, stop, step in ((3, 3, 1), (3, 1, 1), (1, 3, -0.5)):
        found = called(
            backend_name,
            lambda x, at=(start, stop, step): ops.arange(*at, like=x),
            np.ones(2),
        )
        assert found.shape == (0,)
    with pytest.raises(ValueError, match="step must not be 0"):
        called(backend_name, lambda x: ops.arange(0, 3, 0, like=x), np.ones(2))


# values and slopes


def test_the_sign_of_nan_is_nan(backend_name):
    x = np.array([np.nan, -np.inf, -0.5, 0, 3])
    np.testing.assert_array_equal(called(backend_name, ops.sign, x), np.sign(x))


ZEROS = np.array([[0.0, 3, 2], [0, 5, 0], [2, 3, 4]])


@pytest.mark.parametrize("axis", [None, 0, -1, (0, 1)])
def test_the_gradient_of_a_product_with_zeros(backend_name, axis):
    def call(x):
        return ops.prod(x, axis=axis)

    expected = np.empty_like(ZEROS)
    for at in np.ndindex(ZEROS.shape):
        others = ZEROS.copy()
        others[at] = 1
        product = np.prod(others, axis=axis, keepdims=True)
        expected[at] = np.broadcast_to(product, ZEROS.shape)[at]
    weight = np.ones_like(np.prod(ZEROS, axis=axis))
    for function in (call, in_a_graph(backend_name, call)):
        with semantics(backend_name):
            (found,) = gradients(backend_name, function, [ZEROS.copy()], weight)
        np.testing.assert_allclose(found, expected, rtol=1e-15)


SELU = 1.0507009873554805 * 1.6732632423543772
KINKS = {
    "elu": (0.0, 1.0),
    "leaky_relu": (0.0, 0.01),
    "selu": (0.0, SELU),
    "relu": (0.0, 0.0),
    "hard_sigmoid": ([-3.0, 3.0], 0.0),
}


@pytest.mark.parametrize("name", KINKS)
def test_the_derivative_at_a_kink(backend_name, name):
    x, slope = KINKS[name]
    layer = ub.Activation.on(backend_name)(name)
    for function in (getattr(ops, name), layer):
        with semantics(backend_name):
            (found,) = gradients(backend_name, function, [np.ravel(x)], np.ones(np.size(x)))
        np.testing.assert_allclose(found, slope, rtol=1e-15)


@pytest.mark.parametrize("rate", [0.1, 0.3])
def test_dropout_is_exact_in_float64(backend_name, rate):
    x = np.random.default_rng(3).uniform(1, 2, 1000)
    backend = ub.get_backend(backend_name)
    net = ub.Dropout(rate)
    compiled = graph(backend_name, ub.Dropout(rate))
    for found in (
        called(backend_name, lambda x: ops.dropout(x, rate, training=True), x),
        ub.to_numpy(backend.run(net, [backend.from_numpy(x)], train=True)),
    ):
        kept = found != 0
        assert 0 < kept.sum() < 1000
        np.testing.assert_allclose(found[kept], x[kept] / (1 - rate), rtol=4e-16)
    if backend_name != "torch":  # whose new modules are in training
        np.testing.assert_array_equal(run(compiled, x), x)


def test_the_gradient_of_dropout(backend_name):
    drawn = []

    def call(x):
        drawn.append(ops.dropout(x, 0.1, training=True))
        return drawn[0]

    with semantics(backend_name):
        (found,) = gradients(backend_name, call, [np.ones(100)], np.ones(100))
    if backend_name == "torch":
        drawn = [drawn[0].detach()]
    np.testing.assert_allclose(found, ub.to_numpy(drawn[0]), rtol=4e-16)
