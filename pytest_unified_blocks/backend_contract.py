"""`BackendContract`: what this library asks of a framework, for authors of a backend."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import unified_blocks as ub
from pytest_unified_blocks import plugin
from pytest_unified_blocks.layer_cases import BY_NAME, LAYERS, made
from pytest_unified_blocks.op_cases import OPS, OpCase
from unified_blocks import ops
from unified_blocks.backend.capabilities import CAPABILITIES
from unified_blocks.backend.dlpack import seen
from unified_blocks.equivalence.matrix.cases import CASES, Case
from unified_blocks.reference.gradients import reference_gradients, reference_output
from unified_blocks.reference.policy import deviation
from unified_blocks.types import Array, State

dtypes = pytest.mark.parametrize("dtype", ["float64", "float32"])
cases = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
gradients = pytest.mark.capability("gradients")
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


class BackendContract:
    """A backend keeps the promises of `unified_blocks.backend.Backend`.

    Subclass it under a name that pytest collects::

        class TestToyframe(BackendContract):
            name = "toyframe"

    What the backend says in `lacks` is skipped with its reason, and so are the operations of
    `ub.ops` that it lacks.

    Attributes:
        name: the name that the backend is registered under.
    """

    name: str

    # the backend itself

    def test_it_is_what_its_entry_point_says(self, backend: ub.Backend) -> None:
        assert isinstance(backend, ub.Backend)
        assert backend.name == self.name
        assert backend.title
        assert backend.version
        assert ub.backend_of(backend.from_numpy(np.zeros(1))) is backend
        assert issubclass(backend.base_class, backend.layer_class)

    def test_what_it_lacks_is_said_in_known_names(self, backend: ub.Backend) -> None:
        assert {*backend.lacks, *backend.remarks} <= CAPABILITIES.keys()
        assert not backend.lacks.keys() & backend.remarks.keys()
        assert all([*backend.lacks.values(), *backend.remarks.values()])
        assert backend.takes_numpy == ("array-inputs" not in backend.lacks)
        assert backend.casts_inputs == ("cast-inputs" not in backend.lacks)

    # tensors

    @pytest.mark.parametrize("shape", [(2, 3), (), (0, 3)], ids=str)
    @pytest.mark.parametrize("kind", ["float64", "float32", "int64", "int32", "bool"])
    def test_tensors_keep_numbers_shape_and_dtype(
        self, backend: ub.Backend, kind: str, shape: tuple[int, ...]
    ) -> None:
        array = np.asarray(normal(*shape) * 5).astype(kind)
        tensor = backend.from_numpy(array)
        assert backend.is_tensor(tensor)
        found = backend.to_numpy(tensor)
        assert type(found) is np.ndarray
        assert (found.dtype, found.shape) == (array.dtype, array.shape)
        np.testing.assert_array_equal(found, array)

    def test_from_numpy_copies(self, backend: ub.Backend) -> None:
        array = np.ones(3)
        tensor = backend.from_numpy(array)
        array[:] = 7
        assert (backend.to_numpy(tensor) == 1).all()

    def test_to_numpy_copies(self, backend: ub.Backend) -> None:
        tensor = backend.from_numpy(np.ones(3))
        backend.to_numpy(tensor)[:] = 7
        assert (backend.to_numpy(tensor) == 1).all()

    def test_what_it_exports_is_its_own_memory(self, backend: ub.Backend) -> None:
        array = normal(4, 3)
        tensor = backend.from_numpy(array)
        try:
            found, again = (seen(backend.exported(tensor, read_only=True)) for _ in range(2))
        except ub.SharingError as error:
            assert str(error)  # noqa: PT017  # it may share nothing, and says why
            return
        np.testing.assert_array_equal(found, array)
        assert found.ctypes.data == again.ctypes.data

    def test_what_it_imports_is_the_same_memory(self, backend: ub.Backend) -> None:
        memory = np.zeros(4 * 3 + 8)  # frameworks' own arrays begin at multiples of 64 bytes
        array = memory[-memory.ctypes.data % 64 // 8 :][:12].reshape(4, 3)
        array[...] = normal(4, 3)
        try:
            tensor = backend.imported(array, array)
        except ub.SharingError as error:
            assert str(error)  # noqa: PT017  # it may share nothing, and says why
            return
        assert backend.is_tensor(tensor)
        np.testing.assert_array_equal(backend.to_numpy(tensor), array)
        array[:] = 7
        assert (backend.to_numpy(tensor) == 7).all()

    @pytest.mark.parametrize("value", [np.ones(2), 1.0, [1.0], None], ids=repr)
    def test_what_is_no_tensor_is_none(self, backend: ub.Backend, value: Any) -> None:
        assert not backend.is_tensor(value)

    # devices

    def test_everything_is_on_its_device(self, backend: ub.Backend) -> None:
        devices = backend.devices()
        assert devices[0] == "cpu"
        for device in devices:
            tensor = backend.from_numpy(normal(2, 20, dtype="float32"), device)
            assert backend.device_of(tensor) == device
            net = ub.to_device(made_case("chimera", "float32"), device)
            assert {v.device for v in backend.variables(net)} == {device}
            assert backend.device_of(backend.run(net, [tensor])) == device

    def test_an_unknown_device_is_an_error(self, backend: ub.Backend) -> None:
        with pytest.raises(ValueError, match=r"must be one of cpu.*got 'warp:9'"):
            ub.to_device(made_case("MLP", "float32"), "warp:9")

    # variables

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
        assert same(ub.state(ub.load_state(net, numbers)), numbers)

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
            assert same(ub.state(net), before), what

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
        assert same(dict(sorted(ub.state(net).items())), drawn)

    # layers

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
    @pytest.mark.parametrize("shape", [(4, 6), (4, 6, 3)], ids=str)
    @pytest.mark.parametrize("layer", LAYERS)
    @dtypes
    def test_a_layer_is_its_reference(
        self, backend: ub.Backend, layer: str, shape: tuple[int, ...], dtype: str
    ) -> None:
        net, x = made(LAYERS[layer], shape, dtype), normal(*shape, dtype=dtype)
        agree("output", output_of(net, x), reference_output(net, ub.state(net), x), dtype)

    @gradients
    @pytest.mark.capability("layers")
    @pytest.mark.parametrize("layer", LAYERS)
    def test_gradients_of_a_layer_are_its_reference(self, backend: ub.Backend, layer: str) -> None:
        net, x = made(LAYERS[layer], (4, 6)), normal(4, 6)
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

    # blocks

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
        if backend.takes_numpy:
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
        if backend.casts_inputs:
            assert output_of(net, normal(3, 20)).dtype == "float32"
        else:
            with pytest.raises(ub.InputError, match="float32; got float64"):
                net(x)

    def test_tensors_of_other_frameworks_are_an_error(
        self, backend: ub.Backend, request: pytest.FixtureRequest
    ) -> None:
        others = [n for n in plugin.usable_backends(request.config) if n != self.name]
        if not others:
            pytest.skip(f"there is no other backend here than {self.name}")
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
            pytest.skip(f"there is no other backend here than {self.name}")
        for other in others:
            with pytest.raises(ub.ForeignPartError, match=ub.get_backend(other).title):
                ub.MySequential(ub.Dense.on(other)(3))

    # learning

    @gradients
    @cases
    @dtypes
    def test_gradients_are_the_reference(self, backend: ub.Backend, case: Case, dtype: str) -> None:
        expected = expected_gradients_of_case(case.name, dtype)
        gradients_agree(made_case(case.name, dtype), *case.batch(dtype), expected, dtype)

    @gradients
    @pytest.mark.parametrize("loss", ["sum", "mean", "mse", "cross_entropy"])
    def test_a_loss_is_its_definition(self, backend: ub.Backend, loss: str) -> None:
        net, x = made_case("MLP", "float64"), BY_NAME["MLP"].batch("float64")[0]
        output = reference_output(net, ub.state(net), x)
        y: Array | None = {"mse": normal(3, 7), "cross_entropy": np.array([4, 0, 6])}.get(loss)
        logs = output - np.log(np.exp(output).sum(axis=1, keepdims=True))
        expected = {
            "sum": output.sum(),
            "mean": output.mean(),
            "mse": np.mean((output - y) ** 2) if loss == "mse" else 0,
            "cross_entropy": -logs[np.arange(3), [4, 0, 6]].mean(),
        }[loss]
        assert ub.value_and_grad(net, x, y, loss=loss)[0] == pytest.approx(expected, rel=1e-12)
        tensors = [None if a is None else backend.from_numpy(a) for a in (output, y)]
        assert backend.loss_value(loss, *tensors) == pytest.approx(expected, rel=1e-12)

    @gradients
    def test_wrt_chooses_the_gradients(self, backend: ub.Backend) -> None:
        net, x = made_case("MLP", "float64"), BY_NAME["MLP"].batch("float64")[0]
        names = BY_NAME["MLP"].parameters
        for wrt, expected in (("parameters", names), ("inputs", ["x"]), ("both", [*names, "x"])):
            assert list(ub.value_and_grad(net, x, loss="sum", wrt=wrt)[1]) == expected

    @gradients
    @pytest.mark.parametrize(
        "optimizer",
        [ub.SGD(0.1), ub.SGD(0.1, momentum=0.9), ub.Adam(0.01, 0.8, 0.95, 1e-3)],
        ids=repr,
    )
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
    def test_training_goes_on_from_the_state_of_a_trainer(self, backend: ub.Backend) -> None:
        case, optimizer = BY_NAME["MLP"], ub.Adam(0.01)
        x, y = case.batch("float64")
        net = made_case("MLP", "float64")
        trainer = ub.Trainer(net, optimizer, "mse")
        trainer.step(x, y)
        twin = ub.load_state(made_case("MLP", "float64"), ub.state(net))
        following = ub.load_state(ub.Trainer(twin, optimizer, "mse"), ub.state(trainer))
        for each in (trainer, following):
            each.step(x, y)
        assert same(ub.state(net), ub.state(twin))

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

    # copies

    @pytest.mark.capability("cast")
    def test_a_cast_model_has_the_rounded_numbers(self, backend: ub.Backend) -> None:
        net, x = made_case("chimera", "float64"), normal(3, 20, dtype="float32")
        rounded = {name: array.astype("float32") for name, array in ub.state(net).items()}
        net = ub.cast(net, "float32")
        assert same(ub.state(net), rounded)
        agree("output", output_of(net, x), reference_output(net, rounded, x), "float32")

    @pytest.mark.capability("copies")
    @pytest.mark.parametrize("how", ["deepcopy", "pickle"])
    def test_a_copy_is_the_same_and_independent(self, backend: ub.Backend, how: str) -> None:
        net, (x, _) = made_case("chimera", "float64"), BY_NAME["chimera"].batch("float64")
        copied = copy.deepcopy(net) if how == "deepcopy" else pickle.loads(pickle.dumps(net))
        before = ub.state(net)
        assert type(copied) is type(net)
        assert same(ub.state(copied), before)
        np.testing.assert_array_equal(output_of(copied, x), output_of(net, x))
        ub.load_state(copied, {name: np.asarray(array + 1) for name, array in before.items()})
        assert same(ub.state(net), before)

    @pytest.mark.capability("files")
    def test_a_file_gives_the_same_bits(self, backend: ub.Backend, tmp_path: Path) -> None:
        net = made_case("chimera", "float64")
        ub.save(net, tmp_path / "net.safetensors")
        loaded = ub.load(tmp_path / "net.safetensors", self.name)
        assert type(loaded) is type(net)
        assert same(ub.state(loaded), ub.state(net))

    def test_converted_to_every_other_backend_and_back(
        self, backend: ub.Backend, request: pytest.FixtureRequest
    ) -> None:
        others = [n for n in plugin.usable_backends(request.config) if n != self.name]
        if not others:
            pytest.skip(f"there is no other backend here than {self.name}")
        net, (x, _) = made_case("chimera", "float64"), BY_NAME["chimera"].batch("float64")
        for other in others:
            back = ub.convert(ub.convert(net, other, example=x), self.name)
            assert same(ub.state(back), ub.state(net))

    # how they are run

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Called by pytest for each test of a subclass: refuse one without a known name."""
        from unified_blocks.backend.registry import registered_backends

        name, known = getattr(self, "name", None), ", ".join(registered_backends())
        if name not in registered_backends():
            raise pytest.Collector.CollectError(
                f"{type(self).__name__} must set name to that of a registered backend, one of "
                f"{known}; got {name!r}"
            )

    @pytest.fixture
    def backend(self, request: pytest.FixtureRequest) -> Iterator[ub.Backend]:
        """The backend, which is the default one during the test."""
        if self.name not in plugin.backends(request.config):
            pytest.skip(f"{self.name} is not among those that --backend names")
        problem = plugin.problem_of(self.name)
        if problem:
            pytest.skip(problem)
        with ub.use_backend(self.name) as backend:
            plugin.skip_what_it_lacks(request.node, backend)
            yield backend


def made_case(name: str, dtype: str) -> Any:
    case = BY_NAME[name]
    with ub.use_dtype(dtype):
        net = ub.build(case.make(), case.input_shape)
    return ub.initialize(net, case.seed, "torch_default")


def output_of(net: Any, x: Array) -> Array:
    backend = ub.backend_of(net)
    return backend.to_numpy(backend.run(net, [backend.from_numpy(x)]))


def normal(*shape: int, dtype: str = "float64", seed: int = 0) -> Array:
    return np.asarray(np.random.default_rng(seed).normal(size=shape)).astype(dtype)


def same(a: State, b: State) -> bool:
    """Whether two states are equal to the bit, in the order of their names too."""
    return list(a) == list(b) and all(
        (array.shape, array.dtype, array.tobytes())
        == (b[name].shape, b[name].dtype, b[name].tobytes())
        for name, array in a.items()
    )


def agree(what: str, actual: Array, expected: Array, dtype: str) -> None:
    found = deviation(actual, expected, dtype)
    assert found.ok, f"{what}: {found}"


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
    rounded = optimizer.rounded()
    v = m = np.zeros_like(w)
    for t in range(1, steps + 1):
        g = 2 * (x @ w.T - y).T @ x / y.size
        if isinstance(optimizer, ub.SGD):
            v = rounded.momentum * v + g
            w = w - rounded.learning_rate * v
        else:
            b1, b2 = rounded.beta_1, rounded.beta_2
            m = b1 * m + (1 - b1) * g
            v = b2 * v + (1 - b2) * g * g
            rate = rounded.learning_rate * np.sqrt(1 - b2**t) / (1 - b1**t)
            w = w - rate * m / (np.sqrt(v) + rounded.epsilon)
    return w
