"""Clipping, accumulation, groups and averages are their formulas, alone and all together."""

import numpy as np
import pytest

import unified_blocks as ub
from testbed.formula import START, Formula, X, Y, check, step_of, tolerance
from unified_blocks.backend import PLAIN, StepOptions
from unified_blocks.training.learning.schedules import rates

OPTIMIZERS = (
    ub.SGD(0.25),
    ub.SGD(0.125, 0.875),
    ub.SGD(0.125, 0.875, nesterov=True, weight_decay=0.25),
    ub.Adam(0.001, weight_decay=0.25),
    ub.AdamW(0.001, weight_decay=0.25),
    ub.RMSprop(0.01, 0.75, 0.01),
    ub.Adagrad(0.125, 0.01),
)
CLIPS = (
    ub.Clip(value=0.1),
    ub.Clip(norm=0.3),
    ub.Clip(norm=1e9),
    ub.Clip(global_norm=0.3),
    ub.Clip(global_norm=1e9),
)
GROUPS = (
    ub.ParameterGroup("b*", weight_decay=0.0, learning_rate=0.25),
    ub.ParameterGroup("*", weight_decay=0.1),
)
ALL = StepOptions(
    clip=ub.Clip(global_norm=0.3), groups=GROUPS, accumulate=2, average=0.75, scheduled=True
)
ORDER = np.random.default_rng(4).permutation(10)
SCHEDULE = ub.WarmUp(2, then=ub.StepDecay(3, 0.5))

kinds = pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=repr)


def run(backend, optimizer, options, epochs=2, size=4):
    """The framework's steps, those of the formula, and the losses of both."""
    net, step = step_of(optimizer, options)
    formula = Formula(optimizer, options)
    data = tuple(backend.from_numpy(a) for a in (X, Y))
    per_update = size * options.accumulate
    updates = -(-10 // per_update)
    found, expected = [], []
    for epoch in range(epochs):
        factors = [SCHEDULE(t) for t in range(epoch * updates, (epoch + 1) * updates)]
        more = {}
        if options.scheduled:
            more["rates"] = rates(SCHEDULE, optimizer.learning_rate, epoch * updates, updates)
        found.append(step.epoch(*data, ORDER, size, **more))
        for i, factor in enumerate(factors):
            rows = ORDER[i * per_update : (i + 1) * per_update]
            expected.append(formula.update(rows, factor if options.scheduled else 1.0))
    return net, step, formula, np.concatenate(found), np.array(expected)


def check_run(backend, optimizer, options, **more):
    net, step, formula, found, expected = run(backend, optimizer, options, **more)
    atol = 1e2 * tolerance(optimizer, backend.name)
    np.testing.assert_allclose(found, expected, rtol=0, atol=atol)
    check(net, formula, backend.name)
    return net, step, formula


@kinds
def test_rates_of_a_schedule(backend, optimizer):
    _, step, formula = check_run(backend, optimizer, StepOptions(scheduled=True), epochs=4)
    for slot in step.slots():
        assert slot.scale == 1
        name, _, kept = slot.name.rpartition(".")
        atol = tolerance(optimizer, backend.name)
        np.testing.assert_allclose(slot.held(), formula.kept[name][kept], rtol=0, atol=atol)


@pytest.mark.parametrize("clip", CLIPS, ids=repr)
@pytest.mark.parametrize("optimizer", OPTIMIZERS[2:4], ids=repr)
def test_clipping(backend, optimizer, clip):
    net, *_ = check_run(backend, optimizer, StepOptions(clip=clip))
    if 1e9 in (clip.norm, clip.global_norm):  # what needs no clipping keeps its bits
        plain, *_ = run(backend, optimizer, PLAIN)
        for name, array in ub.state(plain).items():
            np.testing.assert_array_equal(ub.state(net)[name], array)


@pytest.mark.parametrize("clip", CLIPS[:4], ids=repr)
def test_a_nan_is_not_clipped_away(backend, clip):
    net, step = step_of(ub.SGD(0.1), StepOptions(clip=clip))
    broken = X.copy()
    broken[0, 0] = np.nan
    step(backend.from_numpy(broken), backend.from_numpy(Y))
    assert np.isnan(ub.state(net)["weight"][:, 0]).all()


@pytest.mark.parametrize("size", [1, 3, 4, 10])
@pytest.mark.parametrize("optimizer", OPTIMIZERS[:4], ids=repr)
def test_several_batches_are_one_large_one(backend, optimizer, size):
    check_run(backend, optimizer, StepOptions(accumulate=3), size=size)


def test_batches_that_come_one_by_one(backend):
    net, step = step_of(OPTIMIZERS[1], StepOptions(accumulate=2, scheduled=True))
    formula = Formula(OPTIMIZERS[1])
    with step.running():
        losses = []
        for groups, factor in (([[0, 1, 2], [3]], 1.0), ([[4, 5], [6, 7]], 0.5), ([[8, 9]], 0.0)):
            batches = [[*(backend.from_numpy(a[rows]) for a in (X, Y)), None] for rows in groups]
            losses.append(step.accumulated(batches, OPTIMIZERS[1].learning_rate * factor))
            if factor:
                expected = formula.update(np.concatenate(groups), factor)
            else:
                expected = formula.loss(groups[0])
            assert backend.to_numpy(losses[-1]) == pytest.approx(expected, rel=1e-12)
        assert step.fetched(losses).shape == (3,)
    assert step.count == 3
    check(net, formula, backend.name)


def test_a_step_computes_its_batch_in_parts(backend):
    net, step = step_of(OPTIMIZERS[1], StepOptions(accumulate=4))
    formula = Formula(OPTIMIZERS[1])
    for rows in (range(10), range(2), [3]):
        rows = list(rows)
        loss = step(*(backend.from_numpy(a[rows]) for a in (X, Y)))
        assert backend.to_numpy(loss) == pytest.approx(formula.update(rows), rel=1e-12)
    check(net, formula, backend.name)


@kinds
def test_groups_of_parameters(backend, optimizer):
    decays = hasattr(optimizer, "weight_decay")
    groups = GROUPS if decays else (ub.ParameterGroup("b*", learning_rate=0.25),)
    check_run(backend, optimizer, StepOptions(groups=groups))
    check_run(backend, optimizer, StepOptions(groups=groups[:1]))
    net, _, _ = check_run(
        backend, optimizer, StepOptions(groups=(ub.ParameterGroup("bias", learning_rate=0.0),))
    )
    np.testing.assert_array_equal(ub.state(net)["bias"], START["bias"])


def test_a_rate_of_groups_that_is_set(backend):
    options = StepOptions(groups=GROUPS)
    net, step = step_of(OPTIMIZERS[1], options)
    formula = Formula(OPTIMIZERS[1], options)
    x, y = (backend.from_numpy(a) for a in (X, Y))
    for rate in (0.125, 0.03125, 0.0625):
        step.set_learning_rate(rate)
        step(x, y)
        formula.update(np.arange(10), rate / 0.125)
    check(net, formula, backend.name)


def test_groups_that_fit_nothing_or_ask_too_much(backend):
    with pytest.raises(ValueError, match=r"got '\*\.biass', and the names are .*weight"):
        step_of(ub.SGD(0.1), StepOptions(groups=(ub.ParameterGroup("*.biass"),)))
    with pytest.raises(ValueError, match="must be for an optimizer that has it"):
        step_of(ub.Adagrad(), StepOptions(groups=(ub.ParameterGroup("*", weight_decay=0.1),)))


@pytest.mark.parametrize("optimizer", OPTIMIZERS[:4], ids=repr)
def test_averages(backend, optimizer):
    net, step, formula = check_run(backend, optimizer, StepOptions(average=0.75), epochs=3)
    before, atol = ub.state(net), tolerance(optimizer, backend.name)
    assert sorted(slot.name for slot in step.averages()) == ["bias", "weight"]
    for slot in step.averages():
        assert (slot.shape, slot.dtype) == (START[slot.name].shape, "float64")
        np.testing.assert_allclose(slot.read(), formula.average[slot.name], rtol=0, atol=atol)
    with step.averaged():
        inside = ub.state(net)
    for slot in step.averages():
        np.testing.assert_array_equal(inside[slot.name], slot.held())
        slot.hold(START[slot.name])
        np.testing.assert_array_equal(slot.held(), START[slot.name])
    assert all(np.array_equal(ub.state(net)[name], before[name]) for name in before)


def test_averages_of_numbers_that_lie_elsewhere_since(backend_name):
    """As those of PyTorch do after `net.double().float()`."""
    if backend_name != "torch":
        pytest.skip("the numbers of a variable lie where they lay")
    net = ub.initialize(ub.build(ub.Dense.on("torch")(2), (4, 3)), 0)
    trainer = ub.Trainer(net, ub.SGD(0.1), "mse", average=0.5)
    net.double().float()
    for _ in range(40):
        trainer.step(*(np.ones((4, n), "float32") for n in (3, 2)))
    average = ub.state(trainer)["average.weight"]
    np.testing.assert_allclose(average, ub.state(net)["weight"], atol=1e-5)
    with trainer.averaged():
        np.testing.assert_array_equal(ub.state(net)["weight"], average)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "bool"])
def test_weights_of_several_batches(backend_name, dtype):
    """Parts with weights are the whole with them, of a model in float32 too."""
    x, y = (a.astype("float32") for a in (X, Y))
    w = (np.arange(len(x)) % 3).astype(dtype)
    found = []
    for more in ({"batch_size": len(x)}, {"batch_size": 3, "accumulate": 4}):
        net = ub.build(ub.Dense.on(backend_name)(Y.shape[1]), x.shape)
        ub.initialize(net, 0)
        more |= {"optimizer": ub.SGD(0.1), "loss": "mse", "epochs": 2, "sample_weight": w}
        ub.fit(net, x, y, **more)
        found.append(ub.state(net))
    for name, array in found[0].items():
        np.testing.assert_allclose(found[1][name], array, rtol=1e-5, atol=1e-6)


@kinds
def test_all_at_once(backend, optimizer):
    options = ALL
    if not hasattr(optimizer, "weight_decay"):
        options = StepOptions(
            clip=ALL.clip, accumulate=2, average=0.75, scheduled=True, groups=GROUPS[:0]
        )
    _, step, formula = check_run(backend, optimizer, options, epochs=6, size=2)
    for slot in step.averages():
        atol = tolerance(optimizer, backend.name)
        np.testing.assert_allclose(slot.read(), formula.average[slot.name], rtol=0, atol=atol)
