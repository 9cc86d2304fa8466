"""Batches of arrays: an order from the seed, in pieces as at once, and structures of tensors."""

from collections import namedtuple

import numpy as np
import pytest

import unified_blocks as ub
from testbed.learning import classifier, problem
from unified_blocks.training.data.arrays import Arrays
from unified_blocks.training.data.batches import mapped, mass, tensors_in

Pair = namedtuple("Pair", "one other")


def source_and_trainer(**options):
    trainer = ub.Trainer(classifier(), ub.SGD(0.125, 0.5), "cross_entropy")
    options = {"batch_size": 16, "seed": 3, **options}
    return Arrays(trainer.backend, trainer.device, *problem(), **options), trainer


def test_it_says_what_there_is(backend):
    source, _ = source_and_trainer(batch_size=15)
    assert (source.samples, source.steps) == (40, 3)
    for found, wanted in zip(source.first(), problem(), strict=False):
        np.testing.assert_array_equal(backend.to_numpy(found), wanted[:15])


@pytest.mark.parametrize("counts", [[None], [1, 1, 1], [2, 2], [1, None]])
def test_pieces_are_the_epoch(backend_name, counts):
    source, trainer = source_and_trainer()
    whole, other = source_and_trainer()
    for epoch in (1, 2):
        source.begin(epoch)
        whole.begin(epoch)
        pieces = [source.take(trainer.training_step, count) for count in counts]
        wanted, masses = whole.take(other.training_step)
        np.testing.assert_array_equal(np.concatenate([p[0] for p in pieces]), wanted)
        assert [m for p in pieces for m in p[1]] == list(masses) == [16, 16, 8]
        values, masses = source.take(trainer.training_step)
        assert (values.shape, list(masses)) == ((0,), [])
        assert source.one(trainer.training_step) is None
    assert ub.diff_state(ub.state(trainer.net), ub.state(other.net)).equal


def test_single_updates_are_the_epoch(backend_name):
    source, trainer = source_and_trainer()
    whole, other = source_and_trainer()
    source.begin(1)
    whole.begin(1)
    step, found = trainer.training_step, []
    with step.running():
        while (update := source.one(step)) is not None:
            found.append(update)
    wanted, masses = whole.take(other.training_step)
    np.testing.assert_array_equal(step.fetched([value for value, _ in found]), wanted)
    assert [m for _, m in found] == list(masses)
    assert ub.diff_state(ub.state(trainer.net), ub.state(other.net)).equal


def test_an_epoch_can_be_repeated_from_its_middle(backend_name):
    source, _ = source_and_trainer()
    source.begin(1)
    source.begin(2)
    state, order = source.state(), source.order
    again, trainer = source_and_trainer(seed=99)
    again.load(state)
    again.begin(2, skip=2)
    np.testing.assert_array_equal(again.order, order)
    _, masses = again.take(trainer.training_step)
    assert list(masses) == [8]


def test_weights_are_the_masses(backend_name):
    weights = np.arange(40.0)
    source, _ = source_and_trainer(w=weights)
    source.begin(1)
    wanted = [weights[source.order[i : i + 16]].sum() for i in (0, 16, 32)]
    np.testing.assert_allclose(source.masses, wanted, rtol=1e-15)


def test_structures(backend_name):
    nested = {"a": (1, [2, None]), "b": Pair(3, 4)}
    assert mapped(lambda n: -n, nested) == {"a": (-1, [-2, None]), "b": Pair(-3, -4)}
    assert isinstance(mapped(abs, nested)["b"], Pair)
    assert list(tensors_in(nested)) == [1, 2, 3, 4]
    assert mapped(abs, None) is None


def test_the_mass_of_a_batch(backend):
    x = backend.from_numpy(np.ones((5, 2)))
    assert mass((x, None, None)) == mass(({"a": x}, None, None)) == 5
    assert mass((x, None, backend.from_numpy(np.array([1.0, 0, 2, 0, 0.5])))) == 3.5
