"""Variables have the names and shapes of every backend, and are read and written."""

from __future__ import annotations

import numpy as np
import pytest

import unified_blocks as ub
from pytest_unified_blocks.contracts.checks import made_case, normal, same_state
from pytest_unified_blocks.contracts.marks import cases, dtypes
from unified_blocks.equivalence.matrix.cases import Case


class Variables:
    """Tests of the variables of models."""

    @cases
    @dtypes
    def test_variables_are_canonical(self, backend: ub.Backend, case: Case, dtype: str) -> None:
        net = made_case(case.name, dtype)
        variables = backend.variables(net)
        assert [(v.name, v.shape) for v in variables] == list(case.variables.items())
        assert tuple(v.name for v in variables if v.role == "constant") == case.constants
        for v in variables:
            assert (v.dtype, v.device, v.is_built) == (dtype, "cpu", True), v.name
            assert v.trainable == (v.role == "parameter"), v.name
            assert (v.view().shape, v.view().dtype) == (v.shape, np.dtype(dtype)), v.name

    def test_a_read_is_a_copy_and_a_write_is_seen(self, backend: ub.Backend) -> None:
        net = ub.Dense(3, in_units=2)
        weight = next(v for v in backend.variables(net) if v.name == "weight")
        array = normal(3, 2, dtype="float32")
        weight.write(array)
        weight.read()[:] = 7
        np.testing.assert_array_equal(weight.read(), array)
        np.testing.assert_array_equal(weight.view(), array)
        found = backend.to_numpy(backend.run(net, [backend.from_numpy(np.eye(2, dtype="float32"))]))
        np.testing.assert_allclose(found, array.T + ub.state(net)["bias"], rtol=1e-6)

    def test_what_is_not_built_says_so_and_is_built_by_numbers(self, backend: ub.Backend) -> None:
        net = ub.MLP(5, 3)
        assert not all(v.is_built for v in backend.variables(net))
        assert backend.variables(net)[0].shape in ((5, None), None)
        with pytest.raises(ub.NotBuiltError, match=r"hidden\.weight"):
            ub.state(net)
        numbers = ub.state(ub.MLP(5, 3, in_units=4))
        assert same_state(ub.state(ub.load_state(net, numbers)), numbers)

    def test_a_call_builds(self, backend: ub.Backend) -> None:
        net = ub.MLP(5, 3)
        backend.run(net, [backend.from_numpy(normal(2, 4, dtype="float32"))])
        assert ub.state(net)["hidden.weight"].shape == (5, 4)

    def test_a_misfit_loads_nothing(self, backend: ub.Backend) -> None:
        net = made_case("NestMLP", "float32")
        before = ub.state(net)
        changed = {name: array + 1 for name, array in before.items()}
        wrong = {
            "a wrong shape": {**changed, "dense.weight": normal(2, 2, dtype="float32")},
            "a missing name": {n: a for n, a in changed.items() if n != "dense.bias"},
            "an unknown name": {**changed, "more": normal(2, dtype="float32")},
            "another dtype": {**changed, "dense.bias": changed["dense.bias"].astype("float64")},
        }
        for what, numbers in wrong.items():
            with pytest.raises(ub.StateMismatchError):
                ub.load_state(net, numbers)
            assert same_state(ub.state(net), before), what

    def test_a_shared_layer_is_there_once(self, backend: ub.Backend) -> None:
        layer = ub.Dense(4, in_units=4)
        net = ub.MySequential(layer, ub.MySequential(layer))
        variables = backend.variables(net)
        assert [v.name for v in variables] == ["0.weight", "0.bias"]
        assert variables[0].aliases == ("1.0.weight",)

    def test_numbers_drawn_from_a_seed_are_those_of_every_backend(
        self, backend: ub.Backend
    ) -> None:
        net = ub.initialize(ub.Dense(3, in_units=2, dtype="float64"), 5, "torch_default")
        generator = np.random.Generator(np.random.PCG64(5))
        bound = 1 / np.sqrt(2)
        drawn = {
            n: generator.uniform(-bound, bound, s) for n, s in (("bias", 3), ("weight", (3, 2)))
        }
        assert same_state(dict(sorted(ub.state(net).items())), drawn)
