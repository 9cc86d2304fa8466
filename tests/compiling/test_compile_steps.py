"""`ub.compile` of a `Trainer`: its step in the fastest way that takes the same path."""

import numpy as np
import pytest

import unified_blocks as ub
from testbed.learning import classifier, problem
from unified_blocks.compiling.steps import RANDOM
from unified_blocks.reference.policy import deviation


def trained(dtype="float64", optimizer=None, loss="cross_entropy", net=None):
    net = net or classifier(dtype)
    return ub.Trainer(net, optimizer or ub.SGD(0.125, momentum=0.875), loss)


def path(step, trainer, batches):
    losses = [float(ub.to_numpy(step(x, y))) for x, y in batches]
    return losses, ub.state(trainer.net)


def batches(dtype="float64", size=8):
    x, y = problem(dtype)
    return [(x[i : i + size], y[i : i + size]) for i in range(0, len(x), size)]


OPTIMIZERS = {"SGD": ub.SGD(0.125, momentum=0.875), "Adam": ub.Adam(0.01)}


@pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=list(OPTIMIZERS))
def test_each_kind_of_step_takes_the_same_path(backend, optimizer):
    given = batches()
    first = trained(optimizer=optimizer)
    losses, numbers = path(first.step, first, given)
    for kind in first.training_step.kinds[1:]:
        other = trained(optimizer=optimizer)
        other.training_step.use(kind)
        found, after = path(other.step, other, given)
        np.testing.assert_allclose(found, losses, rtol=1e-9)
        for name, array in numbers.items():
            assert deviation(after[name], array, "float64", "trained").ok, name


def test_the_choice_is_in_force_and_all_numbers_are_as_before(backend):
    """In the middle of a training."""
    given = batches()
    one, other = trained(), trained()
    for trainer in (one, other):
        path(trainer.step, trainer, given[:2])
    before = {**ub.state(other.net), **ub.state(other)}
    step = ub.compile(other, given[0])
    after = {**ub.state(other.net), **ub.state(other)}
    for name, array in before.items():
        assert deviation(after[name], array, "float64").ok, name
    assert [f.name for f in step.figures] == list(other.training_step.kinds)
    assert step.choice in other.training_step.kinds
    assert all(figure.obstacle is None for figure in step.figures)
    assert repr(step).splitlines()[0] == f"Trainer of MLP on {backend.title}: {step.choice}"
    losses, numbers = path(one.step, one, given[2:])
    found, compiled = path(step, other, given[2:])
    np.testing.assert_allclose(found, losses, rtol=1e-9)
    for name, array in numbers.items():
        assert deviation(compiled[name], array, "float64", "trained").ok, name
    assert other.training_step.count == len(given)


def test_an_epoch_runs_the_choice(backend, monkeypatch):
    x, y = problem()
    one, other = trained(), trained()
    kind = other.training_step.kinds[-1]
    monkeypatch.setattr("unified_blocks.compiling.compiled.fastest", lambda figures: kind)
    assert ub.compile(other, (x[:8], y[:8])).choice == kind
    order = np.random.default_rng(0).permutation(len(x))
    losses = one.epoch(x, y, order, 8)
    np.testing.assert_allclose(other.epoch(x, y, order, 8), losses, rtol=1e-9)
    assert other.training_step.traces > 0


def test_one_graph_for_each_shape_of_batch(backend):
    """On MXNet one for all; PyTorch leaves a size open that it has once seen change."""
    x, y = problem()
    for kind in trained().training_step.kinds[1:]:
        trainer = trained()
        trainer.training_step.use(kind)
        counts = []
        for size in (8, 8, 5, 5, 8, 7):
            trainer.step(x[:size], y[:size])
            counts.append(trainer.training_step.traces)
        allowed = {
            "torch": ([1, 1, 2, 2, 2, 2], [1] * 6),
            "tensorflow": ([1, 1, 2, 2, 2, 3],),
            "mxnet": ([1] * 6,),
        }
        assert counts in allowed[backend.name]


def test_a_loss_without_targets(backend):
    net = ub.initialize(ub.build(ub.FixedHiddenMLP(6, dtype="float64"), (4, 6)), seed=0)
    x, _ = problem()
    trainer = trained(net=net, loss="sum")
    step = ub.compile(trainer, x[:4])
    assert all(figure.obstacle is None for figure in step.figures)
    assert np.isfinite(ub.to_numpy(step(x[:4])))


def test_a_random_step_stays_as_it_is(backend):
    with ub.use_dtype("float64"):
        net = ub.MySequential(ub.Dense(16, in_units=6), ub.Dropout(0.5), ub.Dense(4, in_units=16))
    trainer = trained(net=ub.initialize(net, 0))
    step = ub.compile(trainer, batches()[0])
    assert step.choice == trainer.training_step.kinds[0]
    assert {figure.obstacle for figure in step.figures[1:]} == {RANDOM}


def test_a_step_that_takes_another_path_is_not_chosen(backend, monkeypatch):
    """Here by a loss that is 1.01 of itself in another kind of step."""
    trainer = trained()
    step = trainer.training_step
    kind = step.kinds[-1]

    def use(wanted):
        step.wrong = wanted == kind

    def changed(self, x, y):
        loss = backend.to_numpy(call(self, x, y))
        return backend.from_numpy(loss * 1.01 if self.wrong else loss)

    call, step.wrong = type(step).__call__, False
    monkeypatch.setattr(step, "use", use)
    monkeypatch.setattr(type(step), "__call__", changed)
    found = ub.compile(trainer, batches()[0])
    assert found.choice != kind
    wrong = found.figures[-1]
    assert (wrong.name, wrong.worst.name, wrong.obstacle) == (kind, "loss", "out of tolerance")


def test_a_step_that_cannot_be_made_is_not_chosen(backend, monkeypatch):
    trainer = trained()
    step, use = trainer.training_step, trainer.training_step.use

    def failing(kind):
        if kind != step.kinds[0]:
            raise RuntimeError("no graph of this")
        use(kind)

    monkeypatch.setattr(step, "use", failing)
    before = ub.state(trainer.net)
    found = ub.compile(trainer, batches()[0])
    assert found.choice == step.kinds[0]
    assert {f.obstacle for f in found.figures[1:]} == {"RuntimeError: no graph of this"}
    assert all(np.array_equal(before[key], array) for key, array in ub.state(trainer.net).items())


def test_the_framework_s_own_default(backend):
    trainer = trained()
    step = ub.compile(trainer, mode="native")
    assert step.choice == next(k for k in trainer.training_step.kinds if k != "eager")
    assert step.figures == ()
    step(*batches()[0])
    assert step.traces == 1


def test_targets_that_do_not_fit_the_loss_are_its_error(backend):
    trainer = trained()
    with pytest.raises(ValueError, match="cross_entropy"):
        ub.compile(trainer, problem()[0])


def test_a_trainer_that_had_weights(backend):
    (x, y), *_ = batches()
    trainer = trained()
    trainer.step(x, y, np.ones(len(x)))
    step = ub.compile(trainer, (x, y))
    assert all(figure.obstacle is None for figure in step.figures)
