"""`value_and_grad`: losses and gradients are the same on every framework."""

import numpy as np
import pytest

import unified_blocks as ub
from testbed.common import normal
from testbed.learning import HalfUsed, classifier, problem


def test_wrt_chooses_the_gradients(backend_name):
    net, (x, y) = classifier(), problem()
    names = list(ub.state(net))
    for wrt, keys in {"parameters": names, "inputs": ["x"], "both": [*names, "x"]}.items():
        _, gradients = ub.value_and_grad(net, x, y, loss="cross_entropy", wrt=wrt)
        assert list(gradients) == keys


def test_a_loss_may_be_a_function_of_tensors(backend_name):
    net, (x, _) = classifier(), problem()
    targets = normal(40, 4, dtype="float64")
    value, gradients = ub.value_and_grad(
        net, x, targets, loss=lambda output, y: ((output - y) * (output - y))[0, 0]
    )
    expected = (np.asarray(net.reference(ub.state(net), x))[0, 0] - targets[0, 0]) ** 2
    np.testing.assert_allclose(value, expected, rtol=1e-12)
    value, gradients = ub.value_and_grad(net, x, loss=lambda output: output[1, 2])
    assert np.flatnonzero(gradients["out.bias"]).tolist() == [2]


def test_a_parameter_that_the_output_does_not_depend_on_has_gradient_zero(backend_name):
    net = ub.FixedHiddenMLP(4)
    state = {name: np.zeros_like(array) for name, array in ub.state(net).items()}
    ub.load_state(net, {**state, "dense.bias": np.full(4, -1, "float32")})
    _, gradients = ub.value_and_grad(net, normal(2, 4), loss="sum", wrt="both")
    assert not any(gradient.any() for gradient in gradients.values())


def test_a_layer_that_is_never_called_has_gradient_zero(backend_name):
    net = ub.initialize(HalfUsed(5, 3, in_units=4), 0, "torch_default")
    _, gradients = ub.value_and_grad(net, normal(2, 4), loss="sum", wrt="both")
    assert {name for name, g in gradients.items() if g.any()} == {
        "hidden.weight",
        "hidden.bias",
        "x",
    }
    assert gradients["out.weight"].shape == (3, 5)


@pytest.mark.parametrize("last", [ub.ops.stop_gradient, lambda X: ub.ops.stop_gradient(X * 2)])
def test_an_output_that_gradients_are_stopped_at_has_gradient_zero(backend_name, last):
    net = ub.build(ub.MySequential(ub.Dense(3), ub.Lambda(last)), (2, 4))
    _, gradients = ub.value_and_grad(net, normal(2, 4), loss="sum", wrt="both")
    assert set(gradients) == {"0.weight", "0.bias", "x"}
    assert not any(gradient.any() for gradient in gradients.values())


def test_a_block_without_parameters_has_a_loss_and_no_gradients(backend_name):
    x = np.array([[-1.0, 2.0]])
    assert ub.value_and_grad(ub.ReLU(), x, loss="sum") == (2.0, {})
    value, gradients = ub.value_and_grad(ub.ReLU(), x, loss="sum", wrt="both")
    assert (value, gradients["x"].tolist()) == (2.0, [[0.0, 1.0]])


@pytest.mark.capability("held-gradients")
def test_gradients_held_elsewhere_are_not_touched(backend_name):
    """What `backward` left behind is still there after `value_and_grad`."""
    net, (x, y) = classifier(), problem()
    if backend_name == "torch":
        net(ub.from_numpy(x)).sum().backward()
        held = lambda: net.out.bias.grad.numpy().copy()  # noqa: E731
    else:
        from unified_blocks_mxnet.compat import mx

        with mx.autograd.record():
            output = net(ub.from_numpy(x))
        output.backward()
        held = lambda: net.out.bias.grad().asnumpy()  # noqa: E731
    before = held()
    assert before.any()
    ub.value_and_grad(net, x, y, loss="cross_entropy")
    np.testing.assert_array_equal(held(), before)


def test_frozen_parameters_have_no_gradient_and_are_not_trained(backend_name):
    net, (x, y) = classifier(), problem()
    if backend_name == "torch":
        net.hidden.requires_grad_(False)
    elif backend_name == "tensorflow":
        net.hidden.trainable = False
    else:
        net.hidden.weight.grad_req = net.hidden.bias.grad_req = "null"
    _, gradients = ub.value_and_grad(net, x, y, loss="cross_entropy")
    assert list(gradients) == ["out.weight", "out.bias"]
    before = ub.state(net)
    ub.fit(net, x, y, loss="cross_entropy", optimizer=ub.SGD(0.1), batch_size=20)
    after = ub.state(net)
    assert [name for name in after if not np.array_equal(after[name], before[name])] == [
        "out.weight",
        "out.bias",
    ]
    assert [v.role for v in ub.backend_of(net).variables(net)] == ["parameter"] * 4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"loss": "sum", "wrt": "weights"}, "wrt must be one of parameters, inputs, both"),
        ({"loss": "mse"}, "loss 'mse' needs targets; got y=None"),
        ({"loss": "mean", "y": np.zeros(40)}, "loss 'mean' takes no targets"),
        ({"loss": "hinge"}, "loss must be one of .*, l1, huber, binary_cross_entropy"),
    ],
)
def test_value_and_grad_with_wrong_arguments(backend_name, arguments, message):
    with pytest.raises(ValueError, match=message):
        ub.value_and_grad(classifier(), problem()[0], **arguments)


def test_the_mode_is_restored(backend_name):
    """A dropout layer tells the mode: it is on while training and off else."""
    if backend_name == "torch":
        from torch import nn

        dropout = nn.Dropout(0.5)
    elif backend_name == "tensorflow":
        import keras

        dropout = keras.layers.Dropout(0.5)
    else:
        from unified_blocks_mxnet.compat import mx

        dropout = mx.gluon.nn.Dropout(0.5)
    net = ub.build(ub.MySequential(dropout), (1, 1000))
    if backend_name == "torch":
        net.eval()
    x = np.ones((1, 1000), "float32")
    assert ub.value_and_grad(net, x, loss="mean", wrt="inputs")[0] == 1
    on = ub.value_and_grad(net, x, loss="mean", wrt="inputs", train=True)[1]["x"]
    assert 300 < (on == 0).sum() < 700
    assert ub.value_and_grad(net, x, loss="mean", wrt="inputs")[0] == 1
    assert not getattr(net, "training", False)


@pytest.mark.parametrize("label", [4, 7, -1, -100])
def test_a_label_that_is_no_class_is_never_trained_on(backend_name, label):
    """An error, or where the numbers are on a device already a loss that is not finite."""
    net, (x, y) = classifier(), problem()
    wrong = np.where(np.arange(40) == 3, label, y)
    for targets in (wrong, ub.from_numpy(wrong)):
        try:
            value, _ = ub.value_and_grad(net, x, targets, loss="cross_entropy")
        except Exception as error:
            assert isinstance(error, ValueError | IndexError) or "label" in str(error).lower()  # noqa: PT017
        else:
            assert not np.isfinite(value)


@pytest.mark.parametrize("wrt", ["parameters", "inputs"])
def test_a_foreign_batch_is_an_error(backend_name, wrt):
    net, (x, y) = classifier(), problem()
    foreign = [ub.from_numpy(x, n) for n in ub.available_backends() if n != backend_name]
    for batch in [x.tolist(), *foreign]:
        with pytest.raises(
            TypeError, match=r"a batch for a model of .* must be a NumPy array or a"
        ):
            ub.value_and_grad(net, batch, y, loss="cross_entropy", wrt=wrt)
