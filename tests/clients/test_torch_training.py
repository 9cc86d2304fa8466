"""Tools that train PyTorch modules train a block as they train the network written by hand."""

import copy

import pytest

import unified_blocks as ub

torch = pytest.importorskip("torch", reason="torch is not installed")
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from testbed.torch_twins import normed, towers

LOSS = nn.functional.mse_loss


@pytest.fixture(autouse=True)
def on_torch():
    with ub.use_backend("torch"):
        yield


@pytest.fixture
def data():
    generator = torch.Generator().manual_seed(3)
    x, y = (torch.randn(12, 4, generator=generator) for _ in range(2))
    return TensorDataset(x, y)


def same(net, twin, before):
    state, wanted = net.state_dict(), twin.state_dict()
    assert state.keys() == wanted.keys()
    for name, tensor in state.items():
        assert torch.equal(tensor, wanted[name])
    assert not torch.equal(state["in_list.0.weight"], before["in_list.0.weight"])


def trained_pair(train):
    """Ours and the twin, each after `train`; and what their numbers were."""
    net, twin = towers()
    before = copy.deepcopy(net.state_dict())
    same(train(net), train(twin), before)


@pytest.mark.filterwarnings("ignore:.*pin_memory")
def test_a_loop_over_a_data_loader(data):
    def train(net):
        optimizer = torch.optim.AdamW(net.parameters(), lr=0.1)
        schedule = torch.optim.lr_scheduler.StepLR(optimizer, 1, 0.5)
        for _ in range(2):
            for x, y in DataLoader(data, batch_size=4):
                optimizer.zero_grad()
                LOSS(net(x), y).backward()
                nn.utils.clip_grad_norm_(net.parameters(), 1.0)
                optimizer.step()
            schedule.step()
        return net

    trained_pair(train)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_lightning(data, tmp_path):
    lightning = pytest.importorskip("lightning", reason="lightning is not installed")

    class Lit(lightning.LightningModule):
        def __init__(self, net):
            super().__init__()
            self.net = net

        def training_step(self, batch, index):
            x, y = batch
            return LOSS(self.net(x), y)

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), lr=0.1)

    def train(net):
        trainer = lightning.Trainer(
            max_epochs=2,
            accelerator="cpu",
            logger=False,
            enable_progress_bar=False,
            enable_model_summary=True,
            default_root_dir=tmp_path,
        )
        lit = Lit(net)
        trainer.fit(lit, DataLoader(data, batch_size=4))
        trainer.save_checkpoint(tmp_path / "lit.ckpt")
        kept = torch.load(tmp_path / "lit.ckpt", weights_only=True)["state_dict"]
        assert list(kept) == [f"net.{name}" for name in net.state_dict()]
        lit.load_state_dict(kept)
        return lit.net

    trained_pair(train)


def test_skorch(data, tmp_path):
    skorch = pytest.importorskip("skorch", reason="skorch is not installed")
    x, y = (tensor.numpy() for tensor in data.tensors)

    def train(net):
        regressor = skorch.NeuralNetRegressor(
            net, max_epochs=2, lr=0.1, train_split=None, verbose=0, iterator_train__shuffle=False
        )
        regressor.fit(x, y)
        regressor.save_params(f_params=str(tmp_path / "params.pt"))
        again = skorch.NeuralNetRegressor(copy.deepcopy(net)).initialize()
        again.load_params(f_params=str(tmp_path / "params.pt"))
        assert (again.predict(x) == regressor.predict(x)).all()
        return regressor.module_

    trained_pair(train)


def test_accelerate(data, tmp_path):
    accelerate = pytest.importorskip("accelerate", reason="accelerate is not installed")

    def train(net):
        accelerator = accelerate.Accelerator(cpu=True)
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
        model, optimizer, loader = accelerator.prepare(
            net, optimizer, DataLoader(data, batch_size=4)
        )
        for x, y in loader:
            optimizer.zero_grad()
            accelerator.backward(LOSS(model(x), y))
            optimizer.step()
        accelerator.save_model(model, str(tmp_path), safe_serialization=True)
        with accelerate.init_empty_weights():
            other = type(net)()
        accelerate.load_checkpoint_and_dispatch(
            other, str(tmp_path / "model.safetensors"), device_map={"": "cpu"}
        )
        x = data.tensors[0]
        assert torch.equal(other(x), net(x))
        return accelerator.unwrap_model(model)

    trained_pair(train)


def test_accelerate_loads_a_batch_norm(tmp_path):
    accelerate = pytest.importorskip("accelerate", reason="accelerate is not installed")
    x = torch.randn(5, 3)
    for each in normed():
        each.train()(x)
        accelerate.Accelerator(cpu=True).save_model(each, str(tmp_path))
        other = copy.deepcopy(each)
        other[1].reset_running_stats()
        accelerate.load_checkpoint_in_model(other, str(tmp_path / "model.safetensors"))
        assert torch.equal(other.eval()(x), each.eval()(x))
