"""On PyTorch a block is a module like any other."""

import copy
import pickle
from collections import Counter

import numpy as np
import pytest

import unified_blocks as ub
from testbed.common import normal

torch = pytest.importorskip("torch", reason="torch is not installed")
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode


@pytest.fixture(autouse=True)
def on_torch():
    with ub.use_backend("torch"):
        yield


def test_the_constant_is_in_the_state_dict_and_no_parameter():
    net = ub.FixedHiddenMLP(4)
    assert list(net.state_dict()) == ["rand_weight", "dense.weight", "dense.bias"]
    assert [name for name, _ in net.named_parameters()] == ["dense.weight", "dense.bias"]


def test_double_takes_everything_along():
    net = ub.FixedHiddenMLP(4).double()
    assert {t.dtype for t in net.state_dict().values()} == {torch.float64}
    assert net(torch.ones(2, 4, dtype=torch.float64)).dtype == torch.float64


def test_to_takes_the_constant_along():
    net = ub.FixedHiddenMLP(4).to("meta")
    assert {t.device.type for t in net.state_dict().values()} == {"meta"}


def test_names_are_the_attributes():
    net = ub.build(ub.MySequential(ub.NestMLP(), ub.Dense(4), ub.FixedHiddenMLP(4)), (2, 5))
    assert set(net.state_dict()) == set(ub.state(net))


def test_a_dense_stays_a_dense_after_its_first_call():
    layer = ub.Dense(3, activation="relu")
    first = layer(torch.full((1, 4), -1.0) @ torch.diag(torch.ones(4)))
    ub.load_state(layer, {"weight": np.ones((3, 4), "float32"), "bias": np.zeros(3, "float32")})
    assert type(layer) is ub.Dense.on("torch")
    assert isinstance(layer, nn.Linear)
    assert (first >= 0).all()
    assert (layer(torch.full((1, 4), -1.0)) == 0).all()


def test_compiled_without_a_graph_break(case):
    torch.compiler.reset()
    net = ub.initialize(ub.build(case.make(), case.input_shape), 1, "torch_default")
    x = torch.from_numpy(case.batch("float32")[0])
    compiled = torch.compile(net, backend="eager", fullgraph=True)
    torch.testing.assert_close(compiled(x), net(x), rtol=1e-5, atol=1e-6)


def test_many_classes_of_blocks_compile_in_one_process():
    """Their calls are functions of their own: torch.compile gives up on one after 8 variants."""
    torch.compiler.reset()
    for i in range(10):
        cls = type(f"Net{i}", (ub.MLP,), {"forward": lambda self, X, i=i: self.hidden(X) + i})
        net = cls(3, 2, in_units=4)
        compiled = torch.compile(net, backend="eager", fullgraph=True)
        assert (compiled(torch.zeros(1, 4)) == net.hidden.bias + i).all()


def test_hooks_run():
    seen = []
    net = ub.MLP(5, 3, in_units=4)
    net.hidden.register_forward_hook(lambda *_: seen.append("hidden"))
    net.register_forward_hook(lambda *_: seen.append("net"))
    net(torch.ones(2, 4))
    assert seen == ["hidden", "net"]


def test_inside_nn_sequential():
    net = nn.Sequential(ub.NestMLP(), nn.LazyLinear(4), ub.FixedHiddenMLP(4))
    assert net(torch.ones(2, 5)).shape == ()
    assert ub.state(net).keys() == net.state_dict().keys()


def test_functional_call_and_vmap_see_the_parameters():
    net = ub.MLP(5, 3, in_units=4)
    zeros = {name: torch.zeros_like(p) for name, p in net.named_parameters()}
    assert (torch.func.functional_call(net, zeros, torch.ones(2, 4)) == 0).all()


def test_a_buffer_that_is_not_persistent_is_no_state():
    net = ub.MySequential(ub.ReLU())
    net[0].register_buffer("scratch", torch.ones(3), persistent=False)
    assert ub.state(net) == {}


def by_attribute(net, module):
    net.head = module


def in_a_list(net, module):
    net.heads = [module]


def by_method(net, module):
    net.add_module("head", module)


def registered(net, module):
    net.register_module("head", module)


class Row(ub.MySequential):
    pass


class Headed(ub.MySequential):
    def __init__(self, *blocks):
        super().__init__(*blocks)
        self.first = ub.Dense(7, in_units=3)

    def forward(self, X):
        assert self.first is not None
        return super().forward(X)


@pytest.mark.parametrize("cls", [ub.MySequential, Row, Headed])
@pytest.mark.parametrize("put", [by_attribute, in_a_list, by_method, registered])
def test_a_sequence_runs_its_blocks_however_another_module_got_in(put, cls):
    net = cls(ub.Dense(3, in_units=4))
    x = torch.ones(2, 4)
    expected = net(x)
    put(net, nn.Linear(3, 5))  # which, run, would give another shape
    for each in (net, copy.deepcopy(net)):
        assert torch.equal(each(x), expected)
    assert len(net) == 1
    net.add(nn.Linear(3, 6))
    assert net(x).shape == (2, 6)


def test_a_part_has_no_name_that_every_module_uses():
    with pytest.raises(AttributeError, match="'training': choose another"):
        ub.MySequential().training = ub.Dense(3)


def test_a_block_is_replicated_as_data_parallel_does():
    net = ub.MySequential(ub.Dense(3, in_units=4), ub.Dense(2))
    expected = net(torch.ones(2, 4))
    replica = net._replicate_for_data_parallel()
    assert replica._modules is not net._modules
    assert torch.equal(replica(torch.ones(2, 4)), expected)


def test_a_trainer_steps_also_where_gradients_are_off():
    net = ub.MLP(5, 3, in_units=4)
    before = ub.state(net)
    with torch.no_grad():
        ub.Trainer(net, ub.SGD(0.1), "sum").step(torch.ones(2, 4))
    assert not np.array_equal(ub.state(net)["out.bias"], before["out.bias"])


def normed(numbers=0):
    return ub.initialize(ub.build(ub.BatchNorm.on("torch")(), (4, 3)), numbers, "torch_default")


@pytest.mark.filterwarnings("ignore:There is a performance drop")
def test_batch_norm_trains_as_an_ensemble():
    nets = [normed(seed).train() for seed in (0, 1)]
    parameters, buffers = torch.func.stack_module_state(nets)
    x = torch.from_numpy(normal(2, 4, 3))

    def call(parameters, buffers, x):
        return torch.func.functional_call(nets[0], (parameters, buffers), (x,))

    found = torch.vmap(call)(parameters, buffers, x)
    for i, net in enumerate(nets):
        torch.testing.assert_close(found[i], net(x[i]))
        for name, buffer in net.named_buffers():
            torch.testing.assert_close(buffers[name][i], buffer)


def test_batch_norm_differentiates_what_was_before_another_call():
    net, x = normed().train(), torch.from_numpy(normal(4, 3))
    y, alone = net(x), net(x[:1])
    (y.square().sum() + alone.sum()).backward()
    assert net.weight.grad.abs().sum() > 0


def test_batch_norm_leaves_what_has_no_momentum():
    net = ub.build(ub.BatchNorm.on("torch")(momentum=0.0), (4, 3)).train()
    net.running_var.fill_(0.3)
    net(torch.from_numpy(normal(7, 3)))
    assert (net.running_var == np.float32(0.3)).all()


@pytest.mark.parametrize("in_channels", [None, 1, 4])
def test_a_convolution_with_channels_last_lies_in_memory_as_one_by_hand(in_channels):
    channels = in_channels or 4
    twin = nn.Conv2d(channels, 6, 3).to(memory_format=torch.channels_last)
    net = ub.Conv2D(6, 3, in_channels=in_channels, layout="channels_last")
    if in_channels is None:
        unbuilt = ub.load_state(ub.Conv2D(6, 3, layout="channels_last"), ub.state(twin))
    else:
        unbuilt = net
    x = torch.from_numpy(normal(2, 8, 8, channels))
    wanted = twin(x.permute(0, 3, 1, 2))
    ub.transfer(twin, ub.build(net, x.shape))
    pickled = pickle.loads(pickle.dumps(net))
    for each in (net, copy.deepcopy(net), pickled, ub.transfer(twin, unbuilt)):
        y = each(x)
        assert each.weight.stride() == twin.weight.stride()
        assert y.permute(0, 3, 1, 2).stride() == wanted.stride()
        torch.testing.assert_close(y.permute(0, 3, 1, 2), wanted)
    y.sum().backward()
    assert each.weight.grad.stride() == twin.weight.stride()


def test_a_convolution_in_space_with_channels_last_lies_in_memory_as_one_by_hand():
    twin = nn.Conv3d(2, 4, 3).to(memory_format=torch.channels_last_3d)
    net = ub.Conv3D(4, 3, in_channels=2, layout="channels_last")
    assert net.weight.stride() == twin.weight.stride()


def test_a_convolution_with_channels_first_lies_in_memory_as_pytorch_makes_it():
    assert ub.Conv2D(4, 3, in_channels=2).weight.is_contiguous()


def test_channels_at_the_end_cost_two_views_for_each_layer_of_images():
    twin = nn.Sequential(
        *(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(36, 5)),
    ).to(memory_format=torch.channels_last)
    with ub.use_layout("channels_last"):
        net = ub.MySequential(
            *(ub.Conv2D(4, 3), ub.BatchNorm(), ub.ReLU(), ub.MaxPool2D(2)),
            *(ub.Flatten(), ub.Dense(5)),
        )
    x = torch.from_numpy(normal(2, 8, 8, 3))
    ub.transfer(twin, ub.build(net, x.shape))
    found, wanted = operations(net, x), operations(twin, torch.permute(x, (0, 3, 1, 2)))
    assert found - wanted == {"aten.permute.default": 7}
    assert not wanted - found


def operations(net, x):
    found = Counter()

    class Counting(TorchDispatchMode):
        def __torch_dispatch__(self, function, types, args=(), kwargs=None):
            found[str(function)] += 1
            return function(*args, **(kwargs or {}))

    with torch.no_grad(), Counting():
        net.eval()(x)
    return found
