"""A block is written once, and is a native object of whichever backend is active."""

import copy
import inspect
import os
import pickle
import subprocess
import sys

import numpy as np
import pytest

import unified_blocks as ub
from testbed.common import native_base, normal, run
from testbed.portable import BLOCKS, Doubled, Residual, Twice, made
from testbed.where import TESTBED
from unified_blocks.equivalence.matrix.cases import CASES

X = normal(3, 6)


# what it is


@pytest.mark.parametrize("name", BLOCKS)
def test_it_is_native_and_itself(backend_name, name):
    net = BLOCKS[name](6)
    assert isinstance(net, native_base(backend_name))
    assert isinstance(net, type(net)._native.block)


def test_the_native_class_has_the_author_s_names(backend_name):
    native = Residual.on(backend_name)
    assert native is Residual.on(backend_name)
    assert (native.__name__, native.__module__) == ("Residual", "testbed.portable")
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


class Typed(ub.Block):
    def __init__(self, units, dtype=None, shift=1.5):
        super().__init__()
        self.dense = ub.Dense(units)
        self.shift = ub.Constant(shift)

    def forward(self, X):
        return self.dense(X) + self.shift


TYPED = {
    "by keyword": lambda: Typed(6, dtype="float64"),
    "by position": lambda: Typed(6, "float64"),
    "by position, and more": lambda: Typed(6, "float64", 2.5),
    "as NumPy's": lambda: Typed(6, np.float64, shift=2.5),
}


@pytest.mark.parametrize("how", TYPED)
def test_a_dtype_that_is_given_holds_for_all_it_makes(backend_name, how):
    net = ub.build(TYPED[how](), (2, 6))
    assert {array.dtype for array in ub.state(net).values()} == {np.dtype("float64")}
    assert ub.state(net)["shift"] == (2.5 if "more" in how or "NumPy" in how else 1.5)
    cast = copy.deepcopy(ub.cast(net, "float32"))
    assert {array.dtype for array in ub.state(cast).values()} == {np.dtype("float32")}


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
        arguments = native._origin.arguments
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
    script = [
        sys.executable,
        "-W",
        "ignore",
        TESTBED / "reopen_portable.py",
        backend_name,
        tmp_path,
    ]
    done = subprocess.run(script, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    files = len(list(tmp_path.glob("*.pickle"))) + len(list(tmp_path.glob("*.keras")))
    assert done.stdout.split()[-1] == str(files)


def test_of_a_subclass_with_a_hand_written_parent(backend_name):
    net = made("Doubled")
    plain = ub.load_state(ub.MLP(7, 6), ub.state(net))
    np.testing.assert_array_equal(run(net, X), 2 * run(plain, X))
    assert isinstance(net, Doubled)
    assert isinstance(net, ub.MLP.on(backend_name))


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
