"""Where shared memory could give a wrong number that looks right."""

import numpy as np
import pytest

import unified_blocks as ub
from testbed.common import normal
from testbed.memory import address, at

pytestmark = pytest.mark.usefixtures("without_gpus")


@pytest.fixture
def mx(backend_name):
    if backend_name != "mxnet":
        pytest.skip("it is about MXNet")
    from unified_blocks_mxnet.compat import mx, numpy_semantics

    with numpy_semantics():
        yield mx


@pytest.fixture
def tf(backend_name):
    if backend_name != "tensorflow":
        pytest.skip("it is about TensorFlow")
    import tensorflow

    return tensorflow


# MXNet computes later, and rearranges weights


def slow(mx, x):
    """What MXNet needs a while for, of a matrix of ones over its size: the same."""
    y = x
    for _ in range(10):
        y = mx.np.dot(x, y)
    return y


def test_what_is_not_computed_yet_is_waited_for(mx):
    x = mx.np.ones((512, 512)) / 512
    view = ub.to_numpy(slow(mx, x), copy=False)
    np.testing.assert_allclose(view, 1 / 512, rtol=1e-4)


def test_what_others_may_write_to_has_been_read(mx):
    pytest.importorskip("torch")
    x = mx.np.ones((512, 512)) / 512
    y = slow(mx, x)
    tensor = ub.as_tensor(x, "torch", copy=False)
    tensor.zero_()
    np.testing.assert_allclose(y.asnumpy(), 1 / 512, rtol=1e-4)
    assert not x.asnumpy().any()


@pytest.mark.parametrize("take", [ub.to_numpy, lambda t: ub.as_tensor(t, "torch")])
def test_what_failed_is_raised(mx, take):
    pytest.importorskip("torch")
    failed = mx.nd.random.normal(0, -1, (2, 2)).as_np_ndarray()
    with pytest.raises(mx.base.MXNetError, match="scale"):
        take(failed)


@pytest.mark.parametrize("sizes", [(3,), (3, 3), (3, 3, 3)], ids=str)
def test_a_convolution_rearranges_nothing_that_is_shared(mx, sizes):
    array = at(0, 64, 32, *sizes, dtype="float32")
    before = array.copy()
    weight = ub.from_numpy(array, "mxnet")
    view = ub.to_numpy(weight)
    x = mx.np.ones((2, 32, *(8 for _ in sizes)))
    mx.npx.convolution(x, weight, kernel=sizes, num_filter=64, no_bias=True).wait_to_read()
    np.testing.assert_array_equal(array, before)
    np.testing.assert_array_equal(view, before)


def test_a_convolution_that_inferred_has_its_numbers(mx):
    net = mx.gluon.nn.Conv2D(64, 3, in_channels=32)
    net.initialize()
    before = ub.state(net)
    net(mx.np.ones((2, 32, 8, 8))).wait_to_read()
    for name, array in ub.state(net).items():
        np.testing.assert_array_equal(array, before[name])


@pytest.mark.parametrize("batch", [1, 64])
def test_a_dense_layer_rearranges_nothing(mx, batch):
    """Its weight is shared, since MXNet leaves it as it is."""
    array = at(0, 256, 512, dtype="float32")
    before = array.copy()
    weight = ub.from_numpy(array, "mxnet", copy=False)
    x = mx.np.ones((batch, 512))
    mx.npx.fully_connected(x, weight, num_hidden=256, no_bias=True).wait_to_read()
    np.testing.assert_array_equal(array, before)


def test_what_a_convolution_gives_is_copied_in_order(mx):
    net = mx.gluon.nn.Conv2D(64, 3, in_channels=32)
    net.initialize()
    for y in (net(mx.np.array(normal(2, 32, 8, 8))), net(mx.np.ones((2, 32, 3, 3))).reshape(2, 64)):
        np.testing.assert_array_equal(ub.to_numpy(y), y.asnumpy())


# TensorFlow takes its tensors never to change


@pytest.mark.parametrize("kind", ["eager", "graph", "xla"])
@pytest.mark.parametrize("make", [lambda: at(0, 64, 64, dtype="float32")])
def test_no_operation_writes_to_shared_memory(tf, kind, make):
    array = make()
    before = array.copy()

    def compute(x):
        return (
            tf.nn.relu(-x),
            x + 1,
            tf.tanh(tf.abs(x)),
            tf.reduce_sum(x * x) - tf.linalg.trace(x @ x),
        )

    called = compute if kind == "eager" else tf.function(compute, jit_compile=kind == "xla")
    for _ in range(3):
        called(ub.from_numpy(array, "tensorflow", copy=False))
    np.testing.assert_array_equal(array, before)


def test_the_update_of_a_variable_stays_in_it(tf):
    array = np.ones(64, "float32")
    variable = tf.Variable(ub.from_numpy(at(0, 64, dtype="float32") * 0 + 1, "tensorflow"))
    view = ub.to_numpy(variable, copy=False)
    variable.assign_add(array)
    variable.scatter_nd_update([[0]], [5.0])
    assert (view == 1).all()
    assert ub.to_numpy(variable)[:2].tolist() == [5, 2]


@pytest.mark.parametrize("offset", [4, 16, 32])
def test_what_is_not_aligned_is_computed_with(tf, offset):
    """Shared, it would end the process."""
    array = at(offset, 64, 64, dtype="float32")
    np.testing.assert_array_equal(ub.from_numpy(array, "tensorflow") + 1, array + 1)


def test_strings_are_no_numbers(tf):
    """By DLPack they would end the process."""
    assert ub.to_numpy(tf.constant(["a", "b"])).tolist() == [b"a", b"b"]
    with pytest.raises(ub.SharingError, match=r"a dtype that NumPy lacks \(string\)"):
        ub.to_numpy(tf.constant(["a"]), copy=False)


def test_a_number_that_others_get_too_is_copied(tf):
    pytest.importorskip("torch")
    ub.as_tensor(tf.constant(1.0), "torch").fill_(5)
    assert tf.constant(1.0) == 1


def test_a_variable_of_a_keras_model_is_not_given_away(tf):
    pytest.importorskip("torch")
    net = ub.initialize(ub.build(ub.MLP.on("tensorflow")(4, 2), (1, 3)), 0)
    before = ub.state(net)["hidden.weight"]
    ub.as_tensor(net.hidden.kernel, "torch").zero_()
    np.testing.assert_array_equal(ub.state(net)["hidden.weight"], before)


def test_a_graph_has_numbers_of_its_own(tf):
    array = at(0, 4, 6)

    @tf.function
    def total(x):
        return tf.reduce_sum(x * ub.from_numpy(array, "tensorflow"))

    before = float(total(tf.ones((4, 6), tf.float64)))
    array[...] = 0
    assert float(total(tf.ones((4, 6), tf.float64))) == before


# PyTorch has no read-only tensors


def test_of_a_read_only_array_it_has_a_copy(backend_name):
    array = np.broadcast_to(np.ones(1), (3,))
    tensor = ub.from_numpy(array, backend_name)
    assert address(tensor) != address(array)
    assert ub.to_numpy(tensor).tolist() == [1, 1, 1]


def test_a_view_of_a_parameter_follows_it(backend_name):
    """But on TensorFlow, which updates a variable that somebody sees in new memory."""
    net = ub.initialize(ub.build(ub.MLP.on(backend_name)(4, 2), (1, 3)), 0)
    if backend_name == "torch":
        weight = net.hidden.weight
    elif backend_name == "tensorflow":
        weight = net.hidden.kernel
    else:
        from unified_blocks_mxnet.compat import numpy_semantics

        with numpy_semantics():
            weight = net.hidden.weight.data()
    view = ub.to_numpy(weight, copy=False)
    before = view.copy()
    trainer = ub.Trainer(net, ub.SGD(0.125), "mse")
    ub.to_numpy(trainer.step(normal(2, 3), normal(2, 2)))
    ub.backend_of(net).finish()
    after = ub.to_numpy(weight, copy=True)
    assert (after != before).any()
    np.testing.assert_array_equal(view, before if backend_name == "tensorflow" else after)


def test_numbers_that_are_not_those_in_memory_are_copied(backend_name):
    if backend_name != "torch":
        pytest.skip("of PyTorch")
    import torch

    imaginary = torch.tensor([1 + 2j]).conj().imag  # the memory holds 2
    assert ub.to_numpy(imaginary) == [-2]
    zeros = torch._efficientzerotensor(3)  # which has no memory
    np.testing.assert_array_equal(ub.to_numpy(zeros), np.zeros(3))
    for tensor in (imaginary, zeros):
        with pytest.raises(ub.SharingError):
            ub.to_numpy(tensor, copy=False)


def test_an_axis_of_one_with_another_stride_is_copied(backend_name):
    a = np.arange(64.0).reshape(4, 16)[:1, :8]
    found = ub.to_numpy(ub.from_numpy(a, backend_name))
    np.testing.assert_array_equal(found, a)
    if backend_name != "torch" and "torch" in ub.available_backends():
        tensor = ub.from_numpy(np.arange(64.0).reshape(4, 16), "torch")[:1, :8]
        np.testing.assert_array_equal(ub.to_numpy(ub.as_tensor(tensor, backend_name)), a)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_gelu_of_a_single_number(backend_name, dtype):
    net, x = ub.GELU.on(backend_name)(), ub.from_numpy(np.array(0.5, dtype), backend_name)
    assert ub.to_numpy(net(x)) == pytest.approx(0.3457312, abs=1e-6)
