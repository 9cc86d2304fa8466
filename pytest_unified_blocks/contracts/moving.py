"""Models are cast, copied, saved and converted, and keep their numbers."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path

import numpy as np
import pytest

import unified_blocks as ub
from pytest_unified_blocks import plugin
from pytest_unified_blocks.contracts.checks import (
    agree,
    made_case,
    normal,
    output_of,
    same_state,
)
from pytest_unified_blocks.layer_cases import BY_NAME
from unified_blocks.reference.gradients import reference_output


class Moving:
    """Tests of models that are cast, copied, saved and converted."""

    name: str

    @pytest.mark.capability("cast")
    def test_a_cast_model_has_the_rounded_numbers(self, backend: ub.Backend) -> None:
        net, x = made_case("chimera", "float64"), normal(3, 20, dtype="float32")
        rounded = {name: array.astype("float32") for name, array in ub.state(net).items()}
        net = ub.cast(net, "float32")
        assert same_state(ub.state(net), rounded)
        agree("output", output_of(net, x), reference_output(net, rounded, x), "float32")

    @pytest.mark.capability("copies")
    @pytest.mark.parametrize("how", ["deepcopy", "pickle"])
    def test_a_copy_is_the_same_and_independent(self, backend: ub.Backend, how: str) -> None:
        net, (x, _) = made_case("chimera", "float64"), BY_NAME["chimera"].batch("float64")
        copied = copy.deepcopy(net) if how == "deepcopy" else pickle.loads(pickle.dumps(net))
        before = ub.state(net)
        assert type(copied) is type(net)
        assert same_state(ub.state(copied), before)
        np.testing.assert_array_equal(output_of(copied, x), output_of(net, x))
        ub.load_state(copied, {name: np.asarray(array + 1) for name, array in before.items()})
        assert same_state(ub.state(net), before)

    @pytest.mark.capability("files")
    def test_a_file_gives_the_same_bits(self, backend: ub.Backend, tmp_path: Path) -> None:
        net = made_case("chimera", "float64")
        ub.save(net, tmp_path / "net.safetensors")
        loaded = ub.load(tmp_path / "net.safetensors", self.name)
        assert type(loaded) is type(net)
        assert same_state(ub.state(loaded), ub.state(net))

    def test_converted_to_every_other_backend_and_back(
        self, backend: ub.Backend, request: pytest.FixtureRequest
    ) -> None:
        others = [n for n in plugin.usable_backends(request.config) if n != self.name]
        if not others:
            pytest.skip(f"the only backend here is {self.name}")
        net, (x, _) = made_case("chimera", "float64"), BY_NAME["chimera"].batch("float64")
        for other in others:
            back = ub.convert(ub.convert(net, other, example=x), self.name)
            assert same_state(ub.state(back), ub.state(net))
