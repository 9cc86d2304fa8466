"""How a network learns, as `fit` and `Trainer` are told."""

import numpy as np
import pytest

import unified_blocks as ub
from testbed.formula import START, Formula, X, Y, check, dense, tolerance
from unified_blocks.backend import StepOptions

OPTIMIZER = ub.SGD(0.25, 0.75, weight_decay=0.125)
GROUPS = (ub.ParameterGroup("bias", weight_decay=0.0, learning_rate=0.5),)
HOW = {"clip": ub.Clip(global_norm=0.3), "groups": GROUPS, "average": 0.75, "accumulate": 2}
EPOCHS, SIZE = 4, 3


def orders():
    generator = np.random.Generator(np.random.PCG64(0))
    return [generator.permutation(10) for _ in range(EPOCHS)]


def by_formula(optimizer=OPTIMIZER, schedule=lambda t: 1.0, **how):
    """The formula after the epochs, and the mean loss of each."""
    formula, losses = Formula(optimizer, StepOptions(**how)), []
    size = SIZE * how.get("accumulate", 1)
    for order in orders():
        batches = [order[i : i + size] for i in range(0, 10, size)]
        values = [formula.update(rows, schedule(formula.t)) for rows in batches]
        losses.append(np.average(values, weights=[len(rows) for rows in batches]))
    return formula, losses


def fit(net, optimizer=OPTIMIZER, **how):
    options = {"epochs": EPOCHS, "batch_size": SIZE, "progress": False, **how}
    return ub.fit(net, X, Y, loss="mse", optimizer=optimizer, **options)


@pytest.mark.parametrize(
    "schedule",
    [ub.StepDecay(3, 0.5), ub.CosineDecay(6), ub.WarmUp(4), lambda t: 1 / (1 + t)],
    ids=["step", "cosine", "warm up", "function"],
)
def test_schedules(backend_name, schedule):
    net = dense()
    history = fit(net, schedule=schedule)
    formula = Formula(OPTIMIZER)
    for order in orders():
        for i in range(0, 10, SIZE):
            factor = schedule(formula.t)
            if factor == 0:  # at the end of a cosine nothing moves
                continue
            formula.update(order[i : i + SIZE], factor)
    check(net, formula, backend_name)
    assert len(history.loss) == EPOCHS


def test_a_schedule_in_epochs(backend_name):
    nets = [dense(), dense()]
    schedules = (ub.StepDecay(1, 0.5, unit="epoch"), ub.StepDecay(4, 0.5))
    histories = [fit(net, schedule=s) for net, s in zip(nets, schedules, strict=True)]
    assert histories[0].loss == histories[1].loss
    for name, array in ub.state(nets[0]).items():
        np.testing.assert_array_equal(array, ub.state(nets[1])[name])
    trainer = ub.Trainer(dense(), OPTIMIZER, "mse", schedule=schedules[1])
    assert trainer.step(X, Y) is not None
    with pytest.raises(ValueError, match="to count in epochs, their length must be known"):
        ub.Trainer(dense(), OPTIMIZER, "mse", schedule=schedules[0]).step(X, Y)


@pytest.mark.parametrize("optimizer", [OPTIMIZER, ub.Adam(0.001, weight_decay=0.125)], ids=repr)
def test_all_at_once_and_the_net_has_the_averages(backend_name, optimizer):
    schedule = ub.WarmUp(3, then=ub.StepDecay(2, 0.5))
    net = dense()
    history = fit(net, optimizer, schedule=schedule, validation=(X, Y), **HOW)
    formula, losses = by_formula(optimizer, schedule, **HOW)
    atol = 1e2 * tolerance(optimizer, backend_name)
    np.testing.assert_allclose(history.loss, losses, rtol=0, atol=atol)
    formula.numbers = formula.average
    check(net, formula, backend_name)
    whole = formula.loss(np.arange(10))  # the validation is of the averages, too
    np.testing.assert_allclose(history.validation_loss[-1], whole, rtol=0, atol=atol)


def test_a_trainer_step_by_step(backend_name):
    schedule = ub.StepDecay(2, 0.5)
    trainer = ub.Trainer(dense(), OPTIMIZER, "mse", schedule=schedule, **HOW)
    formula, rows = Formula(OPTIMIZER, StepOptions(**HOW)), np.arange(10)
    for _ in range(3):
        loss = float(ub.to_numpy(trainer.step(X, Y)))
        assert loss == pytest.approx(formula.update(rows, schedule(formula.t)), rel=1e-12)
    found = trainer.epoch(X, Y, rows, 2)
    expected = [formula.update(rows[i : i + 4], schedule(formula.t)) for i in range(0, 10, 4)]
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    check(trainer.net, formula, backend_name)
    with trainer.averaged():
        inside = ub.state(trainer.net)
    for name, array in formula.average.items():
        np.testing.assert_allclose(inside[name], array, rtol=1e-12)


def test_the_state_of_a_trainer_has_all_of_it(backend_name):
    """It goes on where another one stopped, on another framework too."""
    names = ub.available_backends()
    other = names[(names.index(backend_name) + 1) % len(names)]
    how = {**HOW, "schedule": ub.StepDecay(2, 0.5)}
    trainers = [ub.Trainer(dense(), OPTIMIZER, "mse", **how) for _ in range(2)]
    for trainer in trainers:
        for _ in range(3):
            trainer.step(X, Y)
    state = ub.state(trainers[0])
    assert {"average.bias", "average.weight"} < set(state)
    with ub.use_backend(other):
        net = ub.load_state(dense(), ub.state(trainers[0].net))
    following = ub.Trainer(net, OPTIMIZER, "mse", **how)
    ub.load_state(following, state)
    for trainer in (trainers[1], following):
        for _ in range(3):
            trainer.step(X, Y)
    for name, array in ub.state(trainers[1]).items():
        np.testing.assert_allclose(ub.state(following)[name], array, rtol=1e-12, atol=1e-15)
    with pytest.raises(ub.StateMismatchError, match="an unknown average"):
        ub.load_state(ub.Trainer(dense(), OPTIMIZER, "mse"), state)


def test_early_stopping_keeps_the_best_averages(backend_name):
    net = dense()
    stopping = ub.EarlyStopping(patience=1)
    far = np.zeros((4, 3)), np.tile(START["bias"], (4, 1))  # the first bias is the best
    history = fit(net, epochs=20, average=0.5, validation=far, callbacks=[stopping])
    epoch, value = history.best()
    assert len(history.loss) == epoch + 2 < 20
    np.testing.assert_allclose(
        ub.evaluate(net, *far, loss="mse")["loss"], value, rtol=1e-12, atol=1e-15
    )


def test_a_plateau_makes_the_rate_smaller(backend_name):
    plateau = ub.ReduceOnPlateau("loss", factor=0.5, patience=1, min_delta=1e9)
    history = fit(dense(), callbacks=[plateau])
    assert history.learning_rate == [0.25] * 1 + [0.25, 0.125, 0.0625]


# Inductor, PyTorch's compiler, uses what PyTorch has deprecated since.
@pytest.mark.filterwarnings("ignore:.*torch.jit.*:DeprecationWarning")
def test_in_each_kind_of_graph(backend_name):
    how = {**HOW, "schedule": ub.StepDecay(2, 0.5), "metrics": ["mae"]}
    trainer = ub.Trainer(dense(), OPTIMIZER, "mse", **how)
    start = ub.state(trainer.net), ub.state(trainer)
    compiled = ub.compile(trainer, (X, Y))
    assert {figure.name for figure in compiled.figures} == set(trainer.training_step.kinds)
    for figure in compiled.figures:
        assert not figure.obstacle, figure
    for owner, before in zip((trainer.net, trainer), start, strict=True):
        for name, array in ub.state(owner).items():
            np.testing.assert_array_equal(array, before[name])
    formula = Formula(OPTIMIZER, StepOptions(**HOW))
    for _ in range(3):
        loss, _ = ub.to_numpy(trainer.step(X, Y))
        factor = how["schedule"](formula.t)
        assert loss == pytest.approx(formula.update(np.arange(10), factor), rel=1e-12)
    check(trainer.net, formula, backend_name)


@pytest.mark.parametrize(
    ("name", "value", "error", "words"),
    [
        ("clip", 1.0, TypeError, r"clip must be of ub\.Clip; got 1\.0: write clip=ub\.Clip"),
        ("groups", ["*.bias"], TypeError, r"groups must be of ub\.ParameterGroup; got '\*\.bias'"),
        ("accumulate", 0, ValueError, "accumulate must be at least 1; got accumulate=0"),
        ("average", 1.0, ValueError, r"average must be in \[0, 1\); got average=1\.0"),
        ("precision", "half", ValueError, "precision must be 'bfloat16', 'float16' or None"),
        ("schedule", 0.1, TypeError, r"schedule must be a function .*got 0\.1"),
    ],
)
def test_arguments(backend_name, name, value, error, words):
    with pytest.raises(error, match=words):
        fit(dense(), **{name: value})
    with pytest.raises(error, match=words):
        ub.Trainer(dense(), OPTIMIZER, "mse", **{name: value})
