"""A block is written once, and is a native object of whichever backend is active."""

import copy
import inspect
import os
import pickle
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

import unified_blocks as ub
from conftest import layer, normal, run
from portable import BLOCKS, NAMES, Doubled, Nested, Residual, Twice
from unified_blocks import ops
from unified_blocks.equivalence.cases import CASES

HERE = Path(__file__).parent
X = normal(3, 6)


def made(name):
    return ub.initialize(ub.build(BLOCKS[name](6), X.shape), 1, "torch_default")


def native_base(backend_name):
    if backend_name == "torch":
        from torch import nn

        return nn.Module
    if backend_name == "tensorflow":
        import keras

        return keras.Model
    from unified_blocks_mxnet.compat import mx

    return mx.gluon.HybridBlock


# what it is


@pytest.mark.parametrize("name", BLOCKS)
def test_it_is_native_and_itself(backend_name, name):
    net = BLOCKS[name](6)
    assert isinstance(net, native_base(backend_name))
    assert isinstance(net, type(net)._portable)


def test_the_native_class_has_the_author_s_names(backend_name):
    native = Residual.on(backend_name)
    assert native is Residual.on(backend_name)
    assert (native.__name__, native.__module__) == ("Residual", "portable")
    assert native.__doc__ == Residual.__doc__
    assert list(inspect.signature(native).parameters) == ["units"]


@pytest.mark.parametrize("name", BLOCKS)
def test_the_same_numbers_on_every_backend(name):
    outputs, states = [], []
    for backend in ub.available_backends():
        with ub.use_backend(backend), ub.use_dtype("float64"):
            net = made(name)
        states.append(ub.state(net))
        x = X.astype("float64")
        outputs.append(
            (run(net, x), *ub.value_and_grad(net, x, loss="sum", wrt="both")[1].values())
        )
    for state, output in zip(states, outputs, strict=True):
        assert list(state) == list(states[0])
        for found, expected in zip(output, outputs[0], strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-10)


def test_inside_its_constructor_its_own_backend_is_the_default(backend_name):
    for other in ub.available_backends():
        with ub.use_backend(other):
            net = Residual.on(backend_name)(6)
            assert ub.get_backend().name == other
        assert ub.backend_of(net.body).name == backend_name


def test_a_dtype_given_by_keyword_holds_for_all_it_makes(backend_name):
    class Typed(ub.Block):
        def __init__(self, *, dtype=None):
            super().__init__()
            self.dense = ub.Dense(6)
            self.shift = ub.Constant(1.5)

        def forward(self, X):
            return self.dense(X) + self.shift

    net = ub.build(Typed(dtype="float64"), (2, 6))
    assert {array.dtype for array in ub.state(net).values()} == {np.dtype("float64")}


def test_super_forward_of_a_portable_parent(backend_name):
    net, parent = made("Twice"), made("Residual")
    ub.load_state(parent, ub.state(net))
    once = run(parent, X)
    np.testing.assert_allclose(run(net, X), run(parent, once), rtol=1e-6)
    assert isinstance(net, Twice)


@pytest.mark.parametrize("case_", CASES[:4], ids=lambda case: case.name)
def test_the_portable_and_the_native_version_agree_exactly(backend_name, dtype, case_):
    cls = getattr(ub, case_.name)
    with ub.use_dtype(dtype):
        native = ub.build(case_.make(), case_.input_shape)
        arguments = native._arguments
        if case_.name == "MySequential":
            arguments = case_.make().current_arguments()
        portable = arguments.make(cls.on(backend_name, portable=True))
        ub.build(portable, case_.input_shape)
    assert type(portable) is not type(native)
    assert list(ub.state(portable)) == list(ub.state(native))
    ub.initialize(native, 3, "torch_default")
    ub.load_state(portable, ub.state(native))
    x, y = case_.batch(dtype)
    assert run(portable, x).tobytes() == run(native, x).tobytes()
    found = ub.value_and_grad(portable, x, y, loss="mse", wrt="both")
    expected = ub.value_and_grad(native, x, y, loss="mse", wrt="both")
    assert found[0] == expected[0]
    for name, gradient in expected[1].items():
        np.testing.assert_array_equal(found[1][name], gradient)
    with pytest.raises(TypeError, match="has no forward"):
        ub.Flatten.on(backend_name, portable=True)


def test_the_portable_version_refuses_what_cannot_be_halved(backend_name):
    net = ub.FixedHiddenMLP.on(backend_name, portable=True)(6)
    ub.load_state(net, {name: np.ones_like(array) for name, array in ub.state(net).items()})
    with pytest.raises(ValueError, match="must be finite"):
        net(ub.from_numpy(np.full((2, 6), 1e38, "float32")))


# copies


@pytest.mark.parametrize("how", ["deepcopy", "pickle", "to_device", "cast"])
@pytest.mark.parametrize("name", BLOCKS)
def test_a_copy_is_the_same(backend_name, name, how):
    net = made(name)
    before, expected = ub.state(net), run(net, X)
    copied = {
        "deepcopy": lambda: copy.deepcopy(net),
        "pickle": lambda: pickle.loads(pickle.dumps(net)),
        "to_device": lambda: ub.to_device(net, "cpu"),
        "cast": lambda: ub.cast(ub.cast(net, "float64"), "float32"),
    }[how]()
    assert list(ub.state(copied)) == list(before)
    np.testing.assert_array_equal(run(copied, X), expected)
    roles = [v.role for v in ub.backend_of(net).variables(net)]
    assert [v.role for v in ub.backend_of(copied).variables(copied)] == roles


def test_in_a_fresh_process_under_another_default(backend_name, tmp_path):
    """Pickles everywhere, and `.keras` files without any call of ours before `load_model`."""
    for name in BLOCKS:
        net = made(name)
        (tmp_path / f"{name}.pickle").write_bytes(pickle.dumps((net, run(net, X))))
        if backend_name == "tensorflow":
            net.save(tmp_path / f"{name}.keras")
            np.save(tmp_path / f"{name}.npy", run(net, X))
    other = next((n for n in ub.available_backends() if n != backend_name), backend_name)
    environment = {**os.environ, "UNIFIED_BLOCKS_BACKEND": other}
    script = [sys.executable, "-W", "ignore", HERE / "reopen_portable.py", backend_name, tmp_path]
    done = subprocess.run(script, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    files = len(list(tmp_path.glob("*.pickle"))) + len(list(tmp_path.glob("*.keras")))
    assert done.stdout.split()[-1] == str(files)


# what it holds


def test_blocks_in_lists_tuples_and_dicts_are_registered(backend_name):
    net = ub.build(Nested(6), X.shape)
    names = [f"{name}.{kind}" for name in NAMES for kind in ("weight", "bias")]
    assert sorted(ub.state(net)) == sorted(names)
    assert isinstance(net.pair, tuple)
    assert isinstance(net.blocks, list)
    _, gradients = ub.value_and_grad(net, X, loss="mean")
    assert sorted(gradients) == sorted(names)
    assert ub.check(net) == []


def test_a_list_of_blocks_follows_its_changes(backend_name):
    class Changing(ub.Block):
        def __init__(self):
            super().__init__()
            self.blocks = [ub.Dense(3, in_units=3) for _ in range(3)]
            self.blocks.pop()
            self.blocks.insert(0, ub.Dense(4, in_units=6))
            self.blocks += [ub.Dense(2, in_units=3)]
            del self.blocks[1]
            self.sizes = []
            self.sizes.append(3)

        def forward(self, X):
            return X

    net = Changing()
    shapes = {name: array.shape for name, array in ub.state(net).items() if "weight" in name}
    assert shapes == {
        "blocks.0.weight": (4, 6),
        "blocks.1.weight": (3, 3),
        "blocks.2.weight": (2, 3),
    }
    assert net.sizes == [3]


def test_a_copy_s_list_is_its_own(backend_name):
    if backend_name == "tensorflow":
        pytest.skip("Keras makes a copy from the constructor's arguments")
    net = Nested(6)
    copied = copy.deepcopy(net)
    copied.blocks.append(ub.Dense(6, in_units=6))
    assert "blocks.2.weight" in [v.name for v in ub.backend_of(net).variables(copied)]
    assert "blocks.2.weight" not in [v.name for v in ub.backend_of(net).variables(net)]


PUT = {
    "attribute": lambda net, part: setattr(net, "extra", part),
    "list": lambda net, part: setattr(net, "extra", [[part]]),
    "dict": lambda net, part: setattr(net, "extra", {"a": part}),
    "append": lambda net, part: net.blocks.append(part) or setattr(net, "extra", net.blocks),
    "argument": lambda net, part: ub.MySequential(part),
}


@pytest.mark.parametrize("where", PUT)
def test_a_part_of_another_framework_is_an_error_that_names_both(backend_name, where):
    for other in ub.available_backends():
        if other == backend_name:
            continue
        with ub.use_backend(other):
            part = ub.Dense(3)
        titles = [ub.get_backend(name).title for name in (backend_name, other)]
        message = "must hold parts of {}; got .* of {}".format(*titles)
        net = Nested(6)
        with pytest.raises(ub.ForeignPartError, match=message):
            PUT[where](net, part)
        if backend_name != "tensorflow":
            assert len(net.blocks) == 2  # nothing half-done


def test_a_native_layer_of_another_framework_too(backend_name):
    for other in ub.available_backends():
        if other != backend_name:
            with pytest.raises(ub.ForeignPartError):
                Nested(6).extra = layer(other, 3)


def test_a_tensor_of_another_framework_is_an_error_even_without_layers(backend_name):
    class Plain(ub.Block):
        def forward(self, X):
            return ops.relu(X)

    net = Plain()
    assert run(net, X).shape == X.shape
    for other in ub.available_backends():
        if other != backend_name:
            titles = [ub.get_backend(name).title for name in (backend_name, other)]
            message = r"on {} must be given tensors of .*; got a tensor of {}".format(*titles)
            with pytest.raises(ub.ForeignTensorError, match=message):
                net(ub.from_numpy(X, other))


def test_a_list_that_is_replaced_is_forgotten(backend_name):
    class Replacing(ub.Block):
        def __init__(self):
            super().__init__()
            self.blocks = [ub.Dense(3, in_units=3)]
            self.other = {"a": ub.Dense(3, in_units=3)}
            self.blocks = None
            self.other = (ub.Dense(2, in_units=2),)

        def forward(self, X):
            return X

    if backend_name == "tensorflow":
        pytest.skip("Keras keeps the variables of every layer that was ever assigned")
    assert list(ub.state(Replacing())) == ["other.0.weight", "other.0.bias"]


RESERVED = {"torch": "children", "tensorflow": "layers", "mxnet": "params"}


@pytest.mark.parametrize(
    "make", [lambda: ub.Dense(3), lambda: [ub.Dense(3)], lambda: ub.Constant(1)]
)
def test_a_name_of_the_framework_s_own_is_an_error(backend_name, make):
    name = RESERVED[backend_name]
    with pytest.raises(AttributeError, match=f"does not use itself; got '{name}'"):
        setattr(Nested(6), name, make())


# constants


def test_a_constant_is_assigned_once(backend_name):
    class Again(ub.Block):
        def __init__(self):
            super().__init__()
            self.scale = ub.Constant(1.0)
            self.scale = ub.Constant(2.0)

        def forward(self, X):
            return X

    with pytest.raises(AttributeError, match="assigned once; got another for scale"):
        Again()


def test_constants_are_state_and_not_parameters(backend_name):
    net = made("Random")
    roles = {v.name: v.role for v in ub.backend_of(net).variables(net)}
    constants = {"uniform", "normal", "given"}
    assert {name for name, role in roles.items() if role == "constant"} == constants
    _, gradients = ub.value_and_grad(net, X, loss="sum")
    assert not constants & gradients.keys()
    before = ub.state(net)
    ub.fit(net, X, normal(3, 6), loss="mse", optimizer=ub.SGD(0.5), epochs=3, progress=False)
    after = ub.state(net)
    for name in before:
        assert np.array_equal(before[name], after[name]) == (name in constants), name


def test_only_random_constants_are_drawn_anew(backend_name):
    net = made("Random")
    first = ub.state(net)
    again = ub.state(ub.initialize(net, 2))
    assert (again["given"] == first["given"]).all()
    for name in ("uniform", "normal"):
        assert (again[name] != first[name]).any()
    assert (again["uniform"] >= 0).all()
    assert (again["normal"] < 0).any() or (first["normal"] < 0).any()


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: ub.Constant(), TypeError, "a value or a shape; got neither"),
        (lambda: ub.Constant(1.0, shape=(2,)), TypeError, "a value or a shape; got both"),
        (lambda: ub.Constant(shape=(2,), initializer="no"), ValueError, "initializer must be one"),
    ],
)
def test_wrong_constants(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_a_constant_in_a_list_is_an_error(backend_name):
    with pytest.raises(TypeError, match=r"an attribute of its own; got it as extra\.0"):
        Nested(6).extra = [ub.Constant(1.0)]


# written by hand


def test_a_native_version_takes_the_place_of_the_portable_one(backend_name):
    class Plus(ub.Block):
        def __init__(self):
            super().__init__()
            self.dense = ub.Dense(6, in_units=6)

        def forward(self, X):
            return self.dense(X) + 1

    class Deep(Plus):
        def forward(self, X):
            return super().forward(X) * 10

    portable = Plus.on(backend_name)
    x = ub.from_numpy(X)
    before = Deep()
    calls = []
    method = {"torch": "forward", "tensorflow": "call", "mxnet": "hybrid_forward"}[backend_name]

    def hand_tuned(self, *args):
        calls.append(1)
        return self.dense(args[-1]) + 1

    written = type("Fast", (Plus, native_base(backend_name)), {method: hand_tuned})
    assert Plus.native(backend_name)(written) is written
    assert Plus.on(backend_name) is written
    assert Plus.on(backend_name, portable=True) is not written
    assert type(Plus()) is written
    assert Deep.on(backend_name) is not type(before)
    net = ub.load_state(Deep(), ub.state(before))
    assert isinstance(net, written)
    np.testing.assert_array_equal(ub.to_numpy(net(x)), ub.to_numpy(before(x)))
    assert calls
    assert issubclass(portable, Plus)
    for bases in ((ub.Block,), (Plus,), (native_base(backend_name),)):
        with pytest.raises(TypeError, match="must extend Plus first, and then a class of"):
            Plus.native(backend_name)(type("Wrong", bases, {}))


# exercises


def test_parallel(backend_name):
    net = ub.Parallel(ub.Dense(3), ub.NestMLP(), ub.Dense(2), axis=-1)
    ub.initialize(ub.build(net, X.shape), 1, "torch_default")
    assert {name.split(".")[0] for name in ub.state(net)} == {"0", "1", "2"}
    parts = [run(block, X) for block in net.branches()]
    np.testing.assert_array_equal(run(net, X), np.concatenate(parts, axis=-1))
    np.testing.assert_allclose(run(net, X), net.reference(ub.state(net), X), rtol=1e-5, atol=1e-6)
    copied = copy.deepcopy(net)
    np.testing.assert_array_equal(run(copied, X), run(net, X))
    assert run(ub.Parallel(ub.Dense(4), ub.Dense(4), axis=0), X).shape == (6, 4)
    with pytest.raises(TypeError, match="at least one block; got none"):
        ub.Parallel()


def test_repeat_shares_nothing(backend_name):
    net = ub.repeat(lambda: ub.MySequential(ub.Dense(6), ub.ReLU()), 3)
    ub.initialize(ub.build(net, X.shape), 1)
    assert len(net) == 3
    assert len(ub.state(net)) == 6
    weights = [array for name, array in ub.state(net).items() if "weight" in name]
    assert all((a != b).any() for a, b in pairwise(weights))
    state = ub.state(net)
    state["0.0.weight"] = state["0.0.weight"] + 1
    ub.load_state(net, state)
    assert (ub.state(net)["1.0.weight"] == state["1.0.weight"]).all()
    assert len(ub.repeat(lambda: ub.ReLU(), 0)) == 0
    with pytest.raises(ValueError, match="n must be at least 0"):
        ub.repeat(ub.ReLU, -1)
    shared = ub.Dense(6)
    with pytest.raises(TypeError, match="must make a new block at each call"):
        ub.repeat(lambda: shared, 2)


def test_the_same_instance_twice_has_one_set_of_parameters(backend_name):
    class Shared(ub.Block):
        def __init__(self):
            super().__init__()
            self.first = ub.Dense(6)
            self.rest = [self.first, ub.ReLU(), self.first]

        def forward(self, X):
            X = self.first(X)
            for block in self.rest:
                X = block(X)
            return X

    net = ub.build(Shared(), X.shape)
    assert list(ub.state(net)) == ["first.weight", "first.bias"]
    assert list(ub.value_and_grad(net, X, loss="sum")[1]) == ["first.weight", "first.bias"]


def test_check_finds_layers_hidden_in_a_list(backend_name):
    base = native_base(backend_name)

    def init(self):
        base.__init__(self)
        self.towers = {"a": [layer(backend_name, 2)]}

    Hiding = type("Hiding", (base,), {"__init__": init})
    problems = ub.check(Hiding())
    if backend_name == "tensorflow":
        assert problems == []  # Keras finds them
        return
    assert len(problems) == 1
    assert "towers is a dict that holds 1 of the model's layers" in problems[0]
    assert {"torch": "nn.ModuleList", "mxnet": "register_child"}[backend_name] in problems[0]


def test_of_a_subclass_with_a_hand_written_parent(backend_name):
    net = made("Doubled")
    plain = ub.load_state(ub.MLP(7, 6), ub.state(net))
    np.testing.assert_array_equal(run(net, X), 2 * run(plain, X))
    assert isinstance(net, Doubled)
    assert isinstance(net, ub.MLP.on(backend_name))
