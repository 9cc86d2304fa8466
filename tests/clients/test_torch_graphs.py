"""PyTorch's ways to make a graph of a block: fx, export, AOTInductor, ONNX, TorchScript."""

import copy
import pickle

import numpy as np
import pytest

import unified_blocks as ub
from unified_blocks import ops

torch = pytest.importorskip("torch", reason="torch is not installed")
from torch import fx, nn

from testbed.torch_twins import normed, towers


@pytest.fixture(autouse=True)
def on_torch():
    with ub.use_backend("torch"):
        yield


class Of(ub.Block):
    """A block of one expression."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, X, Y):
        return self.function(X, Y)


def unpacked(X, Y):
    first, second = ops.split(X, 2, axis=-1)
    return first + second


EXPRESSIONS = {
    "two": lambda X, Y: ops.add(ops.multiply(X, Y), ops.maximum(X, Y)) / ops.pow(X, Y),
    "numbers": lambda X, Y: ops.maximum(X, 0.7) + ops.subtract(1.5, X) + ops.pow(2.0, Y),
    "choice": lambda X, Y: ops.where(ops.logical_and(X > Y, ops.less(X, 1)), X, 0.0),
    "matmul": lambda X, Y: ops.matmul(X, ops.matrix_transpose(Y)),
    "split": unpacked,
    "concat": lambda X, Y: ops.concat([X, ops.flip(Y, axis=-1)], axis=-1),
    "stack": lambda X, Y: ops.stack([X, Y], axis=-1),
    "reshape": lambda X, Y: ops.reshape(X, (ub.KEEP, 2, -1)),
    "axes": lambda X, Y: ops.squeeze(ops.expand_dims(X, axis=-1), axis=-1),
    "permute": lambda X, Y: ops.permute_dims(X, (1, 0)),
    "reductions": lambda X, Y: (
        ops.sum(X, axis=-1, keepdims=True) + ops.prod(Y, axis=(0, 1)) + ops.max(X)
    ),
    "variance": lambda X, Y: ops.std(X, axis=0, correction=1) + ops.var(Y),
    "neural": lambda X, Y: (
        ops.softmax(X) + ops.log_softmax(X, axis=0) + ops.gelu(Y) + ops.hard_sigmoid(X)
    ),
    "created": lambda X, Y: ops.matmul(X + ops.full((4,), 2.0, like=X), ops.eye(4, like=X)),
    "indices": lambda X, Y: ops.one_hot(ops.argmax(X), 4) + ops.arange(4, like=X),
    "losses": lambda X, Y: (
        ops.mse(X, Y) + ops.huber(X, Y) + ops.cross_entropy(X, ops.argmax(Y, axis=-1))
    ),
    "types": lambda X, Y: ops.stop_gradient(ops.astype(X, "float64")),
}


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_fx_traces_the_operations(name):
    X, Y = torch.rand(3, 4) + 0.5, torch.rand(3, 4)
    net = Of(EXPRESSIONS[name])
    traced = fx.symbolic_trace(net)
    for each in (traced, pickle.loads(pickle.dumps(traced)), copy.deepcopy(traced)):
        assert torch.equal(each(X, Y), net(X, Y))


def test_fx_records_what_it_records_of_the_twin():
    x = torch.randn(3, 4)
    graphs = []
    for each in towers():
        traced = fx.symbolic_trace(each)
        assert torch.equal(traced(x), each(x))
        graphs.append([(node.op, node.target) for node in traced.graph.nodes if node.op != "root"])
    assert [op for op, _ in graphs[0]] == [op for op, _ in graphs[1]]
    assert [t for op, t in graphs[0][1:]] == [t for op, t in graphs[1][1:]]


def test_fx_leaves_the_mode_to_the_layers():
    class Noisy(ub.Block):
        def __init__(self):
            super().__init__()
            self.layers = [ub.BatchNorm(in_units=4), ub.Dropout(0.5), ub.Dense(3, in_units=4)]

        def forward(self, X):
            for layer in self.layers:
                X = layer(X)
            return X

    net, x = Noisy().train(), torch.randn(5, 4)
    traced = fx.symbolic_trace(net)
    traced.train()(x)
    assert net.layers[0].num_batches_tracked == 1
    assert torch.equal(traced.eval()(x), net.eval()(x))


class Branching(ub.Block):
    def forward(self, X):
        return X if ops.sum(X) > 0 else -X


@pytest.mark.parametrize("make", [Branching, lambda: ub.FixedHiddenMLP(4)])
def test_fx_says_itself_that_it_has_no_control_flow(make):
    with pytest.raises(fx.proxy.TraceError, match="control flow") as caught:
        fx.symbolic_trace(make())
    assert "from_numpy" not in str(caught.value)


@pytest.mark.parametrize("strict", [False, True])
def test_export_gives_a_program_with_the_twin_s_names(strict):
    net, twin = towers()
    x = torch.randn(3, 4)
    program, expected = (torch.export.export(each, (x,), strict=strict) for each in (net, twin))
    torch.testing.assert_close(program.module()(x), twin(x))
    assert list(program.state_dict) == list(expected.state_dict)


@pytest.mark.filterwarnings("ignore:.*treespec:FutureWarning")  # PyTorch's own
def test_aot_inductor_compiles_what_was_exported(tmp_path):
    x = torch.randn(3, 4)
    for i, each in enumerate(towers()):
        program = torch.export.export(each.eval(), (x,))
        path = str(tmp_path / f"{i}.pt2")
        torch._inductor.aoti_compile_and_package(program, package_path=path)
        torch.testing.assert_close(torch._inductor.aoti_load_package(path)(x), each(x))


MODELS = {
    "Towers": lambda: (*towers(), torch.randn(3, 4)),
    "BatchNorm": lambda: (*normed(), torch.randn(3, 3)),
    "MLP": lambda: (ub.MLP(5, 3, in_units=4), None, torch.randn(3, 4)),
    "FixedHiddenMLP": lambda: (ub.FixedHiddenMLP(4), None, torch.randn(3, 4)),
    "large": lambda: (ub.FixedHiddenMLP(4), None, torch.randn(3, 4) * 1e6),
    "float64": lambda: (ub.FixedHiddenMLP(4, dtype="float64"), None, torch.randn(3, 4).double()),
}


@pytest.mark.filterwarnings("ignore:.*treespec:FutureWarning")  # PyTorch's own
@pytest.mark.parametrize("name", MODELS)
def test_onnx_computes_the_same(name, tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    pytest.importorskip("onnxscript", reason="onnxscript is not installed")
    net, twin, x = MODELS[name]()
    for each in (net, twin):
        if each is None:
            continue
        program = torch.onnx.export(each.eval(), (x,), dynamo=True, verbose=False)
        program.save(str(tmp_path / "net.onnx"))
        session = onnxruntime.InferenceSession(str(tmp_path / "net.onnx"))
        (found,) = session.run(None, {session.get_inputs()[0].name: x.numpy()})
        np.testing.assert_allclose(found, each(x).detach().numpy(), rtol=1e-5, atol=1e-6)


@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")
@pytest.mark.parametrize("name", [name for name in MODELS if name != "large"])
def test_torchscript_traces(name):
    net, twin, x = MODELS[name]()
    for each in (net, twin):
        if each is not None:
            traced = torch.jit.trace(each.eval(), x)
            torch.testing.assert_close(traced(x), each(x))


@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")
@pytest.mark.parametrize(
    "make", [Branching, lambda: ub.Dense(3, in_units=4), lambda: nn.Sequential(ub.MLP(5, 3))]
)
def test_torchscript_does_not_read_a_block_and_says_so(make):
    with pytest.raises(
        ub.UnsupportedError, match=r"torch\.jit\.script must .*: use torch\.jit\.tr"
    ):
        torch.jit.script(make())
