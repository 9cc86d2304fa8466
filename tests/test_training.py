"""Gradients, `Trainer` and `fit`: learning is the same on every framework."""

import numpy as np
import pytest

import unified_blocks as ub
from conftest import normal

OPTIMIZERS = [ub.SGD(0.1), ub.SGD(0.1, momentum=0.9), ub.Adam(0.01), ub.Adam(0.01, 0.8, 0.95, 1e-3)]
STEPS = 30


def problem(dtype="float64"):
    """A small classification problem: inputs (40, 6), labels (40,) of 4 classes."""
    x = normal(40, 6, dtype=dtype)
    return x, (x[:, :4] + 0.1 * normal(40, 4, seed=1)).argmax(axis=1)


def classifier(dtype="float64"):
    with ub.use_dtype(dtype):
        net = ub.MLP(16, 4, in_units=6)
    return ub.initialize(net, 5)


def descend(optimizer, gradient, w):
    """The optimizers' updates as their docstrings write them, in NumPy."""
    rounded = optimizer.rounded()
    v = m = np.zeros_like(w)
    for t in range(1, STEPS + 1):
        g = gradient(w)
        if isinstance(optimizer, ub.SGD):
            v = rounded.momentum * v + g
            w = w - rounded.learning_rate * v
        else:
            b1, b2 = rounded.beta_1, rounded.beta_2
            m = b1 * m + (1 - b1) * g
            v = b2 * v + (1 - b2) * g * g
            rate = rounded.learning_rate * np.sqrt(1 - b2**t) / (1 - b1**t)
            w = w - rate * m / (np.sqrt(v) + rounded.epsilon)
    return w


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=repr)
def test_an_optimizer_is_its_formula(backend_name, optimizer):
    """A linear layer and a squared error, whose gradient NumPy has too."""
    x, y = normal(8, 3, dtype="float64"), normal(8, 2, dtype="float64", seed=1)
    net = ub.Dense(2, in_units=3, use_bias=False, dtype="float64")
    weight = ub.state(net)["weight"]
    trainer = ub.Trainer(net, optimizer, "mse")
    for _ in range(STEPS):
        trainer.step(x, y)
    expected = descend(optimizer, lambda w: 2 * (x @ w.T - y).T @ x / y.size, weight)
    # MXNet computes the bias correction of Adam in float32.
    tolerance = 1e-7 if backend_name == "mxnet" and isinstance(optimizer, ub.Adam) else 1e-12
    np.testing.assert_allclose(ub.state(net)["weight"], expected, rtol=0, atol=tolerance)


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=repr)
def test_training_is_the_same_everywhere(optimizer):
    """On every installed framework and device."""
    histories, states = [], []
    for name in ub.available_backends():
        for device in ub.devices(name):
            with ub.use_backend(name):
                net = ub.to_device(classifier(), device)
            histories.append(
                ub.fit(
                    net,
                    *problem(),
                    loss="cross_entropy",
                    optimizer=optimizer,
                    epochs=5,
                    batch_size=16,
                    validation=problem(),
                    seed=3,
                )
            )
            states.append(ub.state(net))
    if len(histories) < 2:
        pytest.skip("fewer than two frameworks and devices are here")
    tolerance = 1e-7 if isinstance(optimizer, ub.Adam) else 1e-12
    for history, state in zip(histories, states, strict=True):
        for curve in ("loss", "validation_loss"):
            expected = getattr(histories[0], curve)
            np.testing.assert_allclose(getattr(history, curve), expected, rtol=tolerance)
        for key, array in state.items():
            np.testing.assert_allclose(array, states[0][key], rtol=0, atol=tolerance)


def test_fit_learns(backend_name, device, dtype):
    history = ub.fit(
        ub.to_device(classifier(dtype), device),
        *problem(dtype),
        loss="cross_entropy",
        optimizer=ub.SGD(0.125, 0.875),
        epochs=30,
        batch_size=16,
    )
    assert len(history.loss) == 30
    assert history.validation_loss == []
    assert history.loss[-1] < history.loss[0] / 5


def test_fit_is_a_loop_over_the_trainer_that_keeps_the_last_partial_batch(backend_name):
    x, y = problem()
    net, other = classifier(), classifier()
    sizes = []

    history = ub.fit(net, x, y, loss="cross_entropy", optimizer=ub.SGD(0.25), batch_size=15, seed=9)
    order = np.random.Generator(np.random.PCG64(9)).permutation(len(x))
    trainer = ub.Trainer(other, ub.SGD(0.25), "cross_entropy")
    losses = []
    for start in range(0, len(x), 15):
        rows = order[start : start + 15]
        sizes.append(len(rows))
        losses.append(float(ub.to_numpy(trainer.step(x[rows], y[rows]))))
    assert sizes == [15, 15, 10]
    np.testing.assert_allclose(history.loss, [np.average(losses, weights=sizes)], rtol=1e-12)
    for name, array in ub.state(net).items():
        np.testing.assert_array_equal(array, ub.state(other)[name])


def test_fit_prints_nothing_when_there_is_no_terminal(backend_name, capfd):
    ub.fit(classifier(), *problem(), loss="cross_entropy", optimizer=ub.SGD(0.1), progress=True)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"epochs": 0}, "epochs must be at least 1; got epochs=0"),
        ({"batch_size": 0}, "batch_size must be at least 1"),
        ({"y": np.zeros(39, int)}, "same number of samples.*got 40 and 39"),
        ({"loss": "hinge"}, "loss must be one of sum, mean, mse, cross_entropy.*got 'hinge'"),
        ({"loss": "sum"}, "loss 'sum' takes no targets"),
    ],
)
def test_fit_with_wrong_arguments(backend_name, change, message):
    x, y = problem()
    arguments = {"x": x, "y": y, "loss": "cross_entropy", "optimizer": ub.SGD(0.1), **change}
    with pytest.raises(ValueError, match=message):
        ub.fit(classifier(), arguments.pop("x"), arguments.pop("y"), **arguments)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ub.SGD(0), "learning_rate must be above 0; got learning_rate=0"),
        (lambda: ub.SGD(float("nan")), "learning_rate must be above 0"),
        (lambda: ub.SGD(0.1, momentum=1), r"momentum must be in \[0, 1\); got momentum=1"),
        (lambda: ub.Adam(beta_2=1.0), r"beta_2 must be in \[0, 1\)"),
        (lambda: ub.Adam(epsilon=0), "epsilon must be above 0"),
    ],
)
def test_wrong_hyper_parameters(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_an_optimizer_of_the_framework_is_an_error_that_names_ours(backend_name):
    with pytest.raises(TypeError, match=r"optimizer must be ub\.SGD.*got 'sgd'"):
        ub.Trainer(classifier(), "sgd", "mse")


def test_hyper_parameters_are_rounded_to_float32():
    assert ub.SGD(0.1, 0.9).rounded() == ub.SGD(float(np.float32(0.1)), float(np.float32(0.9)))


# value_and_grad


def test_wrt_chooses_the_gradients(backend_name):
    net, (x, y) = classifier(), problem()
    names = list(ub.state(net))
    for wrt, keys in {"parameters": names, "inputs": ["x"], "both": [*names, "x"]}.items():
        _, gradients = ub.value_and_grad(net, x, y, loss="cross_entropy", wrt=wrt)
        assert list(gradients) == keys


@pytest.mark.parametrize("loss", ["sum", "mean", "mse", "cross_entropy"])
def test_losses_by_name_are_their_definitions(backend_name, loss):
    net, (x, labels) = classifier(), problem()
    output = np.asarray(net.reference(ub.state(net), x))
    targets = normal(40, 4, dtype="float64")
    shifted = output - output.max(axis=1, keepdims=True)
    log_softmax = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    y, expected = {
        "sum": (None, output.sum()),
        "mean": (None, output.mean()),
        "mse": (targets, ((output - targets) ** 2).mean()),
        "cross_entropy": (labels, -log_softmax[np.arange(40), labels].mean()),
    }[loss]
    value, _ = ub.value_and_grad(net, x, y, loss=loss)
    assert isinstance(value, float)
    np.testing.assert_allclose(value, expected, rtol=1e-12)


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


class HalfUsed(ub.MLP):
    def forward(self, X):
        return self.hidden(X)


def test_a_layer_that_is_never_called_has_gradient_zero(backend_name):
    net = ub.initialize(HalfUsed(5, 3, in_units=4), 0, "torch_default")
    _, gradients = ub.value_and_grad(net, normal(2, 4), loss="sum", wrt="both")
    assert {name for name, g in gradients.items() if g.any()} == {
        "hidden.weight",
        "hidden.bias",
        "x",
    }
    assert gradients["out.weight"].shape == (3, 5)


def test_a_block_without_parameters_has_a_loss_and_no_gradients(backend_name):
    x = np.array([[-1.0, 2.0]])
    assert ub.value_and_grad(ub.ReLU(), x, loss="sum") == (2.0, {})
    value, gradients = ub.value_and_grad(ub.ReLU(), x, loss="sum", wrt="both")
    assert (value, gradients["x"].tolist()) == (2.0, [[0.0, 1.0]])


def test_gradients_held_elsewhere_are_not_touched(backend_name):
    """What `backward` left behind is still there after `value_and_grad`."""
    net, (x, y) = classifier(), problem()
    if backend_name == "torch":
        net(ub.from_numpy(x)).sum().backward()
        held = lambda: net.out.bias.grad.numpy().copy()  # noqa: E731
    elif backend_name == "mxnet":
        from unified_blocks_mxnet.compat import mx

        with mx.autograd.record():
            output = net(ub.from_numpy(x))
        output.backward()
        held = lambda: net.out.bias.grad().asnumpy()  # noqa: E731
    else:
        pytest.skip("Keras holds no gradients")
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
        ({"loss": "huber"}, "loss must be one of"),
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


@pytest.mark.parametrize(
    ("loss", "y", "message"),
    [
        ("cross_entropy", np.zeros((40, 1), int), r"labels of shape \(n,\); got \(40, 1\)"),
        ("cross_entropy", np.zeros(40), "labels that are whole numbers from 0; got dtype float64"),
        ("cross_entropy", np.full(40, -1), "whole numbers from 0.*smallest -1"),
        ("mse", np.zeros((40, 1)), "loss 'mse' needs targets like the output"),
        ("mse", np.zeros(40), r"got \(40,\)"),
        ("mse", np.zeros((40, 4), "float32"), r"targets like the output, \(40, 4\) of .*float64"),
    ],
)
def test_targets_of_another_kind_are_an_error(backend_name, loss, y, message):
    with pytest.raises(ValueError, match=message):
        ub.value_and_grad(classifier(), problem()[0], y, loss=loss)


def test_a_trainer_without_targets(backend_name):
    net, (x, _) = classifier(), problem()
    trainer = ub.Trainer(net, ub.SGD(0.01), "sum")
    first = float(ub.to_numpy(trainer.step(x)))
    assert float(ub.to_numpy(trainer.step(x))) < first
    with pytest.raises(ValueError, match="takes no targets"):
        trainer.step(x, x)


def test_a_parameter_that_the_loss_does_not_depend_on_stays(backend_name):
    net = HalfUsed(5, 3, in_units=4)
    before = ub.state(net)
    x, y = normal(8, 4), normal(8, 5)
    if backend_name == "tensorflow":
        with pytest.warns(UserWarning, match="Gradients do not exist"):
            ub.fit(net, x, y, loss="mse", optimizer=ub.SGD(0.1, 0.5), epochs=2)
    else:
        ub.fit(net, x, y, loss="mse", optimizer=ub.SGD(0.1, 0.5), epochs=2)
    after = ub.state(net)
    assert {name for name in after if not np.array_equal(after[name], before[name])} == {
        "hidden.weight",
        "hidden.bias",
    }


def test_nothing_to_train_is_an_error(backend_name):
    with pytest.raises(ValueError, match="Trainer: a model must have a parameter to train"):
        ub.Trainer(ub.ReLU(), ub.SGD(0.1), "sum")


@pytest.mark.parametrize("wrt", ["parameters", "inputs"])
def test_a_foreign_batch_is_an_error(backend_name, wrt):
    net, (x, y) = classifier(), problem()
    foreign = [ub.from_numpy(x, n) for n in ub.available_backends() if n != backend_name]
    for batch in [x.tolist(), *foreign]:
        with pytest.raises(
            TypeError, match=r"a batch for a model of .* must be a NumPy array or a"
        ):
            ub.value_and_grad(net, batch, y, loss="cross_entropy", wrt=wrt)


def test_validation_targets_are_held_to_the_same_rules(backend_name):
    x, y = problem()
    with pytest.raises(ValueError, match=r"labels of shape \(n,\); got \(40, 1\)"):
        ub.fit(
            classifier(),
            x,
            y,
            loss="cross_entropy",
            optimizer=ub.SGD(0.1),
            validation=(x, y[:, None]),
        )
