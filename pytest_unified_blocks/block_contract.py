"""`BlockContract`: the whole matrix of tests for one block, on every backend."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

import unified_blocks as ub
from pytest_unified_blocks.contracts.checks import same_bits, same_state
from pytest_unified_blocks.contracts.seen import Seen, is_statistic, modes_of
from pytest_unified_blocks.plugin import usable_backends
from unified_blocks.backend.capabilities import CAPABILITIES, why_lacking
from unified_blocks.models.conversion import outputs_apart
from unified_blocks.reference.gradients import reference_gradients, reference_output
from unified_blocks.reference.policy import Kind, shares
from unified_blocks.types import Array, State


class BlockContract:
    """A block means the same on every backend and device, in float64 and float32.

    Subclass it under a name that pytest collects::

        class TestHighway(BlockContract):
            input_shape = (3, 20)

            def make(self):
                return Highway(20)

    Attributes:
        input_shape: of a batch of inputs.
        output_shape: of its output; if omitted, it must only be the same on all backends.
        dtypes: the floating-point types to test in.
        seed: what parameters, inputs and targets are drawn from.
        steps: how many steps of training are compared.
        loss: what is trained on, as `ub.value_and_grad` takes it. Gradients are compared with a
            reference when it is `"mse"`.
        optimizer: what trains it.
        graph_needs: the capabilities that a backend needs for it to be one graph, for example
            `("loops-in-graphs",)` when its forward loops on tensors.
        tolerance_factor: a factor on the library's tolerances; see
            `unified_blocks.reference.policy`.
        lacks: why the block cannot pass some of these tests, by the name of the test:
            `{"test_training_agrees": "dropout draws its own numbers on each framework"}`.
    """

    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...] | None = None
    dtypes: tuple[str, ...] = ("float64", "float32")
    seed: int = 1
    steps: int = 5
    loss: Any = "mse"
    optimizer: Any = ub.SGD(0.125, momentum=0.5)
    graph_needs: tuple[str, ...] = ()
    tolerance_factor: float = 1.0
    lacks: Mapping[str, str] = {}
    _seen: ClassVar[dict[Any, Any]]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._seen = {}

    def make(self) -> Any:
        """The block, made on the default backend in the default dtype. To be overridden."""
        raise NotImplementedError

    def inputs(self, dtype: str) -> Array:
        """A batch of inputs, `input_shape`; whole numbers, for a block that takes these."""
        return self._generator(0).normal(size=self.input_shape).astype(dtype)

    def targets(self, output: Array) -> Array | None:
        """Targets for the loss, for this output; None for a loss without."""
        if self.loss == "cross_entropy":
            return self._generator(1).integers(0, output.shape[-1], output.shape[:-1])
        if self.loss in ("sum", "mean"):
            return None
        return np.asarray(self._generator(1).normal(size=output.shape)).astype(output.dtype)

    # the tests

    def test_it_is_a_native_object(self, backend: Any) -> None:
        net = self.make()
        assert isinstance(net, ub.Block)
        assert isinstance(net, backend.layer_class)
        assert ub.backend_of(net) is backend

    def test_output_has_the_shape_and_dtype(
        self, backend_name: str, device: str, dtype: str
    ) -> None:
        output = self._on(backend_name, device, dtype).output
        assert str(output.dtype) == dtype
        if self.output_shape is not None:
            assert output.shape == self.output_shape

    def test_names_and_numbers_are_the_same_everywhere(
        self, request: Any, backend_name: str, device: str, dtype: str
    ) -> None:
        """Names, order, roles, and what a seed draws, to the bit."""
        here = self._on(backend_name, device, dtype)
        assert {str(a.dtype) for a in here.numbers.values() if a.dtype.kind == "f"} <= {dtype}
        for other, there in self._elsewhere(request, backend_name, device, dtype):
            assert here.roles == there.roles, f"names and roles, against {other}"
            assert list(here.roles) == list(there.roles), f"order of names, against {other}"
            for name, array in here.numbers.items():
                assert same_bits(array, there.numbers[name]), f"{name}, against {other}"

    def test_forward_is_the_reference(self, backend_name: str, device: str, dtype: str) -> None:
        here = self._on(backend_name, device, dtype)
        self._agree("output", here.output, self._reference(dtype)[0], dtype, "the reference")

    def test_gradients_are_the_reference(self, backend_name: str, device: str, dtype: str) -> None:
        if self.loss != "mse":
            pytest.skip('the gradients of the reference are those of loss = "mse"')
        here = self._on(backend_name, device, dtype)
        expected = self._reference(dtype)[1]
        assert here.gradients.keys() == expected.keys()
        for name, gradient in here.gradients.items():
            self._agree(f"gradient of {name}", gradient, expected[name], dtype, "the reference")

    def test_forward_agrees(self, request: Any, backend_name: str, device: str, dtype: str) -> None:
        here = self._on(backend_name, device, dtype)
        for other, there in self._elsewhere(request, backend_name, device, dtype):
            self._agree("output", here.output, there.output, dtype, other)

    def test_gradients_agree(
        self, request: Any, backend_name: str, device: str, dtype: str
    ) -> None:
        here = self._on(backend_name, device, dtype)
        for other, there in self._elsewhere(request, backend_name, device, dtype):
            self._agree("loss", here.loss, there.loss, dtype, other)
            assert list(here.gradients) == list(there.gradients), f"against {other}"
            for name, gradient in here.gradients.items():
                self._agree(f"gradient of {name}", gradient, there.gradients[name], dtype, other)

    def test_training_agrees(
        self, request: Any, backend_name: str, device: str, dtype: str
    ) -> None:
        here = self._on(backend_name, device, dtype)
        for other, there in self._elsewhere(request, backend_name, device, dtype):
            self._agree("losses", here.losses, there.losses, dtype, other, "trained")
            for name, array in here.trained.items():
                self._agree(f"trained {name}", array, there.trained[name], dtype, other, "trained")

    def test_parameters_are_trained_and_constants_are_not(
        self, backend_name: str, device: str, dtype: str
    ) -> None:
        """Running statistics are not parameters; training updates them."""
        here = self._on(backend_name, device, dtype)
        parameters = [name for name, role in here.roles.items() if role == "parameter"]
        assert [name for name in here.gradients if name != "x"] == parameters
        for name, role in here.roles.items():
            if role == "constant":
                assert same_bits(here.trained[name], here.numbers[name]), f"{name} was trained"
        moved = [n for n in parameters if not same_bits(here.trained[n], here.numbers[n])]
        assert moved or not parameters, "no parameter was trained"

    def test_the_input_stays_as_it_is(self, backend: Any, device: str, dtype: str) -> None:
        net, x = self._made(dtype, device), self.inputs(dtype)
        tensor = backend.from_numpy(x, device)
        for train in (False, True):
            backend.run(net, [tensor], train)
            assert same_bits(backend.to_numpy(tensor), x), f"changed by a call with {train=}"

    def test_a_call_leaves_nothing_behind(self, backend: Any, device: str, dtype: str) -> None:
        """Inference gives the same bits again after a call in training mode, from the same state.

        And the mode of each layer is what it was.
        """
        net, x = self._made(dtype, device), backend.from_numpy(self.inputs(dtype), device)
        numbers, before, modes = ub.state(net), backend.run(net, [x]), modes_of(backend, net)
        assert same_bits(backend.to_numpy(backend.run(net, [x])), backend.to_numpy(before))
        backend.run(net, [x], True)
        assert modes_of(backend, net) == modes
        after = backend.run(ub.load_state(net, numbers), [x])
        assert same_bits(backend.to_numpy(after), backend.to_numpy(before))

    def test_saved_and_loaded(
        self, backend_name: str, device: str, dtype: str, tmp_path: Path
    ) -> None:
        net = self._made(dtype, device)
        ub.save(net, tmp_path / "net.safetensors")
        loaded = ub.to_device(ub.load(tmp_path / "net.safetensors", backend_name), device)
        self._same(net, loaded, dtype, device)

    def test_converted_there_and_back(self, request: Any, backend_name: str, dtype: str) -> None:
        net, x = self._made(dtype, "cpu"), self.inputs(dtype)
        for other in usable_backends(request.config):
            there = ub.convert(net, other, example=x, verify=False)
            apart = outputs_apart(net, there, x)
            assert apart.share <= self.tolerance_factor, f"on {other}: {apart}"
            self._same(net, ub.convert(there, backend_name), dtype, "cpu")

    @pytest.mark.capability("copies")
    @pytest.mark.parametrize("how", ["deepcopy", "pickle"])
    def test_a_copy_is_the_same_and_independent(
        self, backend_name: str, device: str, dtype: str, how: str
    ) -> None:
        net = self._made(dtype, device)
        copied = copy.deepcopy(net) if how == "deepcopy" else pickle.loads(pickle.dumps(net))
        assert type(copied) is type(net)
        if {v.device for v in ub.backend_of(copied).variables(copied)} != {device}:
            copied = ub.to_device(copied, device)
        self._same(net, copied, dtype, device)
        before = ub.state(net)
        changed = {name: np.asarray(a + a.dtype.type(1)) for name, a in ub.state(copied).items()}
        ub.load_state(copied, changed)
        assert same_state(ub.state(net), before), "a change of the copy changed the original"

    @pytest.mark.capability("graphs")
    def test_compiled_is_eager(self, backend: Any, device: str) -> None:
        """Only in the first of the dtypes: some compilers take seconds."""
        dtype = self.dtypes[0]
        for name in self.graph_needs:
            reason = why_lacking(backend, name)
            if reason:
                pytest.skip(f"{name}: {backend.title}: {reason}")
        net, x = self._made(dtype, device), backend.from_numpy(self.inputs(dtype), device)
        eager = backend.to_numpy(backend.run(net, [x]))
        with backend.compiled(net) as graph:
            found = backend.to_numpy(graph(x))
        self._agree("output", found, eager, dtype, "the eager call")

    # how they are run

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Called by pytest for each test of a subclass: refuse one that lacks a definition."""
        cls = type(self)
        problem = None
        if cls.make is BlockContract.make:
            problem = "must define make(self), which returns the block; got none"
        elif not sizes(getattr(cls, "input_shape", None)):
            shown = getattr(cls, "input_shape", "none")
            problem = f"must set input_shape, a tuple such as (3, 20); got {shown}"
        elif unknown := [name for name in cls.lacks if not hasattr(BlockContract, name)]:
            problem = f"must name tests of BlockContract in lacks; got {unknown[0]!r}"
        elif unknown := [name for name in cls.graph_needs if name not in CAPABILITIES]:
            known = ", ".join(CAPABILITIES)
            problem = f"must name capabilities in graph_needs, of {known}; got {unknown[0]!r}"
        if problem:
            raise pytest.Collector.CollectError(f"{cls.__name__} {problem}")
        if "dtype" in metafunc.fixturenames:
            metafunc.parametrize("dtype", cls.dtypes)

    @pytest.fixture(autouse=True)
    def _skip_what_it_lacks(self, request: pytest.FixtureRequest) -> None:
        name = getattr(request.node, "originalname", request.node.name)
        if name in self.lacks:
            pytest.skip(self.lacks[name])

    def _generator(self, stream: int) -> np.random.Generator:
        return np.random.default_rng([self.seed, stream])

    def _made(self, dtype: str, device: str) -> Any:
        """The block on the default backend and the device, with the numbers of the seed."""
        backend = ub.get_backend()
        with ub.use_dtype(dtype):
            net = self.make()
        backend.run(net, [backend.from_numpy(self.inputs(dtype))])
        return ub.to_device(ub.initialize(net, self.seed, "torch_default"), device)

    def _once(self, key: Any, see: Callable[[], Any]) -> Any:
        if key not in self._seen:
            self._seen[key] = see()
        return self._seen[key]

    def _on(self, backend_name: str, device: str, dtype: str) -> Seen:
        """The results of the block there, computed once for all tests of the class."""
        key = (backend_name, device, dtype)
        seen: Seen = self._once(key, lambda: self._see(*key))
        return seen

    def _see(self, backend_name: str, device: str, dtype: str) -> Seen:
        with ub.use_backend(backend_name) as backend:
            net, x = self._made(dtype, device), self.inputs(dtype)
            variables = backend.variables(net)
            roles = {
                v.name: v.role if not is_statistic(backend, v) else "statistic" for v in variables
            }
            numbers = ub.state(net)
            output = backend.to_numpy(backend.run(net, [backend.from_numpy(x, device)]))
            if "gradients" in backend.lacks:
                nothing = np.zeros(0)
                return Seen(numbers, roles, output, nothing, {}, nothing, {})
            y = self.targets(output)
            wrt = "both" if x.dtype.kind == "f" else "parameters"
            loss, gradients = ub.value_and_grad(net, x, y, loss=self.loss, wrt=wrt)
            losses: list[float] = []
            if any(v.trainable for v in variables):
                trainer = ub.Trainer(net, self.optimizer, self.loss)
                losses = [float(ub.to_numpy(trainer.step(x, y))) for _ in range(self.steps)]
            wide = np.array(loss, dtype), np.array(losses, dtype)
            return Seen(numbers, roles, output, wide[0], gradients, wide[1], ub.state(net))

    def _elsewhere(
        self, request: Any, backend_name: str, device: str, dtype: str
    ) -> Iterator[tuple[str, Seen]]:
        """The results of the block on the CPU of every backend except the one under test."""
        names = usable_backends(request.config)
        others = [name for name in names if (name, "cpu") != (backend_name, device)]
        if not others:
            pytest.skip(f"the only backend here is {backend_name}")
        for other in others:
            try:
                seen = self._on(other, "cpu", dtype)
            except Exception as error:
                pytest.fail(f"on {other}: {type(error).__name__}: {error}")
            yield other, seen

    def _reference(self, dtype: str) -> tuple[Array, State]:
        """The output and the gradients of the reference, with the numbers of the seed."""

        def see() -> Any:
            net, x = self._made(dtype, "cpu"), self.inputs(dtype)
            numbers = ub.state(net)
            try:
                output = reference_output(net, numbers, x)
            except ub.UnsupportedError as error:
                return str(error)
            trained = [v.name for v in ub.backend_of(net).variables(net) if v.trainable]
            y = self.targets(output.astype(dtype))
            gradients = {}
            if self.loss == "mse" and y is not None:
                gradients = reference_gradients(net, numbers, x, y.astype("float64"), trained)
            return output, gradients

        found = self._once(("reference", dtype), see)
        if isinstance(found, str):
            pytest.skip(found)
        return found  # type: ignore[no-any-return]

    def _agree(
        self,
        what: str,
        actual: Array,
        expected: Array,
        dtype: str,
        against: str,
        kind: Kind = "summed",
    ) -> None:
        assert actual.shape == expected.shape, f"{what}: shape, against {against}"
        apart = np.abs(actual.astype(np.float64) - expected.astype(np.float64))
        assert np.isfinite(apart).all(), f"{what}: a number that is not finite"
        share = shares(apart, expected, dtype, kind).max(initial=0.0) / self.tolerance_factor
        assert share <= 1, (
            f"{what}: differs from {against} by up to {apart.max():.3g}, "
            f"{share:.3g} times what {dtype} allows"
        )

    def _same(self, net: Any, other: Any, dtype: str, device: str) -> None:
        """The same numbers and the same output, to the bit."""
        assert same_state(ub.state(other), ub.state(net)), "the numbers are not the same"
        backend = ub.backend_of(net)
        x = backend.from_numpy(self.inputs(dtype), device)
        outputs = [backend.to_numpy(backend.run(each, [x])) for each in (net, other)]
        assert same_bits(*outputs), "the outputs are not the same"


def sizes(shape: Any) -> bool:
    return isinstance(shape, tuple) and all(type(size) is int for size in shape)
