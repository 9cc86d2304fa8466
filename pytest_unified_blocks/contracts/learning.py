"""Gradients, losses and optimizers are their formulas."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

import unified_blocks as ub
from pytest_unified_blocks.contracts.checks import agree, made_case, normal, same_state
from pytest_unified_blocks.contracts.formulas import OPTIMIZERS, loss_of, updated
from pytest_unified_blocks.contracts.marks import cases, dtypes, gradients
from pytest_unified_blocks.layer_cases import BY_NAME
from unified_blocks.equivalence.matrix.cases import Case
from unified_blocks.reference.gradients import reference_gradients, reference_output
from unified_blocks.reference.policy import deviation
from unified_blocks.training.losses import LOSSES, TARGETLESS, apply_loss
from unified_blocks.types import Array, State


class Learning:
    """Tests of gradients, losses, optimizers and trainers."""

    @gradients
    @cases
    @dtypes
    def test_gradients_are_the_reference(self, backend: ub.Backend, case: Case, dtype: str) -> None:
        expected = expected_gradients_of_case(case.name, dtype)
        gradients_agree(made_case(case.name, dtype), *case.batch(dtype), expected, dtype)

    @gradients
    @pytest.mark.parametrize("loss", LOSSES)
    def test_a_loss_is_its_definition(self, backend: ub.Backend, loss: str) -> None:
        net, x = made_case("MLP", "float64"), BY_NAME["MLP"].batch("float64")[0]
        output = reference_output(net, ub.state(net), x)
        y: Array | None = normal(3, 7)
        if loss in TARGETLESS:
            y = None
        elif loss == "cross_entropy":
            y = np.array([4, 0, 6])
        elif loss == "binary_cross_entropy":
            y = 1 / (1 + np.exp(-normal(3, 7)))
        expected = loss_of(loss, output, y)
        assert ub.value_and_grad(net, x, y, loss=loss)[0] == pytest.approx(expected, rel=1e-12)
        tensors = [None if a is None else backend.from_numpy(a) for a in (output, y)]
        with backend.inferring(net):
            value = apply_loss(backend.loss_function(loss), *tensors)
        assert float(backend.to_numpy(value)) == pytest.approx(expected, rel=1e-12)

    @gradients
    def test_wrt_chooses_the_gradients(self, backend: ub.Backend) -> None:
        net, x = made_case("MLP", "float64"), BY_NAME["MLP"].batch("float64")[0]
        names = BY_NAME["MLP"].parameters
        for wrt, expected in (("parameters", names), ("inputs", ["x"]), ("both", [*names, "x"])):
            assert list(ub.value_and_grad(net, x, loss="sum", wrt=wrt)[1]) == expected

    @gradients
    @pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=repr)
    def test_an_optimizer_is_its_formula(self, backend: ub.Backend, optimizer: Any) -> None:
        x, y = normal(8, 3), normal(8, 2, seed=1)
        net = ub.Dense(2, in_units=3, use_bias=False, dtype="float64")
        weight = ub.state(net)["weight"]
        trainer = ub.Trainer(net, optimizer, "mse")
        for _ in range(10):
            trainer.step(x, y)
        found, expected = ub.state(net)["weight"], descended(optimizer, x, y, weight, 10)
        assert deviation(found, expected, "float64", "trained").ok
        assert not deviation(weight, expected, "float64", "trained").ok, "it was not trained"

    @gradients
    @pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=repr)
    def test_training_goes_on_from_the_state_of_a_trainer(
        self, backend: ub.Backend, optimizer: Any
    ) -> None:
        case = BY_NAME["MLP"]
        x, y = case.batch("float64")
        net = made_case("MLP", "float64")
        trainer = ub.Trainer(net, optimizer, "mse")
        trainer.step(x, y)
        twin = ub.load_state(made_case("MLP", "float64"), ub.state(net))
        following = ub.load_state(ub.Trainer(twin, optimizer, "mse"), ub.state(trainer))
        for each in (trainer, following):
            each.step(x, y)
        assert same_state(ub.state(net), ub.state(twin))

    @gradients
    def test_constants_and_frozen_parameters_are_not_trained(self, backend: ub.Backend) -> None:
        case = BY_NAME["chimera"]
        net = made_case("chimera", "float64")
        next(v for v in backend.variables(net) if v.name == "1.bias").freeze()
        trained = [name for name in case.parameters if name != "1.bias"]
        x, y = case.batch("float64")
        assert list(ub.value_and_grad(net, x, y, loss="mse")[1]) == trained
        before = ub.state(net)
        ub.Trainer(net, ub.SGD(0.125, 0.5), "mse").step(x, y)
        after = ub.state(net)
        assert [n for n in after if not np.array_equal(after[n], before[n])] == trained


def expected_gradients(net: Any, x: Array, y: Array) -> State:
    """The gradients of `mean((output - y)²)`, by the reference."""
    names = [v.name for v in ub.backend_of(net).variables(net) if v.role == "parameter"]
    return reference_gradients(net, ub.state(net), x, y.astype("float64"), names)


@cache
def expected_gradients_of_case(name: str, dtype: str) -> State:
    """Those of a case, whose numbers are the same on every backend."""
    return expected_gradients(made_case(name, dtype), *BY_NAME[name].batch(dtype))


def gradients_agree(net: Any, x: Array, y: Array, expected: State, dtype: str) -> None:
    """The loss and its gradients are those of the reference."""
    value, found = ub.value_and_grad(net, x, y, loss="mse", wrt="both")
    loss = np.array(np.mean((reference_output(net, ub.state(net), x) - y) ** 2))
    agree("loss", np.array(value), loss, dtype)
    assert list(found) == list(expected)
    assert np.abs(expected["x"]).max() > 1e-6, "a gradient of zero shows nothing"
    for name, gradient in found.items():
        agree(f"gradient of {name}", gradient, expected[name], dtype)


def descended(optimizer: Any, x: Array, y: Array, w: Array, steps: int) -> Array:
    """The weight of `mean((x wᵀ - y)²)` after some steps, by the formulas in their docstrings."""
    kept: State = {}
    for t in range(1, steps + 1):
        w = updated(optimizer, t, w, 2 * (x @ w.T - y).T @ x / y.size, kept)
    return w
