"""Layers and operations compute what their references in NumPy do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import unified_blocks as ub
from pytest_unified_blocks.contracts.checks import agree, normal, output_of
from pytest_unified_blocks.contracts.learning import expected_gradients, gradients_agree
from pytest_unified_blocks.contracts.marks import dtypes, gradients
from pytest_unified_blocks.layer_cases import LAYERS, WITH_SHAPES, made
from pytest_unified_blocks.op_cases import OPS, OpCase
from unified_blocks import ops
from unified_blocks.reference.gradients import reference_output

OP_TOLERANCE: dict[str, dict[str, Any]] = {
    "float64": {"rtol": 1e-12, "atol": 1e-12},
    "float32": {"rtol": 2e-5, "atol": 2e-6},
}


class Applied(ub.Block):
    """A block that does one operation."""

    def __init__(self, case: OpCase) -> None:
        super().__init__()
        self.case = case

    def forward(self, *X: Any) -> Any:
        return self.case.call(*X)


class Layers:
    """Tests of layers and operations."""

    name: str

    def test_layers_are_named_as_their_attributes(self, backend: ub.Backend) -> None:
        layer = ub.Dense(4, in_units=4)
        net = ub.MySequential(ub.MLP(4, 4, in_units=4), layer, layer)
        found = list(backend.layers(net))
        assert found[0] == ("", net)
        assert len({id(each) for _, each in found}) == len(found), "each once"
        kinds = {path: backend.kind_of(each) for path, each in found}
        ours = {"": "MySequential", "0": "MLP", "0.hidden": "Dense", "0.out": "Dense", "1": "Dense"}
        assert {path: kind for path, kind in kinds.items() if path in ours} == ours
        assert dict(found)["1"] is layer
        assert "2" not in kinds

    @pytest.mark.capability("layers")
    @pytest.mark.parametrize(("layer", "shape"), WITH_SHAPES, ids=str)
    @dtypes
    def test_a_layer_is_its_reference(
        self, backend: ub.Backend, layer: str, shape: tuple[int, ...], dtype: str
    ) -> None:
        net, x = made(LAYERS[layer].make, shape, dtype), normal(*shape, dtype=dtype)
        agree("output", output_of(net, x), reference_output(net, ub.state(net), x), dtype)

    @gradients
    @pytest.mark.capability("layers")
    @pytest.mark.parametrize("layer", LAYERS)
    def test_gradients_of_a_layer_are_its_reference(self, backend: ub.Backend, layer: str) -> None:
        shape = LAYERS[layer].shapes[0]
        net, x = made(LAYERS[layer].make, shape), normal(*shape)
        y = normal(*output_of(net, x).shape, seed=1)
        gradients_agree(net, x, y, expected_gradients(net, x, y), "float64")

    @pytest.mark.parametrize("op", OPS, ids=lambda op: f"{op.name}-{op.label}".rstrip("-"))
    @dtypes
    def test_an_operation_is_what_it_is_in_numpy(
        self, backend: ub.Backend, op: OpCase, dtype: str
    ) -> None:
        arrays = op.arrays(dtype)
        try:
            found = backend.to_numpy(
                backend.run(Applied(op), [backend.from_numpy(array) for array in arrays])
            )
        except ub.UnsupportedError as error:
            if {by[self.name] for by in ops.capabilities().values()} == {"yes"}:
                raise  # it says that it lacks none
            pytest.skip(str(error))
        with np.errstate(invalid="ignore"):
            expected = np.asarray(op.meaning(*arrays))
        assert found.shape == expected.shape
        if expected.dtype.kind in "biu":
            assert found.dtype == expected.dtype
            np.testing.assert_array_equal(found, expected)
            return
        if op.name not in ("astype", "one_hot"):
            assert found.dtype == arrays[0].dtype
        np.testing.assert_allclose(found, expected, **OP_TOLERANCE[dtype])
