"""Generators, functions that make them, lists and iterables of batches."""

import numpy as np
import pytest

import unified_blocks as ub
from testbed.learning import classifier, problem
from testbed.loaders import batches, same_state
from unified_blocks.training.data.stream import Stream, is_loader

OPTIONS = {"loss": "cross_entropy", "optimizer": ub.SGD(0.125, 0.5)}


class Iterable:
    def __init__(self, given):
        self.given = given

    def __iter__(self):
        return iter(self.given)


WAYS = {
    "list": lambda given: given,
    "function": lambda given: lambda: iter(given),
    "generator function": lambda given: lambda: (batch for batch in given),
    "iterable": Iterable,
    "list of lists": lambda given: [list(batch) for batch in given],
}


@pytest.mark.parametrize("way", WAYS)
def test_all_ways_are_the_same(backend_name, way):
    (x, y), nets = problem(), (classifier(), classifier())
    given = batches(x, y)
    trainer = ub.Trainer(nets[0], OPTIONS["optimizer"], "cross_entropy")
    losses = [
        np.mean([float(ub.to_numpy(trainer.step(*batch))) for batch in given]) for _ in range(3)
    ]
    history = ub.fit(nets[1], WAYS[way](given), epochs=3, **OPTIONS)
    np.testing.assert_allclose(history.loss, losses, rtol=1e-13)
    same_state(*nets, tolerance=1e-14)


def test_a_generator_is_for_one_epoch(backend_name):
    (x, y), nets = problem(), (classifier(), classifier())
    first = ub.fit(nets[0], batches(x, y), **OPTIONS)
    second = ub.fit(nets[1], (batch for batch in batches(x, y)), **OPTIONS)
    np.testing.assert_array_equal(first.loss, second.loss)
    same_state(*nets)
    with pytest.raises(ValueError, match="for one epoch; got a generator and epochs=2: give a fun"):
        ub.fit(nets[1], (batch for batch in batches(x, y)), epochs=2, **OPTIONS)


def test_building_uses_no_batch_of_a_generator(backend_name):
    x, y = problem("float32")
    seen = []

    def given():
        for batch in batches(x, y):
            seen.append(len(batch[0]))
            yield batch

    ub.fit(ub.MLP(8, 4), given(), **OPTIONS)
    assert seen == [8] * 5


def test_without_targets(backend_name):
    x, _ = problem()
    net = classifier()
    options = {"loss": "mean", "optimizer": ub.SGD(0.125)}
    history = ub.fit(net, lambda: iter([x[:20], x[20:]]), epochs=2, **options)
    assert history.loss[1] < history.loss[0]


def test_pieces_and_skipping(backend):
    given = batches(*problem())
    net = classifier()
    step = ub.Trainer(net, ub.SGD(0.1), "cross_entropy").training_step
    stream = Stream(backend, None, given)
    assert (stream.samples, stream.steps) == (None, 5)
    np.testing.assert_array_equal(backend.to_numpy(stream.first()[0]), given[0][0])
    stream.begin(1, skip=1)
    values, masses = stream.take(step, 2)
    assert (values.shape, masses) == ((2,), [8, 8])
    values, masses = stream.take(step)
    assert (values.shape, masses) == ((2,), [8, 8])
    values, masses = stream.take(step)
    assert (values.shape, masses) == ((0,), [])
    stream.begin(2, skip=5)
    assert stream.take(step)[1] == []
    assert stream.state() == {}
    assert step.count == 4


def test_what_a_loader_is():
    x = np.ones((4, 2))
    for data in (None, x, (x, x), [x, x], {"a": x}, [1, 2], [[1, 2], [3, 4]], ((x, x), (x, x))):
        assert not is_loader(data)
    for data in ([(x, x)], [[x, x], [x, x]], iter([x]), lambda: iter([x]), range(3), Iterable([])):
        assert is_loader(data)
