"""What it costs to watch, to evaluate and to predict, in counts: graphs, copies and waits."""

import numpy as np
import pytest

import unified_blocks as ub
from testbed.common import normal
from testbed.learning import classifier, problem
from training.test_training_counts import reads_of

WATCHED = {"loss": "cross_entropy", "metrics": ["accuracy"]}


def traced(backend, monkeypatch):
    """A list that grows by one with each graph that TensorFlow traces."""
    if backend.name != "tensorflow":
        pytest.skip("only TensorFlow makes graphs unasked")
    from unified_blocks_tensorflow.graphs import TensorFlowGraph

    found, make = [], TensorFlowGraph.make

    def counted(self, inputs):
        before = self.traces
        made = make(self, inputs)
        found.extend(range(self.traces - before))
        return made

    monkeypatch.setattr(TensorFlowGraph, "make", counted)
    return found


@pytest.mark.parametrize("epochs", [1, 3])
def test_the_host_reads_twice_an_epoch_that_is_watched(backend, epochs):
    """What the updates gave, and what was measured."""
    net, (x, y) = classifier(), problem()
    with reads_of(backend) as reads:
        ub.fit(net, x, y, validation=(x, y), epochs=epochs, optimizer="adam", **WATCHED)
    if backend.name == "tensorflow":  # one of the two is read by its buffer
        assert len(reads) == epochs
    elif backend.name == "mxnet":
        assert len(reads) == 2 * epochs
    else:  # PyTorch's own Adam reads its count of steps
        assert sum(name != "item" for name in reads) == 2 * epochs


@pytest.mark.parametrize("callback", [False, True])
def test_validation_is_traced_once(backend, monkeypatch, callback):
    graphs = traced(backend, monkeypatch)
    callbacks = [Looking()] if callback else []
    net, (x, y) = classifier(), problem()
    options = {"validation": (x, y), "optimizer": ub.SGD(0.1), "callbacks": callbacks}
    ub.fit(net, x, y, epochs=4, **WATCHED, **options)
    assert len(graphs) == 1


class Looking(ub.Callback):
    def __init__(self):
        self.seen = 0

    def step(self, run):
        self.seen += 1


def test_a_callback_that_looks_at_nothing_adds_no_reads(backend):
    net, (x, y), looking = classifier(), problem(), Looking()
    options = {"loss": "cross_entropy", "optimizer": ub.SGD(0.1, 0.9), "batch_size": 8}
    with reads_of(backend) as reads:
        ub.fit(net, x, y, epochs=2, callbacks=[looking], **options)
    assert (looking.seen, len(reads)) == (10, 2)


@pytest.mark.parametrize("batch_size", [None, 16, 7])
def test_predictions_come_to_the_host_at_once(backend, monkeypatch, batch_size):
    net, x = classifier(), ub.from_numpy(problem()[0])
    fetched, to_numpy = [], type(backend).to_numpy
    monkeypatch.setattr(
        type(backend), "to_numpy", lambda *given: fetched.append(given) or to_numpy(*given)
    )
    with reads_of(backend) as reads:
        ub.predict(net, x, batch_size=batch_size)
    assert len(fetched) == 1
    assert len(reads) == (backend.name != "tensorflow")  # which is read by its buffer


def test_many_predictions_come_in_parts(backend_name, monkeypatch):
    from unified_blocks.training.watching import predict

    net, (x, _) = classifier(), problem()
    whole = ub.predict(net, x, batch_size=8)
    monkeypatch.setattr(predict, "MOST", 40)  # of a batch there are 32
    parts, fetch = [], predict.Fetched.fetch
    monkeypatch.setattr(
        predict.Fetched, "fetch", lambda self: parts.append(len(self.waiting)) or fetch(self)
    )
    np.testing.assert_array_equal(ub.predict(net, x, batch_size=8), whole)
    assert parts == [1, 1, 1, 1, 1]


def test_graphs_are_kept_with_the_model(backend, monkeypatch):
    graphs = traced(backend, monkeypatch)
    net, (x, y) = classifier(), problem()
    for _ in range(3):
        ub.predict(net, x, batch_size=16)
        ub.evaluate(net, x, y, batch_size=16, **WATCHED)
    assert len(graphs) == 4  # of 16 samples and of 8, each
    first = ub.predict(net, x, batch_size=16)
    ub.load_state(net, {name: 2 * array for name, array in ub.state(net).items()})
    assert not np.allclose(ub.predict(net, x, batch_size=16), first)
    assert len(graphs) == 4


class Scaled(ub.Block):
    def __init__(self):
        super().__init__()
        self.dense = ub.Dense(3, in_units=5)
        self.factor, self.table = 2.0, np.array([1.0], "float32")
        self.factors = [1.0]

    def forward(self, X):
        return self.dense(X) * self.factor * float(self.table[0]) * self.factors[0]


@pytest.mark.parametrize("change", ["factor", "table", "factors", "layer"])
def test_what_has_changed_in_a_model_is_computed(backend_name, change):
    if (backend_name, change) == ("tensorflow", "layer"):
        pytest.skip("Keras locks a model once it is built")
    net, x = ub.build(Scaled(), (2, 5)), normal(7, 5)
    before = ub.predict(net, x, batch_size=3)
    if change == "factor":
        net.factor = 6.0
    elif change == "layer":
        net.dense = ub.load_state(
            ub.Dense(3, in_units=5), {n: 3 * a for n, a in ub.state(net.dense).items()}
        )
    else:
        getattr(net, change)[0] = 3.0
    np.testing.assert_allclose(ub.predict(net, x, batch_size=3), 3 * before, rtol=1e-5)


def test_what_has_changed_deep_inside_a_native_model_is_computed(backend_name):
    if backend_name != "tensorflow":
        pytest.skip("only TensorFlow's graphs are kept")
    import keras

    class Native(keras.Model):
        def __init__(self):
            super().__init__()
            self.nested = {"deep": [(1.0, [2.0])]}

        def call(self, X):
            return X * self.nested["deep"][0][1][0]

    net, x = Native(), normal(7, 5)
    net(x)
    before = ub.predict(net, x, batch_size=3)
    net.nested["deep"][0][1][0] = 6.0
    np.testing.assert_allclose(ub.predict(net, x, batch_size=3), 3 * before, rtol=1e-5)


def test_a_copy_computes_its_own(backend_name):
    import copy

    net, (x, _) = classifier(), problem()
    before = ub.predict(net, x, batch_size=16)
    twin = copy.deepcopy(net)
    ub.load_state(twin, {name: 0 * array for name, array in ub.state(net).items()})
    assert not ub.predict(twin, x, batch_size=16).any()
    np.testing.assert_array_equal(ub.predict(net, x, batch_size=16), before)


def test_metrics_of_functions_are_seen_before_the_update(backend_name):
    """They may look at the parameters; so may a model that gives some of them."""
    net, (x, y) = classifier("float64"), problem()

    def largest(output, y):
        return ub.ops.mean(output)

    found = ub.fit(
        net, x, y, loss="cross_entropy", optimizer=ub.SGD(0.5), metrics=[largest], batch_size=40
    )
    wanted = ub.predict(classifier("float64"), x).mean()
    np.testing.assert_allclose(found["largest"], [wanted], rtol=1e-10)


def test_an_output_that_is_a_parameter_is_seen_before_it_changes(backend):
    if backend.name != "torch":
        pytest.skip("only on PyTorch outputs may be seen later")
    import torch

    class Held(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.table = torch.nn.Parameter(torch.from_numpy(normal(12)))

        def forward(self, x):
            return self.table.view(4, 3) if self.training else self.table.detach().view(4, 3)

    x, y = normal(8, 2), np.zeros((8, 3), "float32")
    options = {"loss": "mse", "optimizer": ub.SGD(0.5), "metrics": ["mse"], "batch_size": 4}
    history = ub.fit(Held(), x, y, epochs=2, **options)
    np.testing.assert_allclose(history["mse"], history.loss, rtol=1e-5)
    assert history.loss[1] < 0.9 * history.loss[0]
