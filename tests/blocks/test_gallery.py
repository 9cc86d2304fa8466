"""The blocks of `examples/`, each written once: the same on every framework, with its own tools."""

import copy
import warnings

import numpy as np
import pytest

import unified_blocks as ub
from pytest_unified_blocks import BlockContract
from testbed.common import run
from testbed.gallery import EXAMPLES, GALLERY

every = pytest.mark.parametrize("example", GALLERY, ids=lambda example: example.block)


def make(example, backend, dtype="float64"):
    with ub.use_dtype(dtype):
        net = example.make(backend)
    return ub.initialize(ub.build(net, example.shape), 1, "torch_default")


for each in GALLERY:
    globals()[f"Test{each.block}"] = type(
        f"Test{each.block}",
        (BlockContract,),
        {
            "input_shape": each.shape,
            "output_shape": each.target,
            "steps": 10,
            "lacks": {"test_compiled_is_eager": "test_compiled does it, with gradients and XLA"},
            "make": lambda self, each=each: each.make(ub.get_backend().name),
        },
    )


@every
def test_it_learns(backend_name, example):
    trainer = ub.Trainer(make(example, backend_name), ub.SGD(0.125, momentum=0.5), "mse")
    losses = [float(ub.to_numpy(trainer.step(*example.batch()))) for _ in range(10)]
    assert losses[-1] < losses[0]


@every
def test_an_example_is_short(example):
    assert len((EXAMPLES / f"{example.module}.py").read_text().splitlines()) <= 40


@every
def test_compiled(backend_name, example):
    """`torch.compile`, `tf.function` with and without XLA, `hybridize`: forward and gradient."""
    net, (x, y) = make(example, backend_name), example.batch()
    eager = run_in_evaluation(backend_name, net, x)
    value, gradients = ub.value_and_grad(net, x, y, loss="mse", wrt="inputs")
    if backend_name == "torch":
        import torch

        torch.compiler.reset()
        net.eval()
        compiled = torch.compile(net, backend="aot_eager", fullgraph=True)
        inputs = torch.from_numpy(x).requires_grad_()
        output = compiled(inputs)
        ((output - torch.from_numpy(y)) ** 2).mean().backward()
        found = [(output.detach().numpy(), inputs.grad.numpy())]
    elif backend_name == "tensorflow":
        import tensorflow as tf

        found = []
        for jit in (False, True):

            @tf.function(jit_compile=jit)
            def step(x):
                with tf.GradientTape() as tape:
                    tape.watch(x)
                    output = net(x)
                    loss = tf.reduce_mean(tf.square(output - y))
                return output, tape.gradient(loss, x)

            found.append([array.numpy() for array in step(tf.constant(x))])
    else:
        net.hybridize()
        again, (again_gradient) = ub.value_and_grad(net, x, y, loss="mse", wrt="inputs")
        assert again == pytest.approx(value, rel=1e-12)
        found = [(run(net, x), again_gradient["x"])]
    for output, gradient in found:
        np.testing.assert_allclose(output, eager, rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(gradient, gradients["x"], rtol=1e-9, atol=1e-12)


def run_in_evaluation(backend_name, net, x):
    backend = ub.get_backend(backend_name)
    return backend.to_numpy(backend.run(net, [backend.from_numpy(x)]))


@every
@pytest.mark.capability("symbol-files")
def test_exported_and_imported_by_gluon(backend_name, example, tmp_path):
    from unified_blocks_mxnet.compat import mx, numpy_semantics

    net, (x, _) = make(example, "mxnet", "float32"), example.batch("float32")
    net.hybridize()
    expected = run(net, x)
    net.export(str(tmp_path / "net"))
    with numpy_semantics(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Cannot decide type")
        loaded = mx.gluon.SymbolBlock.imports(
            str(tmp_path / "net-symbol.json"), ["data"], str(tmp_path / "net-0000.params")
        )
        output = loaded(ub.from_numpy(x, "mxnet")).asnumpy()
    np.testing.assert_allclose(output, expected, rtol=1e-5, atol=1e-6)


@every
@pytest.mark.capability("keras-files")
def test_saved_and_loaded_by_keras(backend_name, example, tmp_path):
    import keras

    net, (x, _) = make(example, "tensorflow"), example.batch()
    net.save(tmp_path / "net.keras")
    loaded = keras.models.load_model(tmp_path / "net.keras")
    assert type(loaded) is type(net)
    np.testing.assert_array_equal(run(loaded, x), run(net, x))


@every
def test_trained_by_the_framework_s_own_tools(backend_name, example):
    """A PyTorch loop, compiled too, `keras.Model.fit`, `gluon.Trainer`: as `ub.Trainer` does."""
    net, (x, y) = make(example, backend_name), example.batch()
    twin = copy.deepcopy(net)
    trainer = ub.Trainer(twin, ub.SGD(0.125), "mse")
    for _ in range(3):
        trainer.step(x, y)
    globals()[f"train_{backend_name}"](net, x, y)
    # Keras computes losses in float32, whatever its model does.
    close = {"rtol": 1e-6, "atol": 1e-7} if backend_name == "tensorflow" else {"rtol": 1e-9}
    for name, array in ub.state(net).items():
        np.testing.assert_allclose(array, ub.state(twin)[name], **close)


def train_torch(net, x, y):
    import torch

    torch.compiler.reset()
    compiled = torch.compile(net, backend="aot_eager", fullgraph=True)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.125)
    x, y = torch.from_numpy(x), torch.from_numpy(y)
    for model in (net, compiled, compiled):
        optimizer.zero_grad()
        torch.nn.functional.mse_loss(model(x), y).backward()
        optimizer.step()


def train_tensorflow(net, x, y):
    import keras
    import tensorflow as tf

    def mse(y, output):
        return tf.reduce_mean(tf.square(output - tf.cast(y, output.dtype)))

    net.compile(keras.optimizers.SGD(0.125), loss=mse, jit_compile=False)
    data = tf.data.Dataset.from_tensors((x, y))  # Keras casts arrays to float32
    net.fit(data, epochs=3, shuffle=False, verbose=0)


def train_mxnet(net, x, y):
    from unified_blocks_mxnet.compat import mx, numpy_semantics

    with numpy_semantics():
        net.hybridize()
        trainer = mx.gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": 0.125})
        x, y = ub.from_numpy(x, "mxnet"), ub.from_numpy(y, "mxnet")
        for _ in range(3):
            with mx.autograd.record():
                loss = mx.np.square(net(x) - y).mean()
            loss.backward()
            trainer.step(1)
