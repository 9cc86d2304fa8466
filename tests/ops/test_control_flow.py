"""Python's `for`, `if` and `while` on values, as written in a forward, eagerly and compiled."""

import warnings

import numpy as np
import pytest

import unified_blocks as ub
from testbed.common import normal, run
from testbed.portable import Bounded, Halving, Residual
from unified_blocks import ops

X = normal(3, 6, dtype="float64")


def made(cls):
    with ub.use_dtype("float64"):
        return ub.initialize(ub.build(cls(6), X.shape), 1, "torch_default")


def expected(net, x):
    """What `Halving` computes, in NumPy."""
    state = ub.state(net)
    H = x @ state["dense.weight"].T + state["dense.bias"]
    H = (-H if H.sum() < 0 else H) + 2 * x
    while np.abs(H).sum() > 1:
        H = H / 2
    return H


@pytest.mark.parametrize("sign", [1, -1])
def test_eagerly(backend_name, sign):
    net = made(Halving)
    np.testing.assert_allclose(run(net, sign * X), expected(net, sign * X), rtol=1e-12)


@pytest.mark.parametrize("how", ["graph", "xla", "sequential", "functional"])
@pytest.mark.parametrize("sign", [1, -1])
def test_in_tensorflow_s_graphs(backend_name, how, sign):
    if backend_name != "tensorflow":
        pytest.skip("for TensorFlow")
    import keras
    import tensorflow as tf

    net, x = made(Halving), tf.constant(sign * X)
    call = {
        "graph": lambda: tf.function(net),
        "xla": lambda: tf.function(net, jit_compile=True),
        "sequential": lambda: tf.function(keras.Sequential([net], name="s")),
        "functional": lambda: functional(keras, net),
    }[how]()
    rtol = 1e-4 if how == "sequential" else 1e-12  # Keras' Sequential casts to float32
    np.testing.assert_allclose(call(x), expected(net, sign * X), rtol=rtol)


def functional(keras, net):
    inputs = keras.Input((6,), dtype="float64")
    return keras.Model(inputs, net(inputs))


def test_the_gradient_in_a_graph(backend_name):
    if backend_name != "tensorflow":
        pytest.skip("for TensorFlow")
    import tensorflow as tf

    net = made(Halving)
    _, gradients = ub.value_and_grad(net, X, loss="sum", wrt="inputs")

    @tf.function
    def gradient(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = tf.reduce_sum(net(x))
        return tape.gradient(loss, x)

    np.testing.assert_allclose(gradient(tf.constant(X)), gradients["x"], rtol=1e-12)


def test_xla_s_gradient_names_the_maximum(backend_name):
    if backend_name != "tensorflow":
        pytest.skip("for TensorFlow")
    import tensorflow as tf

    for cls in (Halving, Bounded):
        net = made(cls)

        @tf.function(jit_compile=True)
        def gradient(x, net=net):
            with tf.GradientTape() as tape:
                tape.watch(x)
                loss = tf.reduce_sum(net(x))
            return tape.gradient(loss, x)

        if cls is Halving:
            with pytest.raises(ub.UnsupportedError, match=r"Halving: .*max_iterations"):
                gradient(tf.constant(X))
        else:
            _, wanted = ub.value_and_grad(net, X, loss="sum", wrt="inputs")
            np.testing.assert_allclose(gradient(tf.constant(X)), wanted["x"], rtol=1e-12)


def test_fit_never_chooses_xla_for_such_a_block(backend_name):
    if backend_name != "tensorflow":
        pytest.skip("for TensorFlow")
    import keras

    with ub.use_dtype("float32"):
        net, other = ub.build(Halving(6), X.shape), ub.build(Residual(6), X.shape)
    assert not net.supports_jit
    assert other.supports_jit
    net.compile(keras.optimizers.SGD(0.1), loss="mse")
    assert not net.jit_compile
    before = ub.state(net)
    net.fit(X.astype("float32"), X.astype("float32"), epochs=2, verbose=0)
    assert (ub.state(net)["dense.bias"] != before["dense.bias"]).any()


@pytest.mark.filterwarnings("ignore:The .grad attribute")  # read by the compiler at a graph break
def test_compiled_by_pytorch(backend_name):
    if backend_name != "torch":
        pytest.skip("for PyTorch")
    import torch

    torch.compiler.reset()
    net = made(Halving)
    compiled = torch.compile(net, backend="eager")
    for sign in (1, -1):
        x = torch.from_numpy(sign * X)
        np.testing.assert_allclose(
            compiled(x).detach().numpy(), expected(net, sign * X), rtol=1e-12
        )


# MXNet, hybridized


class Shaped(ub.Block):
    def forward(self, X):
        return X * X.shape[0]


class Matrix(ub.Block):
    def forward(self, X):
        return X @ X


REFUSED = {
    "while": (lambda: Halving(6), r"if ops\.sum\(H\) < 0.*ub\.ops\.while_loop or ub\.ops\.cond"),
    "shape": (Shaped, r"return X \* X\.shape\[0\].*line \d+.*ub\.ops\.reshape"),
    "@": (Matrix, r"return X @ X.*line \d+.*ub\.ops\.matmul"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_a_symbol_cannot_do_is_named(backend_name, what):
    if backend_name != "mxnet":
        pytest.skip("for MXNet")
    make, message = REFUSED[what]
    net, x = make(), normal(6, 6)
    run(net, x)  # eagerly it can
    net.hybridize()
    with pytest.raises(ub.UnsupportedError, match=message):
        run(net, x)


def test_a_bounded_loop_is_hybridized_forward_only(backend_name):
    if backend_name != "mxnet":
        pytest.skip("for MXNet")
    from unified_blocks_mxnet.compat import mx, numpy_semantics

    net = made(Bounded)
    eager = run(net, X)
    _, gradients = ub.value_and_grad(net, X, loss="sum", wrt="inputs")
    assert np.abs(gradients["x"]).max() > 0
    net.hybridize()
    for _ in range(2):
        np.testing.assert_allclose(run(net, X), eager, rtol=1e-12)
        refused = pytest.raises(ub.UnsupportedError, match="while gradients are recorded")
        with numpy_semantics(), mx.autograd.record(), refused:
            net(ub.from_numpy(X))


def test_a_block_that_holds_one_without_a_graph_hybridizes_the_others(backend_name):
    if backend_name != "mxnet":
        pytest.skip("for MXNet")
    from unified_blocks_mxnet.compat import mx

    class Plain(mx.gluon.Block):
        def forward(self, X):
            return X * X.shape[0]

    net = ub.MySequential(ub.Dense(6, in_units=6), Plain(), ub.NestMLP())
    eager = run(net, normal(3, 6))
    net.hybridize()
    np.testing.assert_allclose(run(net, normal(3, 6)), eager, rtol=1e-5)
    assert [block._active for block in (net, net[0], net[2])] == [False, True, True]


def test_a_subclass_of_a_native_class_hybridizes_as_a_whole(backend_name):
    if backend_name != "mxnet":
        pytest.skip("for MXNet")
    from testbed.portable import Doubled

    net = ub.build(Doubled(7, 3), (2, 6))
    eager = run(net, normal(2, 6))
    net.hybridize()
    np.testing.assert_allclose(run(net, normal(2, 6)), eager, rtol=1e-6)
    assert "_npi_multiply_scalar" in net._cached_graph[1].tojson()  # the doubling is in the graph


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_a_constant_stays_one_after_export(backend_name, optimizer, tmp_path):
    if backend_name != "mxnet":
        pytest.skip("for MXNet")
    from unified_blocks_mxnet.compat import mx, numpy_semantics

    with ub.use_dtype("float32"):
        nets = [ub.build(Residual(6), (3, 6)), ub.FixedHiddenMLP(6)]
    for i, net in enumerate(nets):
        ub.initialize(net, seed=0)  # as it happens a relu may be 0 for all, and train nothing
        net.hybridize()
        run(net, normal(3, 6))
        net.export(str(tmp_path / str(i)))
        files = str(tmp_path / f"{i}-symbol.json"), str(tmp_path / f"{i}-0000.params")
        with numpy_semantics(), warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Cannot decide type")
            loaded = mx.gluon.SymbolBlock.imports(files[0], ["data"], files[1])
            before = {n: p.data().asnumpy() for n, p in loaded.collect_params().items()}
            options = {"learning_rate": 0.1}
            trainer = mx.gluon.Trainer(loaded.collect_params(), optimizer, options)
            for _ in range(3):
                with mx.autograd.record():
                    loss = mx.np.square(loaded(ub.from_numpy(normal(3, 6)))).sum()
                loss.backward()
                trainer.step(1)
            after = {n: p.data().asnumpy() for n, p in loaded.collect_params().items()}
        constants = [name for name in before if "scale" in name or "rand_weight" in name]
        assert len(constants) == 1
        for name in before:
            assert np.array_equal(before[name], after[name]) == (name in constants), name


def test_a_loop_without_a_source_says_so(backend_name):
    if backend_name != "tensorflow":
        pytest.skip("for TensorFlow")
    import tensorflow as tf

    scope = {"ub": ub, "ops": ops}
    exec(
        "class Typed(ub.Block):\n"
        "    def forward(self, X):\n"
        "        while ops.sum(ops.abs(X)) > 1:\n"
        "            X = X / 2\n"
        "        return X\n"
        "class Straight(ub.Block):\n"
        "    def forward(self, X):\n"
        "        return X * 2\n",
        scope,
    )
    assert run(scope["Typed"](), X).shape == X.shape
    np.testing.assert_array_equal(tf.function(scope["Straight"]())(tf.constant(X)), 2 * X)
    with pytest.raises(
        ub.UnsupportedError, match=r"put the class into a file.*ub\.ops\.while_loop"
    ):
        tf.function(scope["Typed"]())(tf.constant(X))
