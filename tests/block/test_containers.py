"""What a portable block holds, in attributes, lists, tuples and dicts; none of it foreign."""

import copy
from collections import Counter, OrderedDict, defaultdict, deque
from typing import NamedTuple

import pytest

import unified_blocks as ub
from testbed.common import layer, native_base, normal, run
from testbed.portable import NAMES, Nested
from unified_blocks import ops

X = normal(3, 6)


class Empty(ub.Block):
    def forward(self, X):
        return X


def dense():
    return ub.Dense(3, in_units=3)


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

    net = Replacing()
    assert list(ub.state(net)) == ["other.0.weight", "other.0.bias"]
    assert len(parameters(backend_name, net)) == 2  # the framework's own tools see no more


def parameters(backend_name, net):
    """What the framework's own tools train."""
    if backend_name == "mxnet":
        return list(net.collect_params().values())
    return list(net.parameters()) if backend_name == "torch" else net.trainable_weights


def test_a_layer_that_is_replaced_is_forgotten_unless_it_is_held_elsewhere(backend_name):
    class Replacing(Empty):
        def __init__(self):
            super().__init__()
            self.kept = self.first = ub.Dense(4, in_units=4)
            self.second = ub.Dense(3, in_units=3)
            self.first = self.second = ub.Dense(2, in_units=2)

    net = Replacing()
    assert {len(array) for array in ub.state(net).values()} == {4, 2}
    assert sorted(p.shape[0] for p in parameters(backend_name, net)) == [2, 2, 4, 4]


@pytest.mark.capability("forget-deleted")
def test_a_layer_that_is_deleted_is_forgotten(backend_name):
    net = ub.build(Nested(6), X.shape)
    net.blocks.clear()
    del net.pair
    assert [name for name in ub.state(net) if name.endswith("bias")] == [
        *("named.a.0.bias", "named.b.bias")
    ]
    assert len(parameters(backend_name, net)) == 4


CHANGES = {
    "append": lambda blocks, new: blocks.append(new),
    "insert": lambda blocks, new: blocks.insert(0, new),
    "extend": lambda blocks, new: blocks.extend([new]),
    "set": lambda blocks, new: blocks.__setitem__(0, new),
    "set a slice": lambda blocks, new: blocks.__setitem__(slice(0, 2), [new]),
    "pop": lambda blocks, new: blocks.pop(),
    "remove": lambda blocks, new: blocks.remove(blocks[0]),
    "delete": lambda blocks, new: blocks.__delitem__(0),
    "clear": lambda blocks, new: blocks.clear(),
    "reverse": lambda blocks, new: blocks.reverse(),
    "multiply": lambda blocks, new: blocks.__imul__(0),
    "sort": lambda blocks, new: blocks.sort(key=id),
}


@pytest.mark.parametrize("how", CHANGES)
def test_the_framework_sees_each_change_of_a_list(backend_name, how):
    net = Empty()
    net.blocks = [ub.Dense(units, in_units=units) for units in (2, 3)]
    CHANGES[how](net.blocks, ub.Dense(4, in_units=4))
    wanted = [size for block in net.blocks for size in 2 * [len(ub.state(block)["bias"])]]
    assert [len(array) for array in ub.state(net).values()] == wanted
    assert sorted(p.shape[0] for p in parameters(backend_name, net)) == sorted(wanted)


def test_changes_after_the_first_call(backend_name):
    net = ub.build(Nested(6), X.shape)
    net.blocks.pop()
    assert "blocks.1.weight" not in ub.state(net)
    if backend_name != "tensorflow":
        net.blocks.append(ub.Dense(6, in_units=6))
        assert "blocks.1.weight" in ub.state(net)
        return
    for change in (
        lambda: net.blocks.append(ub.Dense(6, in_units=6)),
        lambda: net.named["a"].append(ub.Dense(6, in_units=6)),
        lambda: setattr(net, "pair", ub.Dense(6, in_units=6)),
    ):
        with pytest.raises(ub.BlockBuiltError, match=r"Nested: .*before the first call"):
            change()
    assert "blocks.1.weight" not in ub.state(net)
    assert len(net.blocks) == len(net.named["a"]) == 1


class Pair(NamedTuple):
    first: object
    second: object


def test_kinds_of_containers_stay_what_they_are(backend_name):
    class Kinds(Empty):
        def __init__(self):
            super().__init__()
            self.ordered = OrderedDict(b=dense(), a=dense())
            self.ordered.move_to_end("b")
            self.ordered["c"] = dense()
            self.pair = Pair(dense(), [])
            self.pair.second.append(dense())
            self.counts = Counter("abc")
            self.sizes = {1, 2}

    for net in (Kinds(), copy.deepcopy(Kinds())):
        assert [name for name in ub.state(net) if name.endswith("bias")] == [
            *("ordered.a.bias", "ordered.b.bias", "ordered.c.bias"),
            *("pair.0.bias", "pair.1.0.bias"),
        ]
        assert isinstance(net.ordered, OrderedDict)
        assert list(net.ordered) == ["a", "b", "c"]
        assert isinstance(net.pair, Pair)
        assert (net.pair.first, net.pair.second) == tuple(net.pair)
        assert (type(net.counts), type(net.sizes)) == (Counter, set)
        net.ordered.popitem(last=False)
        assert "ordered.a.bias" not in ub.state(net)


class Mine(list):
    pass


UNTRACKABLE = {
    "defaultdict": lambda: defaultdict(list, a=[dense()]),
    "set": lambda: {dense()},
    "deque": lambda: deque([dense()]),
    "Mine": lambda: Mine([dense()]),
    "inside": lambda: {"a": Mine([dense()])},
}


@pytest.mark.parametrize("kind", UNTRACKABLE)
def test_blocks_in_a_container_of_another_kind_are_an_error(backend_name, kind):
    with pytest.raises(TypeError, match="blocks must be in a list, tuple, dict or OrderedDict"):
        Empty().extra = UNTRACKABLE[kind]()


@pytest.mark.parametrize(
    ("keys", "named"), [([1, "1", 2], "1 and '1'"), (["a.b"], r"'a\.b'"), ([""], "''")]
)
def test_keys_that_make_no_names_are_an_error(backend_name, keys, named):
    with pytest.raises(ValueError, match=f"without dots; got extra with {named}: use other keys"):
        Empty().extra = {key: dense() for key in keys}
    net = Empty()
    net.extra = dict.fromkeys(keys, 3)  # no blocks, no names
    assert list(net.extra) == keys


LOST = {
    "list": (list, lambda blocks: blocks.append(dense())),
    "inner": (lambda: [[]], lambda blocks: blocks[0].append(dense())),
    "dict": (dict, lambda blocks: blocks.update(a=dense())),
}


@pytest.mark.parametrize("how", LOST)
def test_a_layer_put_into_the_list_that_was_assigned_is_never_lost(backend_name, how):
    make, change = LOST[how]

    class Aliased(Empty):
        def __init__(self):
            super().__init__()
            blocks = make()
            self.blocks = blocks
            change(blocks)

    with pytest.raises(TypeError, match=r"Aliased: .*assigned to blocks: change self\.blocks"):
        Aliased()


def test_a_layer_put_into_a_container_of_another_kind_later_is_never_lost(backend_name):
    class Towers(Empty):
        def __init__(self):
            super().__init__()
            self.towers = defaultdict(list)
            self.towers["a"].append(dense())

    with pytest.raises(TypeError, match="got towers, a defaultdict"):
        Towers()


def test_a_list_that_was_assigned_may_change_as_the_attribute_does(backend_name):
    class Aliased(Empty):
        def __init__(self):
            super().__init__()
            blocks = [dense(), dense()]
            self.blocks = blocks
            self.blocks.pop()
            blocks.clear()
            self.last = dense()
            blocks.append(self.last)

    assert len(ub.state(Aliased())) == 4
    assert Aliased()._origin.assigned is None


def test_a_change_that_fails_changes_nothing(backend_name):
    def some():
        yield dense()
        raise RuntimeError("no more")

    net = Empty()
    net.blocks = [dense()]
    with pytest.raises(RuntimeError, match="no more"):
        net.blocks.extend(some())
    assert len(net.blocks) == 1
    assert len(ub.state(net)) == 2


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


HIDING = {
    "dict": lambda part: {"a": [part]},
    "list": lambda part: [part],
    "tuple": lambda part: (part,),
    "set": lambda part: {part},
    "deque": lambda part: deque([[part]]),
}


@pytest.mark.parametrize("kind", HIDING)
def test_check_finds_layers_hidden_in_a_container(backend_name, kind):
    base = native_base(backend_name)

    def init(self):
        base.__init__(self)
        self.towers = HIDING[kind](layer(backend_name, 2))

    Hiding = type("Hiding", (base,), {"__init__": init})
    problems = ub.check(Hiding())
    if backend_name == "tensorflow":
        assert problems == []  # Keras finds them
        return
    assert len(problems) == 1
    assert f"towers is a {kind} that holds 1 of the model's layers" in problems[0]
    assert {"torch": "nn.ModuleList", "mxnet": "register_child"}[backend_name] in problems[0]
