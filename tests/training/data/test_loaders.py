"""Loaders of a framework, on it and on others."""

import numpy as np
import pytest

import unified_blocks as ub
from testbed.learning import classifier, problem
from testbed.loaders import HERE, LOADERS, batches, same_state, second_input, two
from unified_blocks.backend.registry import load_backend
from unified_blocks.training.data.feed import Feed
from unified_blocks.training.data.stream import Stream, loader_of, opened

OPTIONS = {"loss": "cross_entropy", "optimizer": ub.SGD(0.125, 0.5), "epochs": 2}
W = np.random.default_rng(5).uniform(0.1, 2, 40)


def by_steps(net, given, epochs=2):
    """The same training, as a loop over `Trainer.step` on arrays."""
    trainer, losses = ub.Trainer(net, OPTIONS["optimizer"], "cross_entropy"), []
    for _ in range(epochs):
        found = [float(ub.to_numpy(trainer.step(*batch))) for batch in given]
        masses = [batch[2].sum() if len(batch) > 2 else len(batch[1]) for batch in given]
        losses.append(np.average(found, weights=masses))
    return losses


@pytest.mark.parametrize("owner", HERE)
@pytest.mark.parametrize("more", [(), (W,)], ids=("plain", "weighted"))
def test_fit_is_a_loop_over_its_batches(backend_name, owner, more):
    x, y = problem()
    nets = classifier(), classifier()
    losses = by_steps(nets[0], batches(x, y, *more, batch_size=15))
    history = ub.fit(nets[1], LOADERS[owner](x, y, *more, batch_size=15), **OPTIONS)
    np.testing.assert_allclose(history.loss, losses, rtol=1e-13)
    same_state(*nets, tolerance=1e-14)


@pytest.mark.parametrize("owner", HERE)
def test_evaluate_predict_and_validation(backend_name, owner):
    (x, y), net = problem(), classifier()
    loader = LOADERS[owner](x, y, batch_size=15)
    loss = ub.evaluate(net, x, y, loss="cross_entropy")["loss"]
    np.testing.assert_allclose(ub.evaluate(net, loader, loss="cross_entropy")["loss"], loss)
    np.testing.assert_allclose(ub.predict(net, loader), ub.predict(net, x), rtol=1e-12)
    options = {**OPTIONS, "optimizer": ub.SGD(1e-30), "epochs": 1}
    history = ub.fit(net, x, y, validation=loader, **options)
    np.testing.assert_allclose(history.validation_loss, [loss], rtol=1e-12)


@pytest.mark.parametrize("owner", HERE)
def test_an_unbuilt_net_is_built_by_the_first_batch(backend_name, owner):
    x, y = problem("float32")
    net = ub.MLP(16, 4)
    ub.fit(net, LOADERS[owner](x, y), **OPTIONS)
    assert ub.state(net)["hidden.weight"].shape == (16, 6)


def test_several_inputs(backend_name):
    (x, y), z, nets = problem(), second_input(), (two(), two())
    given = [((x[i : i + 8], z[i : i + 8]), y[i : i + 8]) for i in range(0, 40, 8)]
    losses = by_steps(nets[0], given)
    if backend_name == "tensorflow":
        import tensorflow as tf

        loader = tf.data.Dataset.from_tensor_slices(({"Z": z, "X": x}, y)).batch(8)
    elif backend_name == "torch":
        from torch.utils.data import DataLoader

        loader = DataLoader([({"Z": z[i], "X": x[i]}, y[i]) for i in range(40)], batch_size=8)
    else:
        from mxnet.gluon.data import ArrayDataset, DataLoader

        loader = DataLoader(ArrayDataset(ArrayDataset(x, z), y), batch_size=8)
    np.testing.assert_allclose(ub.fit(nets[1], loader, **OPTIONS).loss, losses, rtol=1e-13)
    same_state(*nets, tolerance=1e-14)


def native(backend, loader):
    feed = Feed(backend, None)
    return [(given, feed.batch(given)) for given in opened(loader_of("fit", loader))]


def address(tensor):
    return ub.to_numpy(tensor).ctypes.data


@pytest.mark.parametrize("owner", HERE)
def test_batches_are_not_copied(backend_name, backend, owner):
    """Of their own framework never; from others where the two share memory."""
    x, y = problem()
    found = native(backend, LOADERS[owner](x, y))
    assert len(found) == 5
    own = load_backend(owner)
    for given, batch in found:
        for before, after in zip(given, batch, strict=False):
            np.testing.assert_array_equal(ub.to_numpy(after), ub.to_numpy(before))
            assert backend.is_tensor(after)
            if owner == backend_name:
                assert owner == "mxnet" or after is before
                assert address(before) == address(after)
            else:
                try:
                    shared = ub.as_tensor(own.tensor_of(before), backend_name, copy=False)
                except ub.SharingError:
                    continue
                assert address(shared) == address(after) == address(before)


def test_pairs_that_share(backend_name, backend):
    """PyTorch takes what TensorFlow and MXNet give, and MXNet what PyTorch gives."""
    pairs = {"torch": ["tensorflow", "mxnet"], "mxnet": ["torch"], "tensorflow": []}
    x, y = (array.repeat(16, axis=0) for array in problem("float32"))
    for owner in pairs[backend_name]:
        if owner in HERE:
            ((given, batch),) = native(backend, LOADERS[owner](x, y, batch_size=640))
            assert address(given[0]) == address(batch[0])


@pytest.mark.parametrize("owner", HERE)
def test_it_says_how_many_updates_there_are(backend, owner):
    loader = LOADERS[owner](*problem(), batch_size=15)
    assert Stream(backend, None, loader).steps == 3
    assert Stream(backend, None, loader, accumulate=2).steps == 2


def test_arrays_that_are_filled_again(backend_name):
    """A generator may give one array each time."""
    (x, y), nets = problem(), (classifier(), classifier())
    given = batches(x, y)

    def again():
        inputs, targets = np.empty((8, 6)), np.empty(8, int)
        for a, b in given:
            inputs[:], targets[:] = a, b
            yield inputs, targets

    losses = by_steps(nets[0], given)
    np.testing.assert_allclose(ub.fit(nets[1], again, **OPTIONS).loss, losses, rtol=1e-13)
    same_state(*nets, tolerance=1e-14)


@pytest.mark.parametrize("semantics", [False, True])
def test_gluon_loaders_of_either_kind_of_array(backend_name, semantics):
    if backend_name != "mxnet":
        pytest.skip("only MXNet has two kinds of arrays")
    import mxnet as mx

    (x, y), nets = problem("float32"), (classifier("float32"), classifier("float32"))
    losses = by_steps(nets[0], batches(x, y.astype("int32")))
    with mx.util.np_shape(semantics), mx.util.np_array(semantics):
        arrays = mx.np if semantics else mx.nd
        data = mx.gluon.data.ArrayDataset(arrays.array(x), arrays.array(y, dtype="int32"))
        loader = mx.gluon.data.DataLoader(data, batch_size=8)
        history = ub.fit(nets[1], loader, **OPTIONS)
    np.testing.assert_allclose(history.loss, losses, rtol=1e-6)
    same_state(*nets, tolerance=1e-6)


def test_an_mxnet_iterator_without_what_fills_up_its_last_batch(backend_name):
    if "mxnet" not in HERE:
        pytest.skip("MXNet is not here")
    load_backend("mxnet")
    import mxnet as mx

    x, y = problem("float32")
    nets = classifier("float32"), classifier("float32")
    losses = by_steps(nets[0], batches(x, y, batch_size=15))
    history = ub.fit(
        nets[1], mx.io.NDArrayIter(x, y, batch_size=15), **{**OPTIONS, "loss": of_floats}
    )
    np.testing.assert_allclose(history.loss, losses, rtol=1e-6)
    same_state(*nets, tolerance=1e-6)


def of_floats(output, y):
    return ub.ops.cross_entropy(output, ub.ops.astype(y, "int32"))


def test_a_dataset_of_keras(backend_name):
    if "tensorflow" not in HERE:
        pytest.skip("Keras is not here")
    import keras

    given, begun, ended = batches(*problem()), [], []

    class Parts(keras.utils.PyDataset):
        def __len__(self):
            return len(given)

        def __getitem__(self, index):
            return given[index]

        def on_epoch_begin(self):
            begun.append(1)

        def on_epoch_end(self):
            ended.append(1)

    nets = classifier(), classifier()
    losses = by_steps(nets[0], given)
    np.testing.assert_allclose(ub.fit(nets[1], Parts(), **OPTIONS).loss, losses, rtol=1e-13)
    assert len(begun) == len(ended) == 2


def test_workers_of_a_torch_loader(backend_name):
    if "torch" not in HERE:
        pytest.skip("PyTorch is not here")
    from torch.utils.data import DataLoader, TensorDataset

    x, y = problem()
    data = TensorDataset(*(ub.from_numpy(array, "torch", copy=True) for array in (x, y)))
    if backend_name == "torch":
        loader = DataLoader(data, batch_size=8, num_workers=1)
        nets = classifier(), classifier()
        losses = by_steps(nets[0], batches(x, y))
        np.testing.assert_allclose(ub.fit(nets[1], loader, **OPTIONS).loss, losses, rtol=1e-13)


def test_accumulated_batches(backend_name):
    """Of the same sizes they are as one; the last has fewer."""
    (x, y), nets = problem(), (classifier(), classifier())
    first = ub.fit(nets[0], batches(x, y, batch_size=16), **OPTIONS)
    second = ub.fit(nets[1], batches(x, y, batch_size=8), accumulate=2, **OPTIONS)
    np.testing.assert_allclose(first.loss, second.loss, rtol=1e-12)
    same_state(*nets, tolerance=1e-12)
    nets = classifier(), classifier()
    first = ub.fit(nets[0], x, y, batch_size=16, **OPTIONS)
    second = ub.fit(nets[1], x, y, batch_size=8, accumulate=2, **OPTIONS)
    np.testing.assert_allclose(first.loss, second.loss, rtol=1e-12)
    same_state(*nets, tolerance=1e-12)


class Short(list):
    """Says that it has fewer batches than it gives."""

    def __len__(self):
        return 2


@pytest.mark.parametrize("loader", [Short, list])
def test_a_schedule_goes_on_until_there_is_no_batch(backend_name, loader):
    given, rates = loader(batches(*problem())), []
    assert len([*given]) == 5

    def schedule(t):
        rates.append(t)
        return 1.0

    nets = classifier(), classifier()
    losses = ub.fit(nets[0], given, **OPTIONS).loss
    assert ub.fit(nets[1], given, schedule=schedule, **OPTIONS).loss == losses
    assert rates[0] == 0
    assert sorted(set(rates)) == list(range(10))  # no more are asked for: a schedule may be a table
    same_state(*nets, tolerance=1e-12)


def test_with_a_schedule_a_worker_tells_that_it_has_no_more(backend, monkeypatch):
    """Or the others would wait for it."""
    told = []
    net = classifier()
    kind = type(ub.Trainer(net, OPTIONS["optimizer"], OPTIONS["loss"]).training_step)
    monkeypatch.setattr(kind, "ended", lambda step: told.append(step))
    ub.fit(net, batches(*problem()), schedule=lambda t: 1.0, **OPTIONS)
    assert len(told) == OPTIONS["epochs"]
