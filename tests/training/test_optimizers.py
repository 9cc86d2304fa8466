"""The optimizers are their formulas, on every framework, and what they keep moves."""

from dataclasses import replace

import numpy as np
import pytest

import unified_blocks as ub
from pytest_unified_blocks.contracts.formulas import updated
from testbed.common import HERE, normal
from testbed.learning import (
    OPTIMIZERS,
    START,
    HalfUsed,
    classifier,
    problem,
    slope,
    squares,
    trainer_of,
)
from unified_blocks.backend import Optimizer

RATES = (1.0, 1.0, 1.0, 1.0, 0.25, 0.25, 0.25, 2.0, 2.0, 2.0)
"""By what the learning rate is multiplied in each of ten steps."""

kinds = pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=repr)


def by_formula(optimizer, rates=RATES, gradient=slope):
    """The weight after these steps, and what is kept of it, in NumPy."""
    w, kept = START, {}
    for t, rate in enumerate(rates, 1):
        now = replace(optimizer, learning_rate=optimizer.learning_rate * rate)
        w = updated(now, t, w, gradient(w), kept)
    return w, kept


def steps(trainer, optimizer, rates=RATES, dtype="float64"):
    for rate in rates:
        trainer.learning_rate = optimizer.learning_rate * rate
        trainer.step(*squares(dtype))
    return ub.state(trainer.net)["weight"]


def tolerance(optimizer, *names):
    """MXNet's own Adam has the learning rate of a step in float32, which is off by 6e-8 of it."""
    inexact = isinstance(optimizer, ub.Adam) and "mxnet" in names
    return 6e-7 * optimizer.learning_rate if inexact else 1e-12


@kinds
def test_ten_steps_are_the_formula_and_what_is_kept_too(backend_name, optimizer):
    trainer = trainer_of(optimizer, backend_name)
    found = steps(trainer, optimizer)
    expected, kept = by_formula(optimizer)
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance(optimizer, backend_name))
    state = ub.state(trainer)
    assert set(state) == {"optimizer.step", *(f"optimizer.weight.{name}" for name in kept)}
    for name, array in kept.items():
        found = state[f"optimizer.weight.{name}"]
        assert found.dtype == "float64"
        np.testing.assert_allclose(found, array, rtol=1e-8, atol=1e-12)
    assert tuple(kept) == optimizer.keeps


@kinds
def test_in_float32(backend_name, optimizer):
    found = steps(trainer_of(optimizer, backend_name, dtype="float32"), optimizer, dtype="float32")
    assert found.dtype == "float32"
    np.testing.assert_allclose(found, by_formula(optimizer)[0], rtol=1e-5, atol=1e-6)


@kinds
def test_a_gradient_of_zero_leaves_what_does_not_decay(backend_name, optimizer):
    trainer = trainer_of(optimizer, backend_name, loss=lambda output: ub.ops.sum(output * 0))
    for _ in range(3):
        trainer.step(squares()[0])
    found = ub.state(trainer.net)["weight"]
    expected, _ = by_formula(optimizer, (1,) * 3, np.zeros_like)
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance(optimizer, backend_name))
    assert np.array_equal(found, START) == (not getattr(optimizer, "weight_decay", 0))


@pytest.mark.parametrize("other", HERE)
@kinds
def test_moved_midway_it_goes_on(backend_name, optimizer, other, tmp_path):
    """By a file, between two rates: a framework that keeps `-lr v` then holds other numbers."""
    first = trainer_of(optimizer, backend_name)
    weight = steps(first, optimizer, RATES[:6])
    second = trainer_of(optimizer, other, weight)
    second.learning_rate = first.learning_rate
    ub.write_state(ub.state(first), tmp_path / "trainer.safetensors")
    ub.load_state(second, ub.read_state(tmp_path / "trainer.safetensors"))
    assert ub.diff_state(ub.state(first), ub.state(second)).equal or optimizer.keeps == (
        "velocity",  # held times the rate, and so rounded
    )
    found = steps(second, optimizer, RATES[6:])
    atol = tolerance(optimizer, backend_name, other)
    np.testing.assert_allclose(found, by_formula(optimizer)[0], rtol=0, atol=atol)


@kinds
def test_an_epoch_is_a_loop_over_steps_to_the_bit(backend, optimizer):
    (x, y), order = problem(), np.random.default_rng(0).permutation(40)
    nets = classifier(), classifier()
    loop, whole = (ub.Trainer(net, optimizer, "cross_entropy") for net in nets)
    found = whole.epoch(x, y, order, 16)
    batches = [order[i : i + 16] for i in range(0, 40, 16)]
    losses = [float(backend.to_numpy(loop.step(x[rows], y[rows]))) for rows in batches]
    np.testing.assert_array_equal(found, losses)
    assert ub.diff_state(ub.state(nets[0]), ub.state(nets[1])).equal
    assert ub.diff_state(ub.state(loop), ub.state(whole)).equal


@kinds
def test_a_graph_of_the_step_is_the_formula(backend_name, optimizer):
    trainer = trainer_of(optimizer, backend_name)
    if backend_name == "torch":
        pytest.skip("no graph of PyTorch's has an optimizer in it")
    for kind in trainer.training_step.kinds[1:]:
        trainer = trainer_of(optimizer, backend_name)
        trainer.training_step.use(kind)
        expected = by_formula(optimizer)[0]
        np.testing.assert_allclose(steps(trainer, optimizer), expected, rtol=0, atol=1e-8)


DECAYING = [o for o in OPTIMIZERS if getattr(o, "weight_decay", 0)]


@pytest.mark.parametrize("optimizer", DECAYING, ids=repr)
def test_a_parameter_that_the_loss_does_not_depend_on_does_not_decay(backend_name, optimizer):
    with ub.use_dtype("float64"):
        net = ub.initialize(HalfUsed(5, 3, in_units=4), 0, "torch_default")
    before = ub.state(net)
    trainer = ub.Trainer(net, optimizer, "mse")
    batch = normal(8, 4, dtype="float64"), normal(8, 5, dtype="float64")
    if backend_name == "tensorflow":
        with pytest.warns(UserWarning, match="Gradients do not exist"):
            trainer.step(*batch)
    else:
        trainer.step(*batch)
    after = ub.state(net)
    changed = [name for name in after if not np.array_equal(after[name], before[name])]
    assert changed == ["hidden.weight", "hidden.bias"]


@pytest.mark.parametrize("optimizer", DECAYING, ids=repr)
def test_biases_decay_too(backend_name, optimizer):
    net, (x, y) = classifier(), problem()
    before = ub.state(net)["out.bias"] + 1
    ub.load_state(net, {**ub.state(net), "out.bias": before})
    _, gradients = ub.value_and_grad(net, x, y, loss="cross_entropy")
    ub.Trainer(net, optimizer, "cross_entropy").step(x, y)
    expected = updated(optimizer, 1, before, gradients["out.bias"], {})
    atol = tolerance(optimizer, backend_name)
    np.testing.assert_allclose(ub.state(net)["out.bias"], expected, rtol=0, atol=atol)


def lookup(backend_name, sparse):
    """An embedding; Keras' own gradient has a part for each look-up, those of others may."""
    if not sparse or backend_name == "tensorflow":
        with ub.use_backend(backend_name):
            return ub.Embedding(8, 3, dtype="float64")
    if backend_name == "torch":
        import torch

        return torch.nn.Embedding(8, 3, sparse=True, dtype=torch.float64)
    from unified_blocks_mxnet.compat import mx

    net = mx.gluon.nn.Embedding(8, 3, sparse_grad=True, dtype="float64")
    net.initialize()
    return net


@pytest.mark.parametrize("sparse", [False, True], ids=["dense", "sparse"])
@kinds
def test_an_embedding_is_the_formula_in_all_its_rows(backend_name, optimizer, sparse):
    """In rows that were looked up twice too, and in those that were not."""
    refused = isinstance(optimizer, ub.Adam) or getattr(optimizer, "weight_decay", 0)
    if sparse and backend_name == "torch" and refused:
        pytest.skip("PyTorch's own Adam, and its own weight decay, take no sparse gradients")
    net, w, kept = lookup(backend_name, sparse), normal(8, 3, dtype="float64", seed=3), {}
    ub.load_state(net, {"weight": w})
    trainer = ub.Trainer(net, optimizer, "sum")
    for t, words in enumerate(([0, 1, 1], [1, 5, 5], [5, 5, 0]), 1):
        trainer.step(np.array([words]))
        counts = np.bincount(words, minlength=8)[:, None] * np.ones((1, 3))
        w = updated(optimizer, t, w, counts, kept)
    atol = tolerance(optimizer, backend_name)
    if sparse and backend_name == "mxnet" and optimizer == ub.SGD(0.1, weight_decay=0.05):
        atol = 1e-7  # it has the factor of the weight in float32
    np.testing.assert_allclose(ub.state(net)["weight"], w, rtol=0, atol=atol)
    for name, array in kept.items():
        found = ub.state(trainer)[f"optimizer.weight.{name}"]
        np.testing.assert_allclose(found, array, rtol=1e-8, atol=1e-12)


FORMS = {
    "SGD": (ub.SGD, {"learning_rate": 0.1, "momentum": 0.9}),
    "Adam": (ub.Adam, {}),
    "AdamW": (ub.AdamW, {}),
    "RMSprop": (ub.RMSprop, {}),
    "Adagrad": (ub.Adagrad, {}),
}
WRONG = [
    (names, {argument: value}, rule)
    for names, argument, values, rule in (
        (FORMS, "learning_rate", (0, -1.0, float("nan")), "be above 0"),
        (("SGD",), "momentum", (1, -0.1, float("nan")), r"be in \[0, 1\)"),
        (("SGD",), "nesterov", (1e-4, None, 1), "be True or False"),
        (("SGD", "Adam", "AdamW"), "weight_decay", (-0.1, float("nan")), "be at least 0"),
        (("Adam", "AdamW"), "beta_1", (1.0, -0.1), r"be in \[0, 1\)"),
        (("Adam", "AdamW"), "beta_2", (1.0, float("nan")), r"be in \[0, 1\)"),
        (("RMSprop",), "rho", (1.0, -0.1), r"be in \[0, 1\)"),
        (("Adam", "AdamW", "RMSprop", "Adagrad"), "epsilon", (0, -1e-8), "be above 0"),
    )
    for value in values
]


@pytest.mark.parametrize(("names", "wrong", "rule"), WRONG)
def test_wrong_hyper_parameters(names, wrong, rule):
    ((argument, value),) = wrong.items()
    for name in names:
        make, right = FORMS[name]
        with pytest.raises(
            ValueError, match=f"{name}: {argument} must {rule}; got {argument}={value}"
        ):
            make(**{**right, **wrong})


def test_nesterov_without_momentum_is_an_error():
    with pytest.raises(
        ValueError, match="momentum must be above 0 with nesterov=True; got momentum=0"
    ):
        ub.SGD(0.1, nesterov=True)


@kinds
def test_hyper_parameters_are_rounded_to_float32(optimizer):
    rounded = optimizer.rounded()
    assert type(rounded) is type(optimizer)
    for name, value in vars(optimizer).items():
        assert getattr(rounded, name) == (value if value is True else float(np.float32(value)))
        assert isinstance(getattr(rounded, name), type(value))


def test_an_unknown_optimizer_is_an_error(backend_name):
    with pytest.raises(TypeError, match=r"optimizer must be ub\.SGD.*got Optimizer\(learning_rate"):
        ub.Trainer(classifier(), Optimizer(0.1), "cross_entropy")


@kinds
def test_a_state_of_another_optimizer_is_an_error(backend_name, optimizer):
    for other in OPTIMIZERS:
        if other.keeps != optimizer.keeps:
            given = ub.state(trainer_of(other, backend_name))
            with pytest.raises(ub.StateMismatchError, match="must fit a Trainer with"):
                ub.load_state(trainer_of(optimizer, backend_name), given)
