"""What a portable block holds, in attributes, lists, tuples and dicts; none of it foreign."""

import copy

import pytest

import unified_blocks as ub
from conftest import layer, native_base, normal, run
from portable import NAMES, Nested
from unified_blocks import ops

X = normal(3, 6)


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
