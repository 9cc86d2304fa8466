"""Each operation does what it does in NumPy, on every framework, eagerly and in graphs."""

import inspect

import numpy as np
import pytest

import unified_blocks as ub
from pytest_unified_blocks.op_cases import OPS, OpCase
from testbed.common import normal
from testbed.operations import Applied, differences, gradients, ids, semantics, tensors
from unified_blocks import ops
from unified_blocks.ops.dispatch import PRIMITIVES

TOLERANCE = {"float64": {"rtol": 1e-12, "atol": 1e-12}, "float32": {"rtol": 2e-5, "atol": 2e-6}}


def check(found, case, arrays):
    with np.errstate(invalid="ignore"):
        expected = np.asarray(case.meaning(*arrays))
    assert found.shape == expected.shape
    if expected.dtype.kind in "biu":
        assert found.dtype == expected.dtype
        np.testing.assert_array_equal(found, expected)
        return
    if case.name not in ("astype", "one_hot"):
        assert found.dtype == arrays[0].dtype
    np.testing.assert_allclose(found, expected, **TOLERANCE[str(arrays[0].dtype)])


every_case = pytest.mark.parametrize("case_", OPS, ids=ids)


@every_case
def test_in_a_graph(backend_name, dtype, case_):
    if (backend_name, case_.name, case_.label) == ("mxnet", "sum", "int32"):
        pytest.skip("an MXNet symbol does not tell that it holds int32: their sum stays one")
    arrays = case_.arrays(dtype)
    net = graph(backend_name, case_)
    found = net(*tensors(backend_name, arrays))
    check(ub.to_numpy(found), case_, arrays)


@every_case
def test_in_float16(backend_name, case_):
    arrays = case_.arrays("float16")
    with semantics(backend_name):
        found = ub.to_numpy(case_.call(*tensors(backend_name, arrays)))
    with np.errstate(invalid="ignore"):
        expected = np.asarray(case_.meaning(*(array.astype("float64") for array in arrays)))
    if expected.dtype == np.float64 and case_.name not in ("astype", "one_hot"):
        assert found.dtype == np.float16
    np.testing.assert_allclose(found.astype("float64"), expected, rtol=4e-3, atol=4e-3)


def graph(backend_name, case):
    """The operation without Python: compiled, traced or hybridized."""
    if backend_name == "torch":
        import torch

        torch.compiler.reset()
        whole = case.name not in ("while_loop", "cond")  # loops on values break the graph
        return torch.compile(case.call, backend="eager", fullgraph=whole)
    if backend_name == "tensorflow":
        import tensorflow as tf

        return tf.function(case.call, autograph=False)
    net = Applied.on("mxnet")(case)
    net.hybridize()
    return net


@every_case
@pytest.mark.capability("xla")
def test_under_xla(backend_name, case_):
    import tensorflow as tf

    arrays = case_.arrays("float64")
    found = tf.function(case_.call, autograph=False, jit_compile=True)(
        *tensors(backend_name, arrays)
    )
    check(ub.to_numpy(found), case_, arrays)


@every_case
def test_on_keras_symbolic_tensors(backend_name, case_, tmp_path):
    if backend_name != "tensorflow":
        pytest.skip(f"{backend_name} has no symbolic tensors of Keras")
    if case_.name in ("while_loop", "cond", "check_finite"):
        pytest.skip(f"ops.{case_.name} takes functions: use it in a block")
    import keras

    arrays = case_.arrays("float64")
    inputs = [keras.Input(batch_shape=array.shape, dtype="float64") for array in arrays]
    output = case_.call(*inputs)
    if any(output is x for x in inputs):
        return  # the operation had nothing to do
    model = keras.Model(inputs, output)
    check(ub.to_numpy(model(arrays)), case_, arrays)
    model.save(tmp_path / "net.keras")
    check(ub.to_numpy(keras.models.load_model(tmp_path / "net.keras")(arrays)), case_, arrays)


@pytest.mark.parametrize("case_", [case for case in OPS if case.differentiable], ids=ids)
def test_gradient(backend_name, case_):
    arrays = case_.arrays("float64")
    weight = np.random.default_rng(1).normal(size=np.shape(case_.meaning(*arrays)))
    with semantics(backend_name):
        found = gradients(backend_name, case_.call, arrays, weight)
    for gradient, expected in zip(found, differences(case_.meaning, arrays, weight), strict=True):
        np.testing.assert_allclose(gradient, expected, rtol=1e-6, atol=1e-7)


def test_every_operation_has_a_case_and_a_docstring():
    functions = {name for name in ops.__all__ if inspect.isfunction(getattr(ops, name))}
    functions -= {"capabilities", "register"}
    assert functions == {case.name for case in OPS}
    assert all(inspect.getdoc(getattr(ops, name)) for name in functions)
    assert set(PRIMITIVES) - functions == {"one_hot_like"}


def test_a_wrong_meaning_would_be_seen():
    case = OpCase("exp", np.exp, lambda x: np.exp(x) + 1e-9)
    arrays = case.arrays("float64")
    with pytest.raises(AssertionError):
        check(np.exp(arrays[0]), case, arrays)


def test_capabilities_are_what_they_say(backend):
    lacking = {name for name, by in ops.capabilities().items() if by[backend.name] != "yes"}
    assert lacking == set()


@pytest.mark.parametrize("derivative_of", ["abs", "relu"])
def test_the_derivative_at_zero_is_zero(backend_name, derivative_of):
    with semantics(backend_name):
        (found,) = gradients(backend_name, getattr(ops, derivative_of), [np.zeros(3)], np.ones(3))
    np.testing.assert_array_equal(found, np.zeros(3))


def test_numbers_are_not_rounded_to_float32(backend_name):
    x = np.array([-2.0, 2.0])
    with semantics(backend_name):
        t = ub.from_numpy(x, backend_name)
        assert ub.to_numpy(ops.where(ops.greater(t, 0), t, 0.1))[0] == 0.1
        assert ub.to_numpy(ops.where(ops.greater(t, 0), 0.1, t))[1] == 0.1
        np.testing.assert_array_equal(ub.to_numpy(ops.clip(t, -0.1, 0.1)), [-0.1, 0.1])


def test_at_infinity(backend_name):
    x = np.array([-np.inf, np.inf])
    with semantics(backend_name):
        t = ub.from_numpy(x, backend_name)
        if backend_name != "tensorflow":  # whose own erf of infinity is nan in float64
            np.testing.assert_array_equal(ub.to_numpy(ops.erf(t)), [-1, 1])
        low = ub.from_numpy(np.full(3, -np.inf), backend_name)
        assert ub.to_numpy(ops.logsumexp(low)) == -np.inf


def test_the_derivatives_of_losses_at_zero(backend_name):
    with semantics(backend_name):
        (found,) = gradients(backend_name, ops.softplus, [np.zeros(3)], np.ones(3))
    np.testing.assert_allclose(found, np.full(3, 0.5))


def test_a_mask_of_infinities(backend_name):
    mask = np.full((3, 3), -np.inf)
    with semantics(backend_name):
        found = ub.to_numpy(ops.triu(ub.from_numpy(mask, backend_name), k=1))
        logits = ub.from_numpy(np.array([[1, -np.inf, 2.0]]), backend_name)
        label = ub.from_numpy(np.array([0]), backend_name)
        loss = ub.to_numpy(ops.cross_entropy(logits, label))
    np.testing.assert_array_equal(found, np.triu(mask, 1))
    np.testing.assert_allclose(loss, np.log(1 + np.e))


def test_whole_numbers_stay_whole(backend_name):
    x = ub.from_numpy(np.array([-7, 7]), backend_name)
    with semantics(backend_name):
        for function, expected in ((ops.floor_divide, [-4, 3]), (ops.remainder, [1, 1])):
            found = ub.to_numpy(function(x, 2))
            assert found.dtype == np.int64
            assert found.tolist() == expected


def test_no_gradient_flows_through_stop_gradient(backend_name):
    with semantics(backend_name):
        (found,) = gradients(
            backend_name, lambda x: ops.stop_gradient(x) * x, [np.full(3, 5.0)], np.ones(3)
        )
    np.testing.assert_array_equal(found, np.full(3, 5.0))


def test_dropout_while_training(backend_name):
    x = ub.from_numpy(np.ones((100, 100), "float32"), backend_name)
    with semantics(backend_name):
        y = ub.to_numpy(ops.dropout(x, 0.25, training=True))
    assert set(np.unique(y)) == {0, np.float32(1) / np.float32(0.75)}
    assert 0.22 < (y == 0).mean() < 0.28


def test_labels_of_no_class_give_an_infinite_loss(backend_name):
    logits = ub.from_numpy(normal(2, 3), backend_name)
    with semantics(backend_name):
        for bad in (3, -1):
            labels = ub.from_numpy(np.array([0, bad]), backend_name)
            assert ub.to_numpy(ops.cross_entropy(logits, labels)) == np.inf


@pytest.mark.parametrize("bad", [3, -1])
def test_an_index_outside_is_never_another_row(backend_name, bad):
    x = ub.from_numpy(normal(3, 2), backend_name)
    indices = ub.from_numpy(np.array([0, bad]), backend_name)
    with semantics(backend_name):
        if backend_name == "torch":
            with pytest.raises(IndexError):
                ops.take(x, indices, axis=0)
            return
        taken = ub.to_numpy(ops.take(x, indices, axis=0))
    assert np.isnan(taken).tolist() == [[False, False], [True, True]]


ERRORS = {
    "axis": (lambda x: ops.sum(x, axis=2), ValueError, r"ops.sum: axis must be in \[-2, 2\)"),
    "axes": (lambda x: ops.sum(x, axis=(0, -2)), ValueError, "axes must differ"),
    "two -1": (lambda x: ops.reshape(x, (-1, -1)), ValueError, "at most one size can be -1"),
    "keep": (lambda x: ops.reshape(x, (1, 1, ub.KEEP)), ValueError, r"KEEP must stand for one of"),
    "permute": (lambda x: ops.permute_dims(x, (0, 0)), ValueError, "every axis once"),
    "split": (lambda x: ops.split(x, 3, axis=1), ValueError, "must divide the size of the axis"),
    "squeeze": (lambda x: ops.squeeze(x, axis=0), ValueError, "size of the axis must be 1"),
    "expand": (lambda x: ops.expand_dims(x, axis=4), ValueError, "expand_dims: axis must be in"),
    "vector": (lambda x: ops.matmul(x, x[0]), ValueError, "at least two dimensions; got 1"),
    "dtypes": (
        lambda x: ops.maximum(x, ops.astype(x, "float32")),
        TypeError,
        r"tensors of one dtype; got .*float64.* and .*float32",
    ),
    "whole": (
        lambda x: ops.exp(ops.astype(x, "int32")),
        TypeError,
        r"must be given floating-point numbers; got a tensor of .*int32",
    ),
    "mean": (lambda x: ops.mean(ops.astype(x, "int64")), TypeError, "floating-point numbers"),
    "dtype": (lambda x: ops.astype(x, "complex64"), ValueError, "dtype must be one of"),
    "rate": (lambda x: ops.dropout(x, 1.0, training=True), ValueError, r"must be in \[0, 1\)"),
    "numbers": (lambda x: ops.maximum(1, 2), TypeError, "must be given a tensor"),
    "array": (lambda x: ops.relu(np.ones(3)), TypeError, r"got numpy.ndarray.*ub.from_numpy"),
    "shapes": (lambda x: ops.mse(x, x[0]), ValueError, "must have the shape of the output"),
    "no axis": (lambda x: ops.sum(x, axis=()), ValueError, r"got axis=\(\)"),
    "fraction": (
        lambda x: ops.multiply(ops.astype(x, "int64"), 0.5),
        TypeError,
        "a number must be a whole one; got 0.5",
    ),
    "as many": (
        lambda x: ops.cross_entropy(x, ops.argmax(x)[:1]),
        ValueError,
        "as many labels as logits; got 1 and 2",
    ),
    "labels": (lambda x: ops.cross_entropy(x, x), ValueError, r"labels \(n,\); got 2 and 2"),
    "state": (
        lambda x: ops.while_loop(lambda h: True, lambda h: (h, h), (x,), max_iterations=1),
        ValueError,
        "body must give 1 tensors, as the state has; got 2",
    ),
    "no tuple": (
        lambda x: ops.while_loop(lambda h: True, lambda h: h, x, max_iterations=1),
        TypeError,
        r"must be a tuple of at least one tensor; got .*: write \(x,\) for one",
    ),
    "iterations": (
        lambda x: ops.while_loop(lambda h: True, lambda h: h, (x,), max_iterations=-1),
        ValueError,
        "max_iterations must be at least 0",
    ),
    "finite": (
        lambda x: ops.check_finite(ops.sum(x) / 0, lambda total: f"too large: {float(total)}"),
        ValueError,
        "too large: inf",
    ),
}


@pytest.mark.parametrize("what", ERRORS)
def test_errors(backend_name, what):
    call, kind, message = ERRORS[what]
    with semantics(backend_name), pytest.raises(kind, match=message):
        call(ub.from_numpy(np.ones((2, 4)), backend_name))


def test_tensors_of_two_frameworks_are_an_error_that_names_both(backend_name):
    for other in ub.available_backends():
        if other != backend_name:
            pair = tensors(backend_name, [normal(2)])[0], tensors(other, [normal(2)])[0]
            titles = [ub.backend_of(x).title for x in pair]
            with pytest.raises(ub.ForeignTensorError, match="of {} and one of {}".format(*titles)):
                ops.maximum(*pair)
            with pytest.raises(ub.ForeignTensorError, match=r"ub\.as_tensor\(x, "):
                ops.concat(pair)
