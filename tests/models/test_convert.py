"""A block on another framework, with its numbers."""

from types import SimpleNamespace

import numpy as np
import pytest

import unified_blocks as ub
from testbed.common import layer, make, normal, run
from testbed.gallery import GALLERY
from testbed.portable import Nested, Random
from unified_blocks import ops

CHAIN = ("torch", "tensorflow", "mxnet", "torch")


def chain_from(backend_name):
    """The other installed frameworks, and back."""
    others = [name for name in CHAIN[:-1] if name in ub.available_backends()]
    start = others.index(backend_name)
    return [*others[start + 1 :], *others[: start + 1]]


def check_chain(net, x, how):
    before = ub.state(net)
    expected = ub.to_numpy(ub.backend_of(net).run(net, [ub.from_numpy(x, ub.backend_of(net).name)]))
    for name in chain_from(ub.backend_of(net).name):
        net = how(net, name)
        assert ub.backend_of(net).name == name
        found = ub.to_numpy(ub.backend_of(net).run(net, [ub.from_numpy(x, name)]))
        rtol, atol = (1e-9, 1e-10) if x.dtype == "float64" else (1e-4, 1e-5)
        np.testing.assert_allclose(found, expected, rtol=rtol, atol=atol)
    assert ub.diff_state(before, net).equal


def by_convert(net, name):
    return ub.convert(net, name)


def by_file(tmp_path):
    def move(net, name):
        path = tmp_path / f"{name}.safetensors"
        ub.save(net, path)
        return ub.load(path, name)

    return move


def test_a_chain_of_files_gives_the_same_bits(backend_name, case, dtype, tmp_path):
    check_chain(make(case, dtype), case.batch(dtype)[0], by_file(tmp_path))


@pytest.mark.parametrize("example", GALLERY, ids=lambda example: example.block)
def test_a_chain_of_files_of_the_gallery_gives_the_same_bits(
    backend_name, example, dtype, tmp_path
):
    with ub.use_dtype(dtype):
        net = ub.build(example.make(backend_name), example.shape)
    ub.initialize(net, 5, "torch_default")
    check_chain(net, example.batch(dtype)[0], by_file(tmp_path))


@pytest.mark.parametrize("cls", [Nested, Random])
def test_portable_blocks_with_containers_and_constants(backend_name, cls, tmp_path):
    net = ub.initialize(ub.build(cls(6), (3, 6)), 1, "torch_default")
    check_chain(net, normal(3, 6), by_convert)
    check_chain(net, normal(3, 6), by_file(tmp_path))


@pytest.mark.parametrize("other", ub.available_backends())
def test_shared_blocks_stay_shared(backend_name, other, tmp_path):
    one = ub.Dense(4)
    net = ub.build(ub.MySequential(one, ub.ReLU(), one, ub.repeat(lambda: ub.Dense(4), 2)), (2, 4))
    ub.save(net, tmp_path / "net.safetensors")
    for made in (ub.convert(net, other), ub.load(tmp_path / "net.safetensors", other)):
        assert made[0] is made[2]
        assert list(ub.state(made)) == list(ub.state(net))


@pytest.mark.parametrize("other", ub.available_backends())
def test_frozen_parameters_stay_frozen(backend_name, other, tmp_path):
    net = ub.build(ub.MLP(5, 3), (2, 4))
    for variable in ub.backend_of(net).variables(net):
        if variable.name.startswith("hidden"):
            variable.freeze()
    ub.save(net, tmp_path / "net.safetensors")
    for made in (ub.convert(net, other), ub.load(tmp_path / "net.safetensors", other)):
        trainable = {v.name: v.trainable for v in ub.backend_of(made).variables(made)}
        assert [name for name, is_so in trainable.items() if not is_so] == [
            "hidden.weight",
            "hidden.bias",
        ]
        before = ub.state(made)
        ub.Trainer(made, ub.SGD(0.5), "sum").step(normal(2, 4))
        changed = [row.name for row in ub.diff_state(before, made).rows if not row.equal]
        assert changed == ["out.weight", "out.bias"]


def test_the_outputs_are_compared_on_an_example(backend_name):
    net = ub.initialize(ub.build(ub.MLP(5, 3), (2, 4)), 1)
    x = normal(2, 4)
    made, deviation = ub.convert(net, backend_name, x, return_deviation=True)
    assert deviation.ok
    assert ub.diff_state(net, made).equal
    tensor = ub.from_numpy(x, backend_name)
    assert ub.convert(net, backend_name, tensor, return_deviation=True)[1] == deviation
    assert ub.convert(net, backend_name, return_deviation=True)[1] is None
    assert ub.convert(net, backend_name, x, verify=False, return_deviation=True)[1] is None


CALLS = []


class Fickle(ub.Block):
    """Computes something else in every instance."""

    def __init__(self, units):
        super().__init__()
        CALLS.append(1)
        self.dense = ub.Dense(units)
        self.factor = float(len(CALLS))

    def forward(self, X):
        return ops.tanh(self.dense(X)) * self.factor


def test_outputs_that_differ_are_an_error_that_tells_how_far(backend_name):
    net = ub.initialize(ub.build(Fickle(3), (2, 4)), 1)
    with pytest.raises(ub.NotEquivalentError, match="must give the same output") as raised:
        ub.convert(net, backend_name, normal(2, 4))
    assert raised.value.deviation.share > 1
    ub.convert(net, backend_name, normal(2, 4), verify=False)


def test_what_cannot_be_made_again_is_an_error(backend_name):
    with pytest.raises(ub.UnsupportedError, match="must be a block of this library"):
        ub.convert(layer(backend_name, 3), backend_name)
    net = ub.build(ub.MySequential(layer(backend_name, 3)), (2, 4))
    for other in ub.available_backends():  # its own too: the part would be shared
        with pytest.raises(ub.UnsupportedError, match="blocks of this library, plain values"):
            ub.convert(net, other)
    with pytest.raises(ub.NotBuiltError):
        ub.convert(ub.MLP(5, 3), backend_name)
    with pytest.raises(ub.UnknownBackendError):
        ub.convert(net, "jax")


class Growing(ub.Block):
    """Its parts may be changed after it was made."""

    def __init__(self):
        super().__init__()
        self.body = ub.MySequential(ub.Dense(4))
        self.activation = ub.Activation("relu")
        self.more = []

    def forward(self, X):
        return self.activation(self.body(X))


CHANGES = {
    "a block added inside": lambda net: net.body.add(ub.Dense(4)),
    "one without parameters": lambda net: net.body.add(ub.Tanh()),
    "another in its place": lambda net: setattr(net, "activation", ub.Activation("tanh")),
    "a block in a list": lambda net: net.more.append(ub.Tanh()),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_block_that_was_changed_by_hand_is_an_error(backend_name, change, tmp_path):
    net = Growing()
    CHANGES[change](net)
    ub.build(net, (2, 4))
    for move in (
        lambda: ub.convert(net, backend_name),
        lambda: ub.save(net, tmp_path / "net.safetensors"),
    ):
        with pytest.raises(ub.StateMismatchError, match="must hold what its constructor made"):
            move()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("change", CHANGES)
def test_keras_copies_no_block_that_was_changed_by_hand(backend_name, change):
    if backend_name != "tensorflow":
        pytest.skip(f"{backend_name} copies blocks as they are")
    net = Growing()
    CHANGES[change](net)
    ub.build(net, (2, 4))
    for copied in (lambda: ub.to_device(net, "cpu"), net.get_config):
        with pytest.raises(ub.StateMismatchError, match="must hold what its constructor made"):
            copied()


def test_a_container_knows_what_was_added_to_it(backend_name, tmp_path):
    net = ub.MySequential(ub.MySequential(ub.Dense(4))).add(ub.Tanh())
    net[0].add(ub.Dense(4))
    ub.initialize(ub.build(net, (2, 4)), 1)
    ub.save(net, tmp_path / "net.safetensors")
    for made in (ub.convert(net, backend_name), ub.load(tmp_path / "net.safetensors")):
        np.testing.assert_array_equal(run(made, normal(2, 4)), run(net, normal(2, 4)))


class Configured(ub.Block):
    """Is made with lists, dicts and arrays, and changes them."""

    def __init__(self, options, sizes, vector):
        super().__init__()
        self.dense = ub.Dense(sizes.pop(0))
        self.scale = float(options.pop("scale"))
        self.shift = float(vector[0])
        vector += 1

    def forward(self, X):
        return self.dense(X) * self.scale + self.shift


def test_arguments_are_recorded_as_they_were(backend_name, tmp_path):
    options, sizes, vector = {"scale": 2}, [3], np.ones(3)
    net = Configured(options, sizes, vector)
    options["scale"], vector[:] = 7, 9
    sizes.append(5)
    ub.build(net, (2, 4))
    for _ in range(2):
        made = ub.convert(net, backend_name)
        np.testing.assert_array_equal(run(made, normal(2, 4)), run(net, normal(2, 4)))


class Holder(ub.Block):
    """Is given a block in something that is no list, tuple or dict."""

    def __init__(self, held):
        super().__init__()
        self.dense = held.dense if hasattr(held, "dense") else next(iter(held))

    def forward(self, X):
        return self.dense(X)


def test_blocks_in_other_arguments_are_an_error(backend_name):
    for held in ({ub.Dense(3)}, SimpleNamespace(dense=ub.Dense(3))):
        net = ub.build(Holder(held), (2, 4))
        with pytest.raises(ub.UnsupportedError, match="got an argument of type"):
            ub.convert(net, backend_name)
