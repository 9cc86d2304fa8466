"""What PyTorch's tools find and change by name is there: in lists, tuples and dicts too."""

import copy
import gc
import io
import operator
import pickle
import weakref
from collections import OrderedDict
from typing import NamedTuple

import pytest

import unified_blocks as ub

torch = pytest.importorskip("torch", reason="torch is not installed")
from torch import nn

from testbed.torch_twins import Towers, towers


@pytest.fixture(autouse=True)
def on_torch():
    with ub.use_backend("torch"):
        yield


@pytest.fixture
def x():
    return torch.randn(3, 4)


def saved(net):
    file = io.BytesIO()
    torch.save(net, file)
    file.seek(0)
    return torch.load(file, weights_only=False)


COPIES = {
    "itself": lambda net: net,
    "deepcopy": copy.deepcopy,
    "pickle": lambda net: pickle.loads(pickle.dumps(net)),
    "torch.save": saved,
}


@pytest.mark.parametrize("how", COPIES)
def test_every_name_leads_to_what_it_names(how, x):
    ours, by_hand = towers()
    ours(x)
    net, twin = COPIES[how](ours), COPIES[how](by_hand)
    for name, parameter in net.named_parameters():
        assert net.get_parameter(name) is parameter
    for name, module in net.named_modules():
        assert net.get_submodule(name) is module
    assert dict(net.named_modules()).keys() == dict(twin.named_modules()).keys()
    assert list(net.state_dict()) == list(twin.state_dict())
    assert torch.equal(net(x), twin(x))


def test_functional_call_and_vmap_see_the_parameters_as_of_the_twin(x):
    (net, twin), (other, other_twin) = towers(), towers()
    for one, two in ((net, other), (twin, other_twin)):
        parameters, buffers = torch.func.stack_module_state([one, two])

        def call(parameters, buffers, x, one=one):
            return torch.func.functional_call(one, (parameters, buffers), (x,))

        found = torch.vmap(call, in_dims=(0, 0, None))(parameters, buffers, x)
        torch.testing.assert_close(found, torch.stack([one(x), two(x)]))
    zeros = {name: torch.zeros_like(p) for name, p in net.named_parameters()}
    assert not torch.func.functional_call(net, zeros, (x,)).any()


PATHS = ["in_list.0", "in_list.1.0", "in_tuple.0", "in_dict.a", "in_dict.b.c"]
PUT = {
    "set_submodule": lambda net, path, module: net.set_submodule(path, module),
    "setattr": lambda net, path, module: setattr(*parent(net, path), module),
    "_modules": lambda net, path, module: write(*parent(net, path), module),
    "add_module": lambda net, path, module: add(*parent(net, path), module),
}


def parent(net, path):
    *above, name = path.split(".")
    return net.get_submodule(".".join(above)), name


def write(module, name, new):
    module._modules[name] = new


def add(module, name, new):
    module.add_module(name, new)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("how", PUT)
def test_a_tool_puts_another_module_in_the_place_of_one(how, path, x):
    net, twin = towers()
    new = nn.Linear(4, 4)
    held = weakref.ref(net.get_submodule(path))
    for each in (net, twin):
        PUT[how](each, path, new)
        assert each.get_submodule(path) is new
    assert torch.equal(net(x), twin(x))  # the forward reads the list, tuple or dict
    gc.collect()
    assert held() is None


def test_a_tool_wraps_the_modules_while_it_goes_through_them(x):
    net, twin = towers()
    for each in (net, twin):
        for path in ("in_list", "in_tuple", "in_dict"):
            for name, child in each.get_submodule(path).named_children():
                if isinstance(child, nn.Linear):
                    setattr(each.get_submodule(path), name, nn.Sequential(child))
    assert list(net.state_dict()) == list(twin.state_dict())
    assert torch.equal(net(x), twin(x))


class Pair(NamedTuple):
    first: object
    second: object

    def both(self):
        return [self.first, *self.second]


class Kinds(ub.Block):
    def __init__(self):
        super().__init__()
        self.blocks = [ub.Dense(4, in_units=4), None, "name"]
        self.pair = Pair(ub.Dense(4, in_units=4), [])
        self.by_key = {1: ub.Dense(4, in_units=4), "units": 4}
        self.ordered = OrderedDict(b=ub.ReLU(), a=ub.Tanh())
        self.sizes = [1, 2]
        self.plain = (1, "a")

    def forward(self, X):
        for block in self.pair.both():
            X = block(X)
        return self.ordered["a"](self.by_key[1](self.blocks[0](X))) * self.by_key["units"]


def test_a_container_is_what_it_was():
    net = Kinds()
    first = net.blocks[0]
    assert isinstance(net.blocks, list)
    assert net.blocks == [first, None, "name"] == list(net.blocks)
    assert operator.add([0], net.blocks) == [0, *net.blocks]
    assert operator.add(net.blocks, [0]) == [*net.blocks, 0]
    assert net.blocks[1:] == [None, "name"]
    assert (type(net.blocks[1:]), type(net.blocks.copy())) == (list, list)
    assert (len(net.blocks), net.blocks.index("name"), first in net.blocks) == (3, 2, True)
    assert next(reversed(net.blocks)) == "name"
    assert isinstance(net.pair, Pair)
    assert net.pair == Pair(net.pair.first, [])
    assert type(net.pair._replace(first=1)) is Pair
    assert isinstance(net.by_key, dict)
    assert net.by_key == {1: net.by_key[1], "units": 4} == dict(net.by_key)
    assert {**net.by_key} == ({} | net.by_key) == net.by_key.copy()
    assert (net.by_key.get("units"), net.by_key.get("x", 7), 1 in net.by_key) == (4, 7, True)
    assert isinstance(net.ordered, OrderedDict)
    assert list(net.ordered) == list(net.ordered.keys()) == ["b", "a"]
    assert not isinstance(net.sizes, nn.Module)
    assert type(net.plain) is tuple


def test_a_container_changes_as_it_did(x):
    net = Kinds()
    blocks, second = net.blocks, net.pair.second
    blocks[0] = nn.Linear(4, 4)
    blocks += [nn.Linear(4, 4)]
    second.append(nn.Linear(4, 4))
    second.append(nn.Linear(4, 4))  # the list that became a module is the same list
    net.ordered.move_to_end("b")
    net.by_key["new"] = nn.Linear(4, 4)
    net.sizes.append(ub.Dense(4, in_units=4))
    assert net.blocks is blocks
    assert [name for name, _ in net.named_parameters() if name.endswith("weight")] == [
        *("blocks.0.weight", "blocks.3.weight", "pair.0.weight", "pair.1.0.weight"),
        *("pair.1.1.weight", "by_key.1.weight", "by_key.new.weight", "sizes.2.weight"),
    ]
    del net.blocks[0], net.by_key["new"]
    net.sizes.clear()
    net.pair.second.pop()
    assert len(list(net.parameters())) == 8
    for name, module in net.named_modules():
        assert net.get_submodule(name) is module
    with pytest.raises(TypeError):
        net.pair[0] = nn.Linear(4, 4)
    torch.compiler.reset()
    net.blocks.insert(0, nn.Linear(4, 4))
    compiled = torch.compile(net, backend="eager", fullgraph=True)
    torch.testing.assert_close(compiled(x), net(x))


@pytest.mark.parametrize("name", ["keys", "training", "forward"])
def test_a_key_that_is_a_name_of_the_module_s_own_is_an_error(name):
    """As of `nn.ModuleDict`: it could not be found by that name."""
    with pytest.raises(KeyError):
        nn.ModuleDict({name: nn.ReLU()})
    net = Kinds()
    with pytest.raises(AttributeError, match=f"dict and nn.Module do not use .*; got '{name}'"):
        net.ordered = {name: ub.ReLU()}
    with pytest.raises(AttributeError, match=f"got '{name}' in by_key"):
        net.by_key[name] = ub.ReLU()
    assert list(net.by_key) == [1, "units"]
    net.sizes = {name: 3}  # no module, no name


class Counted(NamedTuple):
    count: object
    index: object


class Mode(NamedTuple):
    training: object


def test_a_field_of_a_named_tuple_has_a_name_that_no_module_uses():
    net = Kinds()
    net.pair = Counted(ub.ReLU(), 3)
    assert (net.pair.count, net.pair.index) == (net.pair[0], 3)
    with pytest.raises(AttributeError, match=r"Mode and nn\.Module .*; got 'training' in pair"):
        net.pair = Mode(ub.ReLU())
    net.pair = Mode(3)
    assert type(net.pair) is Mode


@pytest.mark.parametrize("extended", [False, True])
def test_a_class_written_by_hand_holds_them_as_a_portable_one(extended, x):
    class Portable(ub.Block):
        def __init__(self):
            super().__init__()
            self.blocks = (ub.Dense(4, in_units=4), [ub.Dense(4, in_units=4)])

        def forward(self, X):
            return self.blocks[1][0](self.blocks[0](X))

    @Portable.native("torch")
    class ByHand(Portable, nn.Module):
        def __init__(self):
            nn.Module.__init__(self)
            self.blocks = (nn.Linear(4, 4), [nn.Linear(4, 4)])

        def forward(self, X):
            return self.blocks[1][0](self.blocks[0](X))

    class Deep(Portable):
        def forward(self, X):
            return super().forward(X)

    net = (Deep if extended else Portable)()
    assert isinstance(net, ByHand)
    for name, parameter in net.named_parameters():
        assert net.get_parameter(name) is parameter
    net.set_submodule("blocks.1.0", nn.Identity())
    assert torch.equal(net(x), net.blocks[0](x))


def test_replicas_hold_their_own_modules_as_those_of_the_twin_do(x):
    for each in towers():
        expected = each(x)
        copies = {module: module._replicate_for_data_parallel() for module in each.modules()}
        for module, replica in copies.items():
            for name, parameter in module._parameters.items():
                setattr(replica, name, None if parameter is None else parameter * 0)
            for name, child in module._modules.items():
                setattr(replica, name, copies[child])  # as DataParallel does
        replica = copies[each]
        assert not replica(x).any()
        assert torch.equal(each(x), expected)
    assert type(replica) is type(each)


def test_a_lazy_layer_is_replicated_once_it_is_built():
    net = ub.MySequential(ub.Dense(3), ub.LayerNorm(), ub.BatchNorm())
    with pytest.raises(RuntimeError, match="uninitialized parameters"):
        net[0]._replicate_for_data_parallel()
    ub.build(net, (2, 4))
    for layer in net:
        assert type(layer._replicate_for_data_parallel()) is type(layer)


def test_parametrizations_of_layers_in_containers(x):
    net, twin = towers()
    for each in (net, twin):
        for path in ("in_list.0", "in_tuple.0"):
            nn.utils.parametrizations.weight_norm(each.get_submodule(path))
    assert list(net.state_dict()) == list(twin.state_dict())
    assert isinstance(net.in_list[0], ub.Dense)
    assert torch.equal(net(x), twin(x))
    for path in ("in_list.0", "in_tuple.0"):
        nn.utils.parametrize.remove_parametrizations(net.get_submodule(path), "weight")
    torch.testing.assert_close(net(x), twin(x))


def test_peft_adapts_the_layers_in_containers(x):
    peft = pytest.importorskip("peft", reason="peft is not installed")
    found = []
    for each in towers():
        torch.manual_seed(1)
        config = peft.LoraConfig(
            r=2, target_modules=["in_list.0", "in_list.1.0", "in_tuple.0", "in_dict.a"]
        )
        adapted = peft.get_peft_model(each, config)
        for parameter in adapted.parameters():
            if parameter.requires_grad:
                nn.init.constant_(parameter, 0.1)
        adapted(x).sum().backward()
        found.append(
            (adapted(x), {n: p.grad for n, p in adapted.named_parameters() if p.requires_grad})
        )
    (output, gradients), (expected, wanted) = found
    assert torch.equal(output, expected)
    assert gradients.keys() == wanted.keys()
    assert len(gradients) == 8
    for name, gradient in gradients.items():
        assert torch.equal(gradient, wanted[name])


def test_a_block_that_a_tool_changed_is_not_made_again_without_the_change():
    net = Towers()
    net.set_submodule("in_list.0", nn.Linear(4, 4))
    with pytest.raises(ub.StateMismatchError, match="given in_list afterwards"):
        ub.convert(net, "torch")
