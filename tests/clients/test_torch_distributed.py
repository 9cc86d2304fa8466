"""Blocks in a group of processes: DDP, FSDP, and what a trainer says."""

import os
import socket
import subprocess
import sys

import pytest

import unified_blocks as ub

torch = pytest.importorskip("torch", reason="torch is not installed")
from torch import nn

from testbed.learning import OPTIMIZERS
from testbed.torch_twins import normed, towers

if not torch.distributed.is_available():
    pytest.skip("this PyTorch has no distributed training", allow_module_level=True)


@pytest.fixture(autouse=True)
def on_torch():
    with ub.use_backend("torch"):
        yield


@pytest.fixture
def group(tmp_path):
    """A group of this process alone."""
    store = torch.distributed.FileStore(str(tmp_path / "store"), 1)
    torch.distributed.init_process_group("gloo", store=store, rank=0, world_size=1)
    yield
    torch.distributed.destroy_process_group()


@pytest.fixture
def large_group():
    """A group of two processes, of which the other one is not there."""
    from torch.testing._internal.distributed.fake_pg import FakeStore

    torch.distributed.init_process_group("fake", store=FakeStore(), rank=0, world_size=2)
    yield
    torch.distributed.destroy_process_group()


def step(model, net, x):
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    model(x).square().sum().backward()
    optimizer.step()


def test_ddp_trains_a_block_as_the_twin(group):
    net, twin = towers()
    x = torch.randn(3, 4)
    for each in (net, twin):
        step(nn.parallel.DistributedDataParallel(each), each, x)
    for name, tensor in net.state_dict().items():
        assert torch.equal(tensor, twin.state_dict()[name])


@pytest.mark.filterwarnings("ignore::FutureWarning")  # PyTorch's own
def test_fsdp_shards_the_layers_in_containers(group):
    from torch.distributed.checkpoint import state_dict as checkpoint
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import FSDPModule, fully_shard

    mesh, x = init_device_mesh("cpu", (1,)), torch.randn(3, 4)
    whole = checkpoint.StateDictOptions(full_state_dict=True)
    states = []
    for each in towers():
        kept = {name: tensor.clone() for name, tensor in each.state_dict().items()}
        for path in ("in_list.0", "in_list.1.0", "in_tuple.0", "in_dict.a"):
            fully_shard(each.get_submodule(path), mesh=mesh)
        fully_shard(each, mesh=mesh)
        assert isinstance(each.in_list[0], FSDPModule)
        step(each, each, x)
        states.append(checkpoint.get_model_state_dict(each, options=whole))
        checkpoint.set_model_state_dict(each, dict(kept), options=whole)
        again = checkpoint.get_model_state_dict(each, options=whole)
        assert all(torch.equal(again[name], kept[name]) for name in kept)
    state, wanted = states
    assert list(state) == list(wanted)
    assert all(torch.equal(state[name], wanted[name]) for name in state)


def test_a_state_of_a_batch_norm_is_set_as_checkpoints_set_it():
    from torch.distributed.checkpoint import state_dict as checkpoint

    net, twin = normed()
    twin.train()(torch.randn(5, 3))
    checkpoint.set_model_state_dict(net, checkpoint.get_model_state_dict(twin))
    assert net[1].num_batches_tracked == 1
    checkpoint.set_model_state_dict(twin, checkpoint.get_model_state_dict(net))


def test_a_trainer_says_that_every_process_trains_alone(large_group):
    net = ub.MLP(5, 3, in_units=4)
    with pytest.warns(UserWarning, match="each of the 2 processes trains alone: give Trainer") as w:
        ub.Trainer(net, ub.SGD(0.1), "sum", distributed=None)
    assert w[0].filename == __file__


def test_a_trainer_of_a_model_that_is_distributed_says_nothing(large_group):
    net = nn.parallel.DistributedDataParallel(ub.MLP(5, 3, in_units=4))
    ub.Trainer(net, ub.SGD(0.1), "sum", distributed=None)


def test_a_trainer_alone_in_its_group_says_nothing(group):
    net, twin = (ub.initialize(ub.MLP(5, 3, in_units=4), 1) for _ in range(2))
    trainer = ub.Trainer(nn.parallel.DistributedDataParallel(net), ub.SGD(0.1, 0.5), "sum")
    other = ub.Trainer(twin, ub.SGD(0.1, 0.5), "sum")
    x = torch.randn(2, 4)
    for _ in range(2):
        assert trainer.step(x) == other.step(x)
    assert torch.equal(net.hidden.weight, twin.hidden.weight)


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=repr)
def test_a_trainer_of_a_sharded_model_takes_the_same_steps(group, optimizer):
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard

    net, twin = (ub.initialize(ub.MLP(5, 3, in_units=4), 1) for _ in range(2))
    fully_shard(net, mesh=init_device_mesh("cpu", (1,)))
    x = torch.randn(2, 4)
    sharded, whole = (ub.Trainer(each, optimizer, "sum") for each in (net, twin))
    for _ in range(3):
        assert sharded.step(x) == whole.step(x)
    for one, other in zip(net.parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(one.full_tensor(), other)


PROGRAM = """
import torch, unified_blocks as ub

torch.distributed.init_process_group("gloo")
rank = torch.distributed.get_rank()
net = ub.initialize(ub.MLP.on("torch")(5, 3, in_units=4), 1)
x = torch.arange(16.0).reshape(4, 4)
model = torch.nn.parallel.DistributedDataParallel(net)
ub.Trainer(model, ub.SGD(0.125), "mean").step(x[2 * rank : 2 * rank + 2])
alone = ub.initialize(ub.MLP.on("torch")(5, 3, in_units=4), 1)
optimizer = torch.optim.SGD(alone.parameters(), lr=0.125)
alone(x).mean().backward()
optimizer.step()
for one, other in zip(net.parameters(), alone.parameters()):
    torch.testing.assert_close(one, other)
torch.distributed.destroy_process_group()
"""


def test_two_processes_train_as_one_on_the_whole_batch(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    named = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "WORLD_SIZE": "2"}
    processes = [
        subprocess.Popen(
            [sys.executable, "-W", "error::UserWarning:unified_blocks", str(program)],
            env={**os.environ, **named, "RANK": str(rank), "OMP_NUM_THREADS": "1"},
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    for process in processes:
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
