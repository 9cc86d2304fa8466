"""Quantization finds the layers of a block, and gives what it gives for the twin."""

import copy

import pytest

import unified_blocks as ub

torch = pytest.importorskip("torch", reason="torch is not installed")
from torch import nn

from testbed.torch_twins import towers

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*torch.ao.quantization is deprecated"),
    pytest.mark.filterwarnings("ignore:.*other quantized tensor creation functions"),
    pytest.mark.filterwarnings("ignore:.*TypedStorage:UserWarning"),
]


@pytest.fixture(autouse=True)
def on_torch():
    with ub.use_backend("torch"):
        yield


def kinds(net):
    return [type(module) for module in net.modules() if not list(module.children())]


SPECS = {
    "by default": {},
    "linear": {"qconfig_spec": {nn.Linear}},
    "float16": {"dtype": torch.float16},
    "nothing": {"qconfig_spec": {nn.LSTM}},
}


@pytest.mark.parametrize("spec", SPECS)
def test_quantize_dynamic(spec):
    net, twin = towers()
    x = torch.randn(3, 4)
    before = net(x)
    found, wanted = (
        torch.ao.quantization.quantize_dynamic(each.eval(), **SPECS[spec]) for each in (net, twin)
    )
    assert found.state_dict().keys() == wanted.state_dict().keys()
    assert torch.equal(found(x), wanted(x))
    assert torch.equal(found(x), before) == (spec == "nothing")
    assert torch.equal(copy.deepcopy(found)(x), wanted(x))
    assert torch.equal(net(x), before)
    assert isinstance(net.in_list[0], ub.Dense)


@pytest.mark.parametrize("activation", ["relu", "gelu", "softplus"])
@pytest.mark.parametrize("built", ["given", "called", "loaded"])
def test_quantize_dynamic_keeps_the_activation(activation, built):
    x = torch.randn(3, 4)
    full = ub.MySequential(ub.Dense(4, in_units=4, activation=activation), ub.MLP(6, 3, in_units=4))
    net = full
    if built != "given":
        net = ub.MySequential(ub.Dense(4, activation=activation), ub.MLP(6, 3))
    if built == "called":
        net(x)
    net.load_state_dict(full.state_dict())
    after = getattr(ub.ops, activation)
    linear = nn.Linear(4, 4)
    mlp = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 3))
    linear.load_state_dict(full[0].state_dict())
    mlp.load_state_dict(
        dict(zip(mlp.state_dict(), full[1].state_dict().values(), strict=True)), strict=True
    )
    quantize = torch.ao.quantization.quantize_dynamic
    if built == "loaded":
        net(x)  # MLP holds lazy layers of PyTorch's own, which quantization cannot take
    expected = quantize(mlp)(after(quantize(nn.Sequential(linear))(x)))
    assert torch.equal(quantize(net)(x), expected)


def test_quantize_dynamic_finds_an_embedding():
    net = ub.MySequential(ub.Embedding(5, 4))
    twin = nn.Sequential(nn.Embedding(5, 4))
    twin.load_state_dict(net.state_dict())
    found, wanted = (
        torch.ao.quantization.quantize_dynamic(each, dtype=torch.quint8) for each in (net, twin)
    )
    assert kinds(found) == kinds(wanted)
    indices = torch.tensor([0, 3, 1])
    assert torch.equal(found(indices), wanted(indices))


def test_a_layer_in_a_module_of_pytorch_s_own_is_not_found_and_says_so():
    """Quantization asks for the class of a layer before it tells the layer anything."""
    net = nn.Sequential(ub.Dense(3, in_units=4), ub.MySequential(ub.Dense(3, in_units=3)))
    with pytest.warns(UserWarning, match=r"Dense: .* must be in a block; got .* or nn\.Linear"):
        found = torch.ao.quantization.quantize_dynamic(net)
    assert isinstance(found[0], ub.Dense)
    assert not isinstance(found[1][0], ub.Dense)


def test_a_quantized_block_is_not_made_again():
    net = ub.MySequential(ub.Dense(3, in_units=4))
    quantized = torch.ao.quantization.quantize_dynamic(net)
    with pytest.raises(ub.UnifiedBlocksError):
        ub.convert(quantized, "torch")
    ub.convert(net, "torch")


def test_torchao():
    torchao = pytest.importorskip("torchao.quantization", reason="torchao is not installed")
    net, twin = towers()
    x = torch.randn(3, 4)
    before = net(x)
    for each in (net, twin):
        torchao.quantize_(each, torchao.Int8WeightOnlyConfig())
    assert torch.equal(net(x), twin(x))
    assert not torch.equal(net(x), before)
