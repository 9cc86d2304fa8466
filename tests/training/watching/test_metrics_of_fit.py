"""Metrics in training: over uneven batches, with weights, of validation data, with one read."""

import numpy as np
import pytest

import unified_blocks as ub
from testbed.learning import classifier, problem
from training.test_training_counts import reads_of

HARDLY = ub.SGD(1e-30)
"""With it an epoch is that of a network that stays as it is."""
LOSS = {"loss": "cross_entropy", "batch_size": 15}


def spread(output, y):
    return ub.ops.mean(ub.ops.square(ub.ops.max(output, axis=-1)))


def of_arrays(output, y, w=None):
    """Accuracy, the share among the two largest, and `spread`."""
    larger = (output > output[np.arange(len(y)), y][:, None]).sum(axis=1)
    right = [output.argmax(axis=1) == y, larger < 2, output.max(axis=1) ** 2]
    return [float(np.average(each, weights=w)) for each in right]


def test_they_are_of_all_samples_however_these_lie_in_batches(backend_name):
    net, (x, y) = classifier(), problem()
    history = ub.fit(
        net,
        x,
        y,
        **LOSS,
        optimizer=HARDLY,
        epochs=2,
        metrics=["accuracy", ub.TopK(2), spread],
        validation=(x[:7], y[:7]),
    )
    assert list(history.metrics) == [
        *("accuracy", "top_2", "spread"),
        *("validation_accuracy", "validation_top_2", "validation_spread"),
    ]
    output = ub.predict(net, x)
    wanted = [*of_arrays(output, y), *of_arrays(output[:7], y[:7])]
    assert 0 < wanted[0] < wanted[1] < 1
    for i in range(2):
        found = [curve[i] for curve in history.metrics.values()]
        np.testing.assert_allclose(found, wanted, rtol=1e-12)
    assert history.best("accuracy") == (1, history["accuracy"][0])


def test_with_weights(backend_name):
    net, (x, y) = classifier(), problem()
    w = np.random.default_rng(0).uniform(size=40) * (np.arange(40) % 3)
    options = {**LOSS, "optimizer": HARDLY, "metrics": ["accuracy", "top_2"]}
    history = ub.fit(net, x, y, sample_weight=w, validation=(x, y, w), **options)
    output = ub.predict(net, x)
    wanted = of_arrays(output, y, w)[:2]
    np.testing.assert_allclose([c[0] for c in history.metrics.values()], wanted * 2, rtol=1e-12)
    found = ub.evaluate(
        net, x, y, sample_weight=w, loss="cross_entropy", metrics=["acc", "top_2"], batch_size=7
    )
    np.testing.assert_allclose([found["accuracy"], found["top_2"]], wanted, rtol=1e-12)
    np.testing.assert_allclose(found["loss"], history.loss[0], rtol=1e-12)
    classes = {0: 0.5, 3: 4.0}
    history = ub.fit(net, x, y, class_weight=classes, **options)
    w = np.array([classes.get(label, 1.0) for label in y])
    np.testing.assert_allclose(
        [c[0] for c in history.metrics.values()], of_arrays(output, y, w)[:2], rtol=1e-12
    )


def test_they_change_nothing_of_the_training(backend_name):
    nets, (x, y) = (classifier(), classifier()), problem()
    options = {**LOSS, "optimizer": ub.SGD(0.25, 0.9), "epochs": 3}
    plain = ub.fit(nets[0], x, y, **options)
    watched = ub.fit(nets[1], x, y, metrics=["accuracy", "top_2"], validation=(x, y), **options)
    np.testing.assert_allclose(watched.loss, plain.loss, rtol=1e-12)
    for name, array in ub.state(nets[0]).items():
        np.testing.assert_allclose(ub.state(nets[1])[name], array, rtol=1e-12, atol=1e-14)


def test_they_are_the_same_everywhere():
    found = []
    for name in ub.available_backends():
        with ub.use_backend(name):
            history = ub.fit(
                classifier(),
                *problem(),
                **LOSS,
                optimizer=ub.SGD(0.25, 0.9),
                epochs=5,
                metrics=["accuracy", "top_2", spread],
                validation=problem(),
                seed=3,
            )
        found.append([history.loss, history.validation_loss, *history.metrics.values()])
    if len(found) < 2:
        pytest.skip("fewer than two frameworks are here")
    for each in found[1:]:
        np.testing.assert_allclose(each, found[0], rtol=1e-11)


@pytest.mark.parametrize("validation", [None, "given"])
def test_the_host_reads_once_an_epoch_and_once_for_the_validation(backend, validation):
    x, y = (backend.from_numpy(array) for array in problem())
    options = {**LOSS, "optimizer": ub.SGD(0.1), "epochs": 4, "metrics": ["accuracy", "top_2"]}
    net = classifier()
    with reads_of(backend) as reads:
        ub.fit(net, x, y, validation=validation and (x, y), **options)
    # A tensor of TensorFlow's is read by its buffer at the end of a validation.
    twice = validation is not None and backend.name != "tensorflow"
    assert len(reads) == 4 * (1 + twice)


def test_a_validation_is_traced_once_by_tensorflow(backend_name):
    if backend_name != "tensorflow":
        pytest.skip("only TensorFlow makes graphs unasked")
    seen, (x, y) = [], problem()

    def metric(output, y):
        seen.append(output.shape[0])
        return ub.ops.mean(output)

    ub.fit(
        classifier(),
        x,
        y,
        **LOSS,
        optimizer=ub.SGD(0.1),
        epochs=5,
        metrics=[metric],
        validation=(x[:8], y[:8]),
    )
    assert sorted(seen) == [8, 10, 15]


def test_a_trainer_gives_them_beside_the_loss(backend_name, backend):
    (x, y), order = problem(), np.arange(40)
    nets = classifier(), classifier()
    plain, watched = (
        ub.Trainer(net, ub.SGD(0.1), "cross_entropy", metrics=metrics)
        for net, metrics in zip(nets, ((), ["accuracy", "top_2"]), strict=True)
    )
    output = ub.predict(nets[0], x)
    found = backend.to_numpy(watched.step(x, y))
    loss = backend.to_numpy(plain.step(x, y))
    np.testing.assert_allclose(found, [loss, *of_arrays(output, y)[:2]], rtol=1e-12)
    found, losses = (trainer.epoch(x, y, order, 16) for trainer in (watched, plain))
    assert (found.shape, losses.shape, found.dtype) == ((3, 3), (3,), "float64")
    np.testing.assert_allclose(found[:, 0], losses, rtol=1e-12)


class Seen(ub.Callback):
    def __init__(self):
        self.steps, self.epochs = [], []

    def step(self, run):
        self.steps.append((run.loss, dict(run.metrics)))

    def epoch(self, run):
        self.epochs.append((run.loss, dict(run.metrics)))


def test_callbacks_see_them(backend_name):
    seen, (x, y) = Seen(), problem()
    history = ub.fit(
        classifier(),
        x,
        y,
        **LOSS,
        optimizer=HARDLY,
        metrics=["accuracy"],
        callbacks=[seen],
    )
    sizes = [15, 15, 10]
    assert len(seen.steps) == 3
    accuracies = [metrics["accuracy"] for _, metrics in seen.steps]
    np.testing.assert_allclose(np.average(accuracies, weights=sizes), history["accuracy"][0])
    assert seen.epochs == [(history.loss[0], {"accuracy": history["accuracy"][0]})]


def test_what_cannot_be_watched(backend_name):
    x, y = problem()
    options = {**LOSS, "optimizer": ub.SGD(0.1)}
    with pytest.raises(ValueError, match="got 'f1'"):
        ub.fit(classifier(), x, y, metrics=["f1"], **options)
    with pytest.raises(ValueError, match="at most the number of classes; got k=5"):
        ub.fit(classifier(), x, y, metrics=["top_k"], **options)
    with pytest.raises(ValueError, match="none of loss, epoch"):
        ub.Trainer(classifier(), ub.SGD(0.1), "mse", metrics=[ub.ops.mse, ub.ops.mse])
