"""Blocks compute what they mean, report their calls, and refuse invalid input."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import unified_blocks as ub
from pytest_unified_blocks import plugin
from pytest_unified_blocks.contracts.checks import agree, made_case, normal, output_of
from pytest_unified_blocks.contracts.marks import cases, dtypes
from pytest_unified_blocks.layer_cases import BY_NAME
from unified_blocks.equivalence.matrix.cases import Case
from unified_blocks.reference.gradients import reference_output


class Blocks:
    """Tests of blocks, and of the errors that they raise."""

    name: str

    @cases
    @dtypes
    def test_a_block_is_its_reference(self, backend: ub.Backend, case: Case, dtype: str) -> None:
        net, (x, _) = made_case(case.name, dtype), case.batch(dtype)
        found = output_of(net, x)
        assert (found.shape, str(found.dtype)) == (case.output_shape, dtype)
        agree("output", found, reference_output(net, ub.state(net), x), dtype)

    @pytest.mark.parametrize("train", [False, True])
    def test_a_call_changes_no_input(self, backend: ub.Backend, train: bool) -> None:
        net, (x, _) = made_case("chimera", "float64"), BY_NAME["chimera"].batch("float64")
        tensor = backend.from_numpy(x)
        backend.run(net, [tensor], train)
        np.testing.assert_array_equal(backend.to_numpy(tensor), x)

    @pytest.mark.capability("layers")
    def test_run_chooses_the_mode_for_one_call(self, backend: ub.Backend) -> None:
        """A dropout layer tells the mode."""
        net, x = ub.Dropout(0.5), np.ones((1, 1000), "float32")
        for train in (False, True, False):
            found = backend.to_numpy(backend.run(net, [backend.from_numpy(x)], train))
            assert (300 < (found == 0).sum() < 700) if train else (found == 1).all()

    def test_watch_tells_of_every_call(self, backend: ub.Backend) -> None:
        first, layer = ub.MLP(5, 4, in_units=4), ub.Dense(4, in_units=4)
        net, x = (
            ub.MySequential(first, layer, layer),
            backend.from_numpy(normal(2, 4, dtype="float32")),
        )
        ub.initialize(net, 0, "torch_default")  # biases too: what is dead gives 0 everywhere
        ours = {id(each) for each in (net, first, layer)}
        begun, ended = [], []
        with backend.watch(
            net,
            lambda block, inputs, _: begun.append(block),
            lambda block, inputs, output: ended.append((block, backend.to_numpy(output))),
        ):
            output = backend.to_numpy(backend.run(net, [x]))
        backend.run(net, [x])
        assert [id(b) for b in begun if id(b) in ours] == [
            id(b) for b in (net, first, layer, layer)
        ]
        over = [(block, array) for block, array in ended if id(block) in ours]
        assert [id(b) for b, _ in over] == [id(b) for b in (first, layer, layer, net)]
        np.testing.assert_array_equal(over[-1][1], output)
        np.testing.assert_array_equal(over[-2][1], output)
        assert not np.array_equal(over[-3][1], output)

    @pytest.mark.capability("graphs")
    @pytest.mark.parametrize("case", [BY_NAME["MLP"], BY_NAME["NestMLP"]], ids=lambda c: c.name)
    def test_compiled_is_eager(self, backend: ub.Backend, case: Case) -> None:
        net, (x, _) = made_case(case.name, "float64"), case.batch("float64")
        assert backend.graph_kinds, "must be named in graph_kinds, or 'graphs' in lacks"
        for kind in backend.graph_kinds:
            graph = backend.graph(net, kind)
            with backend.inferring(net):
                found = backend.to_numpy(graph(backend.from_numpy(x)))
            agree(f"output of {kind}", found, output_of(net, x), "float64")
            assert graph.traces > 0

    def test_a_constant_is_assigned_once(self, backend: ub.Backend) -> None:
        net = ub.FixedHiddenMLP(4)
        with pytest.raises(AttributeError, match="rand_weight"):
            net.rand_weight = ub.Constant(np.ones(3))

    def test_blocks_that_would_be_lost_are_an_error(self, backend: ub.Backend) -> None:
        net: Any = ub.MLP(4, 4, in_units=4)
        with pytest.raises(TypeError, match="parts"):
            net.parts = {ub.Dense(3, in_units=4)}  # a set, which has no order

    # errors

    def test_an_array_is_taken_or_refused_with_the_remedy(self, backend: ub.Backend) -> None:
        net, x = made_case("MLP", "float32"), normal(3, 20, dtype="float32")
        if "array-inputs" not in backend.lacks:
            assert backend.is_tensor(net(x))
        else:
            with pytest.raises(ub.ForeignTensorError, match=r"ub\.from_numpy"):
                net(x)

    def test_a_wrong_width_is_an_error_that_names_both(self, backend: ub.Backend) -> None:
        net = made_case("MLP", "float32")
        with pytest.raises(ub.InputError, match=r"\(n, 20\).*got shape \(3, 19\)"):
            net(backend.from_numpy(normal(3, 19, dtype="float32")))

    def test_another_dtype_is_cast_or_an_error(self, backend: ub.Backend) -> None:
        net, x = made_case("MLP", "float32"), backend.from_numpy(normal(3, 20))
        if "cast-inputs" not in backend.lacks:
            assert output_of(net, normal(3, 20)).dtype == "float32"
        else:
            with pytest.raises(ub.InputError, match="float32; got float64"):
                net(x)

    def test_tensors_of_other_frameworks_are_an_error(
        self, backend: ub.Backend, request: pytest.FixtureRequest
    ) -> None:
        others = [n for n in plugin.usable_backends(request.config) if n != self.name]
        if not others:
            pytest.skip(f"the only backend here is {self.name}")
        for other in others:
            foreign = ub.from_numpy(normal(3, 20, dtype="float32"), other)
            assert not backend.is_tensor(foreign)
            with pytest.raises(ub.ForeignTensorError, match=ub.get_backend(other).title):
                made_case("MLP", "float32")(foreign)

    def test_layers_of_other_frameworks_are_an_error(
        self, backend: ub.Backend, request: pytest.FixtureRequest
    ) -> None:
        others = [n for n in plugin.usable_backends(request.config) if n != self.name]
        if not others:
            pytest.skip(f"the only backend here is {self.name}")
        for other in others:
            with pytest.raises(ub.ForeignPartError, match=ub.get_backend(other).title):
                ub.MySequential(ub.Dense.on(other)(3))
