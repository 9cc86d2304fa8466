"""`Trainer` and `fit`: training is the same on every framework."""

import numpy as np
import pytest

import unified_blocks as ub
from testbed.common import normal
from testbed.learning import OPTIMIZERS, HalfUsed, classifier, problem


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
        ({"loss": "hinge"}, "loss must be one of sum, mean, mse, .*got 'hinge'"),
        ({"loss": "sum"}, "loss 'sum' takes no targets"),
    ],
)
def test_fit_with_wrong_arguments(backend_name, change, message):
    x, y = problem()
    arguments = {"x": x, "y": y, "loss": "cross_entropy", "optimizer": ub.SGD(0.1), **change}
    with pytest.raises(ValueError, match=message):
        ub.fit(classifier(), arguments.pop("x"), arguments.pop("y"), **arguments)


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


def test_an_update_waits_for_what_reads_the_parameter(backend_name):
    """The gradient of this loss needs no output, so that its update could come before that."""
    x, weights = normal(4, 6, dtype="float64"), normal(4, 3, dtype="float64", seed=1)

    def loss(output, y):
        return ub.ops.sum(output * y)

    with ub.use_dtype("float64"):
        net = ub.MySequential(ub.Dense(6, activation="relu"), ub.Dense(6), ub.Dense(3))
    before = ub.state(ub.initialize(ub.build(net, (4, 6)), 0, "torch_default"))
    value, gradients = ub.value_and_grad(net, x, weights, loss=loss)
    for _ in range(10):
        ub.load_state(net, before)
        found = ub.Trainer(net, ub.SGD(0.125), loss).step(x, weights)
        np.testing.assert_allclose(float(ub.to_numpy(found)), value, rtol=1e-12)
        for name, array in ub.state(net).items():
            wanted = before[name] - 0.125 * gradients[name]
            np.testing.assert_allclose(array, wanted, rtol=1e-12, atol=1e-14)
