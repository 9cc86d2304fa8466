"""Under PyTorch's autocast an operation takes and gives what PyTorch's own does."""

import pytest

import unified_blocks as ub
from unified_blocks import ops

torch = pytest.importorskip("torch", reason="torch is not installed")
from torch import nn
from torch.nn import functional as F

from testbed.torch_twins import normed, towers


@pytest.fixture(autouse=True)
def on_torch():
    with ub.use_backend("torch"):
        yield


def autocast():
    return torch.autocast("cpu", torch.bfloat16)


PAIRS = {
    "matmul": (ops.matmul, torch.matmul),
    "add": (ops.add, torch.add),
    "subtract": (ops.subtract, torch.subtract),
    "multiply": (ops.multiply, torch.multiply),
    "divide": (ops.divide, torch.divide),
    "pow": (ops.pow, torch.pow),
    "maximum": (ops.maximum, torch.maximum),
    "minimum": (ops.minimum, torch.minimum),
    "remainder": (ops.remainder, torch.remainder),
    "less": (ops.less, torch.lt),
    "concat": (lambda a, b: ops.concat([a, b], axis=1), lambda a, b: torch.cat([a, b], 1)),
    "stack": (lambda a, b: ops.stack([a, b]), lambda a, b: torch.stack([a, b])),
    "where": (lambda a, b: ops.where(a > b, a, b), lambda a, b: torch.where(a > b, a, b)),
    "mse": (ops.mse, F.mse_loss),
    "mae": (ops.mae, F.l1_loss),
    "huber": (ops.huber, F.huber_loss),
    "cross entropy": (
        lambda a, b: ops.cross_entropy(a, ops.argmax(b)),
        lambda a, b: F.cross_entropy(a, torch.argmax(b, -1)),
    ),
    "binary cross entropy": (
        lambda a, b: ops.binary_cross_entropy(a, ops.sigmoid(b)),
        lambda a, b: F.binary_cross_entropy_with_logits(a, torch.sigmoid(b)),
    ),
    "softmax": (lambda a, b: ops.softmax(a + b), lambda a, b: torch.softmax(a + b, -1)),
    "mean": (lambda a, b: ops.mean(a * b), lambda a, b: torch.mean(a * b)),
}


@pytest.mark.parametrize("dtypes", [(16, 32), (32, 16), (16, 16)])
@pytest.mark.parametrize("name", PAIRS)
def test_two_tensors_of_two_dtypes(name, dtypes):
    ours, own = PAIRS[name]
    kinds = {16: torch.bfloat16, 32: torch.float32}
    a, b = (torch.rand(4, 4).add(0.5).to(kinds[dtype]) for dtype in dtypes)
    with autocast():
        found, wanted = ours(a, b), own(a, b)
    assert found.dtype == wanted.dtype
    torch.testing.assert_close(found, wanted)


def test_without_autocast_two_dtypes_are_an_error():
    a, b = torch.ones(2, 2, dtype=torch.bfloat16), torch.ones(2, 2)
    with pytest.raises(TypeError, match=r"ops.add must be given tensors of one dtype"):
        ops.add(a, b)
    with autocast(), pytest.raises(TypeError, match=r"ops.add must be given tensors of one dtype"):
        ops.add(torch.ones(2, dtype=torch.int32), b)


class FixedByHand(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("rand_weight", torch.rand(4, 4))
        self.dense = nn.Linear(4, 4)

    def forward(self, X):
        X = F.relu(self.dense(X))
        X = F.relu(self.dense(F.relu(X @ self.rand_weight + 1)))
        while X.abs().sum() > 1:
            X = X / 2
        return X.sum()


def fixed(portable):
    net = ub.FixedHiddenMLP.on("torch", portable=portable)(4)
    return net, FixedByHand()


def mlp():
    return ub.MLP(5, 3, in_units=4), nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 3))


def embedded():
    net = ub.MySequential(ub.Embedding(6, 4), ub.Dense(3, in_units=4, activation="relu"))
    return net, nn.Sequential(nn.Embedding(6, 4), nn.Linear(4, 3), nn.ReLU())


MODELS = {
    "Towers": (towers, lambda: torch.randn(3, 4)),
    "BatchNorm": (normed, lambda: torch.randn(5, 3)),
    "MLP": (mlp, lambda: torch.randn(3, 4)),
    "FixedHiddenMLP": (lambda: fixed(portable=False), lambda: torch.randn(3, 4)),
    "portable": (lambda: fixed(portable=True), lambda: torch.randn(3, 4)),
    "Embedding": (embedded, lambda: torch.tensor([0, 5, 2])),
}


@pytest.mark.parametrize("name", MODELS)
def test_a_block_computes_what_its_twin_computes(name):
    make, inputs = MODELS[name]
    (net, twin), x = make(), inputs()
    state = net.state_dict().values()
    twin.load_state_dict(dict(zip(twin.state_dict(), state, strict=True)))
    outputs = []
    for each in (net, twin):
        with autocast():
            outputs.append(each(x))
        outputs[-1].float().square().sum().backward()
    assert outputs[0].dtype == outputs[1].dtype
    assert torch.equal(*outputs)
    for one, other in zip(net.parameters(), twin.parameters(), strict=True):
        assert one.dtype == torch.float32
        assert torch.equal(one.grad, other.grad)


@pytest.mark.parametrize("name", MODELS)
def test_so_it_does_compiled(name):
    make, inputs = MODELS[name]
    (net, _), x = make(), inputs()
    torch.compiler.reset()
    is_whole = name != "portable"  # its loop breaks the graph
    compiled = torch.compile(net, backend="eager", fullgraph=is_whole)
    with autocast(), torch.no_grad():
        found, wanted = compiled(x), net(x)
    assert found.dtype == wanted.dtype
    torch.testing.assert_close(found, wanted)
