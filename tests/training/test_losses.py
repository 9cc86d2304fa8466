"""The losses by name, and those of `ub.ops`: values, gradients and edges."""

from functools import partial

import numpy as np
import pytest

import unified_blocks as ub
from pytest_unified_blocks.contracts.formulas import loss_of
from testbed.common import normal
from testbed.learning import classifier, problem
from unified_blocks import ops
from unified_blocks.training.losses import LOSSES, TARGETLESS

LIKE_OUTPUT = ("mse", "l1", "huber", "binary_cross_entropy")


def smoothed(output, labels, smoothing):
    """The cross-entropy with `1 - s + s/k` at the label and `s/k` at each of the other classes."""
    rows, classes = output.shape
    target = np.full((rows, classes), smoothing / classes)
    target[np.arange(rows), labels] += 1 - smoothing
    shifted = output - output.real.max(axis=1, keepdims=True)
    logs = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return -(target * logs).sum(axis=1).mean()


def np_huber(output, y, delta):
    return loss_of("huber", output / delta, y / delta) * delta**2


VALUES = normal(6, 4, dtype="float64") * 2
TARGETS = {
    **dict.fromkeys(TARGETLESS),
    **dict.fromkeys(LIKE_OUTPUT, normal(6, 4, dtype="float64", seed=1)),
    "cross_entropy": np.array([3, 0, 0, 1, 2, 3]),
    "binary_cross_entropy": np.random.default_rng(1).uniform(size=(6, 4)).round(1),
}
CASES = {
    **{name: (name, partial(loss_of, name), TARGETS[name]) for name in LOSSES},
    **{
        f"huber {delta}": (
            partial(ops.huber, delta=delta),
            partial(np_huber, delta=delta),
            TARGETS["huber"],
        )
        for delta in (0.25, 1.0, 3.5)
    },
    **{
        f"smoothing {s}": (
            partial(ops.cross_entropy, label_smoothing=s),
            partial(smoothed, smoothing=s),
            TARGETS["cross_entropy"],
        )
        for s in (0, 0.1, 0.5)
    },
    **{
        f"ops.{name}": (getattr(ops, name), partial(loss_of, name), TARGETS[name])
        for name in (*LIKE_OUTPUT, "cross_entropy")
    },
}


def by_complex_step(function, output, y):
    """The derivative of a loss in NumPy by each number of the output."""
    found = np.zeros_like(output)
    for place in np.ndindex(output.shape):
        moved = output.astype("complex128")
        moved[place] += 1e-200j
        found[place] = np.imag(function(moved, y)) / 1e-200
    return found


def of_output(backend_name, output, y, loss):
    """The loss of a model that gives `output` itself, and its gradient."""
    with ub.use_backend(backend_name):
        net = ub.MySequential(ub.Lambda(lambda X: X * 1))
    value, gradients = ub.value_and_grad(net, output, y, loss=loss, wrt="inputs")
    return value, gradients["x"]


@pytest.mark.parametrize("case", CASES)
def test_a_loss_and_its_gradient_are_the_definition(backend_name, case):
    loss, definition, y = CASES[case]
    value, gradient = of_output(backend_name, VALUES, y, loss)
    np.testing.assert_allclose(value, definition(VALUES, y), rtol=1e-12)
    expected = by_complex_step(definition, VALUES, y)
    np.testing.assert_allclose(gradient, expected, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("case", CASES)
def test_training_and_validation_have_the_same_loss(backend_name, case):
    loss, definition, y = CASES[case]
    if case in TARGETLESS:
        pytest.skip("fit takes targets")
    with ub.use_dtype("float64"):
        net = ub.initialize(ub.Dense(4, in_units=3), 0)
    x = normal(6, 3, dtype="float64")
    state = ub.state(net)
    expected = definition(x @ state["weight"].T + state["bias"], y)
    found = ub.evaluate(net, x, y, loss=loss)["loss"]
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    for rows in (6, 4):  # a graph, where there is one, and a batch of another size
        ub.load_state(net, state)
        step = ub.Trainer(net, ub.SGD(0.1), loss).step(x[:rows], y[:rows])
        expected = definition(x[:rows] @ state["weight"].T + state["bias"], y[:rows])
        np.testing.assert_allclose(float(ub.to_numpy(step)), expected, rtol=1e-12)


@pytest.mark.parametrize("loss", LIKE_OUTPUT)
def test_in_float32(backend_name, loss):
    output, y = VALUES.astype("float32"), TARGETS[loss].astype("float32")
    value, gradient = of_output(backend_name, output, y, loss)
    assert gradient.dtype == "float32"
    np.testing.assert_allclose(value, loss_of(loss, VALUES, TARGETS[loss]), rtol=1e-5)
    expected = by_complex_step(partial(loss_of, loss), VALUES, TARGETS[loss])
    np.testing.assert_allclose(gradient, expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("loss", ["binary_cross_entropy", ops.binary_cross_entropy])
def test_large_logits_and_a_logit_of_zero(backend_name, loss, dtype):
    """Neither is infinite where it need not be; at 0 the derivative is a half less the target."""
    logits = np.array([[1e4, -1e4, 1e4, -1e4, 0, 0, 80, -80]], dtype)
    y = np.array([[1, 0, 0, 1, 1, 0.25, 1, 0]], dtype)
    value, gradient = of_output(backend_name, logits, y, loss)
    sizes = [0, 0, 1e4, 1e4, np.log(2), np.log(2), np.exp(-80), np.exp(-80)]
    np.testing.assert_allclose(value, np.mean(sizes), rtol=1e-6)
    expected = np.array([[0, 0, 1, -1, -0.5, 0.25, 0, 0]]) / 8
    np.testing.assert_allclose(gradient, expected, rtol=1e-6, atol=1e-30)


@pytest.mark.parametrize("smoothing", [0, 0.1])
def test_large_logits_of_a_cross_entropy(backend_name, smoothing):
    logits = np.array([[1e4, 0, -1e4], [0, 1e4, 5e3]])
    labels = np.array([0, 0])
    loss = partial(ops.cross_entropy, label_smoothing=smoothing)
    value, gradient = of_output(backend_name, logits, labels, loss)
    np.testing.assert_allclose(value, smoothed(logits, labels, smoothing), rtol=1e-12)
    expected = by_complex_step(partial(smoothed, smoothing=smoothing), logits, labels)
    np.testing.assert_allclose(gradient, expected, atol=1e-14)


@pytest.mark.parametrize("delta", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("named", [False, True], ids=["ops", "named"])
def test_huber_at_its_bend_and_at_zero(backend_name, delta, named):
    if named and delta != 1:
        pytest.skip("by its name the bend is at 1")
    loss = "huber" if named else partial(ops.huber, delta=delta)
    output = np.array([[delta, -delta, 0.0, 2 * delta, -delta / 2]])
    value, gradient = of_output(backend_name, output, np.zeros_like(output), loss)
    expected = np.array([1 / 2, 1 / 2, 0, 3 / 2, 1 / 8]) * delta**2
    np.testing.assert_allclose(value, expected.mean(), rtol=1e-14)
    slopes = np.array([[delta, -delta, 0, delta, -delta / 2]]) / 5
    np.testing.assert_allclose(gradient, slopes, rtol=1e-14)


@pytest.mark.parametrize("loss", ["l1", ops.l1, ops.mae])
def test_the_derivative_of_l1_at_zero_is_zero(backend_name, loss):
    output = np.array([[0.0, 3.0, -2.0]])
    value, gradient = of_output(backend_name, output, np.zeros_like(output), loss)
    assert value == pytest.approx(5 / 3, rel=1e-15)
    np.testing.assert_allclose(gradient, [[0, 1 / 3, -1 / 3]], rtol=1e-15)


@pytest.mark.parametrize("loss", LIKE_OUTPUT)
def test_of_an_output_that_is_one_number(backend_name, loss):
    net = ub.FixedHiddenMLP(4)
    x, y = normal(2, 4), np.array(0.25, "float32")
    output = ub.to_numpy(ub.backend_of(net).run(net, [ub.from_numpy(x)]))
    value, _ = ub.value_and_grad(net, x, y, loss=loss)
    np.testing.assert_allclose(value, loss_of(loss, output, y), rtol=1e-6)


@pytest.mark.parametrize("loss", [*LIKE_OUTPUT, "cross_entropy"])
def test_compare_takes_the_loss(backend_name, loss):
    with ub.use_dtype("float64"):
        net = ub.initialize(ub.build(ub.MLP(5, 4), (6, 3)), 0)
    other = ub.convert(net, ub.available_backends()[-1])
    found = ub.compare(
        net,
        other,
        normal(6, 3, dtype="float64"),
        mode="training",
        targets=TARGETS[loss],
        loss=loss,
        optimizer=ub.AdamW(0.01),
    )
    found.raise_if_different()
    rows = {row.name for row in found.rows}
    assert {"loss", "step 3", "out.bias, trained"} <= rows


@pytest.mark.parametrize(
    ("loss", "y", "message"),
    [
        ("cross_entropy", np.zeros((40, 1), int), r"labels of shape \(n,\); got \(40, 1\)"),
        ("cross_entropy", np.zeros(40), "labels that are whole numbers from 0; got dtype float64"),
        ("cross_entropy", np.full(40, -1), "whole numbers from 0.*smallest -1"),
        *(
            (loss, np.zeros(shape, dtype), rf"loss '{loss}' needs targets like the output, {rest}")
            for loss in LIKE_OUTPUT
            for shape, dtype, rest in (
                ((40, 1), "float64", r"\(40, 4\) of .*float64.*; got \(40, 1\)"),
                ((40,), "float64", r".*got \(40,\)"),
                ((40, 4), "float32", r"\(40, 4\) of .*float64.*; got \(40, 4\) of .*float32"),
                ((40, 4), "int64", r".*float64.*; got \(40, 4\) of .*int64"),
            )
        ),
        *(
            ("binary_cross_entropy", np.full((40, 4), bad), f"from 0 to 1; got some from {bad}")
            for bad in (-0.5, 1.5, np.nan)
        ),
    ],
)
def test_targets_of_another_kind_are_an_error(backend_name, loss, y, message):
    with pytest.raises(ValueError, match=message):
        ub.value_and_grad(classifier(), problem()[0], y, loss=loss)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: ops.huber(x, x, delta=0), "ops.huber: delta must be above 0; got delta=0"),
        (lambda x: ops.huber(x, x, delta=float("nan")), "delta must be above 0; got delta=nan"),
        (
            lambda x: ops.cross_entropy(x, ops.argmax(x), label_smoothing=1),
            r"ops.cross_entropy: label_smoothing must be in \[0, 1\); got label_smoothing=1",
        ),
        (
            lambda x: ops.cross_entropy(x, ops.argmax(x), label_smoothing=-0.1),
            r"label_smoothing must be in \[0, 1\)",
        ),
        (lambda x: ops.l1(x, x[0]), r"ops.l1: the targets must have the shape of the output"),
        (lambda x: ops.huber(x, x[0]), r"ops.huber: the targets must have the shape"),
        (
            lambda x: ops.binary_cross_entropy(x, x[0]),
            r"ops.binary_cross_entropy: the targets must have the shape",
        ),
    ],
)
def test_wrong_arguments_of_a_loss_of_ops(backend_name, call, message):
    with pytest.raises(ValueError, match=message):
        ub.value_and_grad(classifier(), problem()[0], loss=call)
