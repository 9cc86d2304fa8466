"""The state of a block is that of the same network written by hand, for every tool."""

import io

import pytest

import unified_blocks as ub
from testbed.common import normal

torch = pytest.importorskip("torch", reason="torch is not installed")
from torch import nn

from testbed.torch_twins import normed, towers


@pytest.fixture(autouse=True)
def on_torch():
    with ub.use_backend("torch"):
        yield


def same(net, twin):
    state, wanted = net.state_dict(), twin.state_dict()
    assert list(state) == list(wanted)
    for name, tensor in state.items():
        assert torch.equal(tensor, wanted[name])


def through_torch_save(state):
    file = io.BytesIO()
    torch.save(state, file)
    file.seek(0)
    return torch.load(file)


@pytest.mark.parametrize("through", [dict, through_torch_save, lambda state: state])
def test_a_batch_norm_takes_and_gives_the_state_of_pytorch_s_own(through):
    net, twin = normed()
    other, other_twin = normed()
    other_twin.train()(torch.randn(5, 3))
    other.load_state_dict(through(other_twin.state_dict()))
    same(other, other_twin)
    twin.load_state_dict(through(other.state_dict()))
    net.load_state_dict(through(other.state_dict()))
    same(net, twin)


@pytest.mark.parametrize("dimensions", [1, 2, 3])
def test_of_every_number_of_dimensions(dimensions):
    norm = getattr(nn, f"BatchNorm{dimensions}d")(4)
    norm.train()(torch.randn(2, 4, *dimensions * [3]))
    ours = ub.BatchNorm(in_units=4)
    ours.load_state_dict(norm.state_dict())
    same(ours, norm)


def test_a_batch_norm_counts_as_pytorch_s_own():
    net, twin = normed()
    for each in (net, twin):
        each.train()(torch.ones(5, 3))
        each.eval()(torch.ones(5, 3))
        each.train()(torch.ones(5, 3))
    assert net[1].num_batches_tracked == twin[1].num_batches_tracked == 2
    net[1].reset_running_stats()
    assert net[1].num_batches_tracked == 0


def test_the_count_has_no_canonical_name():
    net, twin = normed()
    assert "1.num_batches_tracked" not in ub.state(net)
    ub.transfer(ub.state(net), twin)
    ub.transfer(twin, net)
    ub.load_state(net, ub.state(twin))  # which has it


def test_update_bn_gives_the_mean_over_all_batches():
    batches = [torch.from_numpy(normal(8, 3, seed=seed)) for seed in range(3)]
    net, twin = normed()
    momentum = net[1].momentum
    for each in (net, twin):
        torch.optim.swa_utils.update_bn(batches, each)
    assert net[1].momentum == momentum
    assert net[1].num_batches_tracked == 3
    torch.testing.assert_close(net[1].running_mean, twin[1].running_mean)
    biased = twin[1].running_var * 7 / 8  # PyTorch's own keeps the unbiased variance
    torch.testing.assert_close(net[1].running_var, biased)


def test_averaged_models_are_those_of_the_twin():
    averages = []
    for each in towers():
        average = torch.optim.swa_utils.AveragedModel(each)
        for _ in range(2):
            with torch.no_grad():
                for parameter in each.parameters():
                    parameter += 1
            average.update_parameters(each)
        averages.append(average)
    same(*averages)


def unbuilt():
    return ub.MySequential(ub.Dense(4), ub.LayerNorm(), ub.BatchNorm())


@pytest.mark.parametrize("assign", [False, True])
def test_a_block_that_is_not_built_takes_a_state(assign):
    full = ub.initialize(ub.build(unbuilt(), (2, 3)), 1, "torch_default").eval()
    net = unbuilt().eval()
    net.load_state_dict(dict(full.state_dict()), assign=assign)
    same(net, full)
    x = torch.randn(2, 3)
    assert torch.equal(net(x), full(x))
    assert (net[0].in_features, net[2].num_features) == (3, 4)


def test_a_block_on_the_meta_device_takes_a_state():
    class Scaled(ub.Block):
        def __init__(self):
            super().__init__()
            self.body = [
                ub.Dense(4, in_units=3),
                ub.LayerNorm(in_units=4),
                ub.BatchNorm(in_units=4),
            ]
            self.scale = ub.Constant(0.5)

        def forward(self, X):
            for block in self.body:
                X = block(X)
            return self.scale * X

    with torch.device("meta"):
        net = Scaled()
    assert {tensor.device.type for tensor in net.state_dict().values()} == {"meta"}
    full, x = Scaled().eval(), torch.randn(2, 3)
    net.load_state_dict(full.state_dict(), assign=True)
    assert torch.equal(net.eval()(x), full(x))


def test_safetensors_loads_what_it_saved(tmp_path):
    safetensors = pytest.importorskip("safetensors.torch", reason="safetensors is not installed")
    for make in (normed, towers):
        (net, twin), (other, other_twin) = make(), make()
        for source, target in ((net, other_twin), (twin, other), (net, other)):
            safetensors.save_model(source, str(tmp_path / "net.safetensors"))
            assert safetensors.load_model(target, str(tmp_path / "net.safetensors")) == (set(), [])
            same(source, target)
