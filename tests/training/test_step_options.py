"""What a training step does besides, and the pieces of which an epoch is made."""

import numpy as np
import pytest

import unified_blocks as ub
from testbed.common import normal
from unified_blocks import ops
from unified_blocks.backend import PLAIN, Alone, Clip, Group, ParameterGroup, StepOptions

pytestmark = pytest.mark.capability("gradients")

OPTIMIZERS = (ub.SGD(0.125), ub.SGD(0.1, 0.9), ub.Adam(0.01), ub.Adagrad(0.1))
UNKNOWN = {
    "clip": Clip(norm=1.0),
    "groups": (ParameterGroup("*.bias"),),
    "accumulate": 2,
    "average": 0.5,
    "precision": "bfloat16",
    "scheduled": True,
    "weighted": True,
}
X, Y = normal(10, 3, dtype="float64"), normal(10, 2, dtype="float64", seed=1)
ORDER, SIZE = np.random.default_rng(2).permutation(10), 4


def largest_error(output, y, w):
    return ops.max(ops.abs(output - y))


def mean_of_output(output, y, w):
    return ops.mean(output)


WATCHED = StepOptions(watched=(largest_error, mean_of_output))


def step_of(optimizer=OPTIMIZERS[1], options=PLAIN):
    """A network, always with the same numbers, and its training step."""
    net = ub.Dense(2, in_units=3, dtype="float64")
    ub.load_state(net, {"weight": normal(2, 3, dtype="float64", seed=3), "bias": np.zeros(2)})
    return net, ub.backend_of(net).training_step(net, optimizer, "mse", options)


def batches(backend):
    return [
        tuple(backend.from_numpy(a[ORDER[i : i + SIZE]]) for a in (X, Y))
        for i in range(0, 10, SIZE)
    ]


def same(first, second):
    first, second = ub.state(first), ub.state(second)
    return first.keys() == second.keys() and all(
        np.array_equal(first[name], second[name]) for name in first
    )


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=repr)
@pytest.mark.parametrize("options", [PLAIN, WATCHED], ids=("plain", "watched"))
def test_an_epoch_is_its_updates_one_by_one(backend, optimizer, options):
    data = tuple(backend.from_numpy(a) for a in (X, Y))
    whole, step = step_of(optimizer, options)
    expected = step.epoch(*data, ORDER, SIZE)
    pieces, step = step_of(optimizer, options)
    with step.running():
        values = []
        for i in range(0, 10, SIZE):
            x, y, w = step.gather((*data, None), ORDER[i : i + SIZE])
            assert w is None
            values.append(step.update(x, y))
        found = step.fetched(values)
    assert found.dtype == expected.dtype == np.float64
    assert found.shape == ((3, 3) if options is WATCHED else (3,))
    assert np.array_equal(found, expected)
    assert same(whole, pieces)
    assert step.count == 3


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=repr)
def test_what_is_watched_is_of_the_output_before_the_update(backend, optimizer):
    plain, alone = step_of(optimizer)
    net, step = step_of(optimizer, WATCHED)
    for (x, y), i in zip(batches(backend), range(0, 10, SIZE), strict=True):
        rows, numbers = ORDER[i : i + SIZE], ub.state(net)
        output = X[rows] @ numbers["weight"].T + numbers["bias"]
        loss, error, mean = backend.to_numpy(step(x, y))
        assert loss == backend.to_numpy(alone(x, y))
        assert error == pytest.approx(np.abs(output - Y[rows]).max(), rel=1e-12)
        assert mean == pytest.approx(output.mean(), rel=1e-12)
    assert same(plain, net)


def test_what_is_watched_is_of_each_kind_of_graph(backend):
    _, eager = step_of(options=WATCHED)
    for kind in eager.kinds[1:]:
        _, first = step_of(options=WATCHED)
        _, other = step_of(options=WATCHED)
        other.use(kind)
        for x, y in batches(backend):
            found, expected = (backend.to_numpy(step(x, y)) for step in (other, first))
            assert np.allclose(found, expected, rtol=1e-12, atol=0)


def test_hooks_are_called_in_their_order_and_change_the_update(backend):
    net, plain = step_of(ub.SGD(0.5))
    called = []

    class Hooked(type(plain)):
        def loss_of(self, output, y, w):
            called.append("loss_of")
            return super().loss_of(output, y, w) * 8

        def reduced(self, gradients):
            called.append("reduced")
            return [gradient / 2 for gradient in gradients]

        def clipped(self, gradients):
            called.append("clipped")
            return [gradient / 4 for gradient in gradients]

        def after(self):
            called.append("after")

    twin, _ = step_of()
    options = StepOptions(watched=(mean_of_output,), clip=ub.Clip(value=1.0))
    hooked = Hooked(twin, ub.SGD(0.5), "mse", options)
    for x, y in batches(backend)[:2]:  # of one shape: TensorFlow makes one graph
        called.clear() if backend.name != "tensorflow" else None
        loss = backend.to_numpy(plain(x, y))
        assert np.allclose(backend.to_numpy(hooked(x, y))[0], 8 * loss, rtol=1e-12)
    assert called == ["loss_of", "reduced", "clipped", "after"]
    assert same(net, twin)  # 8 / 2 / 4 is exact


@pytest.mark.parametrize("name", UNKNOWN)
def test_an_option_that_a_step_does_not_know_is_an_error(backend, name):
    _, step = step_of()
    if name in step.takes:
        pytest.skip("it knows this one")
    with pytest.raises(ub.UnsupportedError, match=f"got {name}=.*leave it out"):
        step_of(options=StepOptions(**{name: UNKNOWN[name]}))


def test_weights_and_rates_come_to_steps_that_are_made_for_them(backend):
    x, y = batches(backend)[0]
    _, step = step_of()
    with pytest.raises(ValueError, match=r"got some with weighted=False"):
        step(x, y, y)
    with pytest.raises(ValueError, match=r"got some with weighted=False"):
        step.epoch(x, y, np.arange(4), 2, y)
    with pytest.raises(ValueError, match=r"got some with scheduled=False"):
        step.epoch(x, y, np.arange(4), 2, rates=np.ones(2))
    assert step.count == 0


def test_without_averages_there_are_none_to_use(backend):
    _, step = step_of()
    assert step.averages() == []
    with pytest.raises(ValueError, match=r"make it with average=0\.999"):
        step.averaged()


@pytest.mark.parametrize("optimizer", OPTIMIZERS[1:], ids=repr)
def test_what_is_held_goes_over_without_rounding(backend, optimizer):
    net, step = step_of(optimizer)
    for x, y in batches(backend):
        step(x, y)
    twin, other = step_of(optimizer)
    ub.load_state(twin, ub.state(net))
    other.restart_at(step.count)
    for slot, new in zip(step.slots(), other.slots(), strict=True):
        held = slot.held()
        assert held.shape == slot.shape
        assert held.dtype == slot.dtype
        assert held.any()
        assert np.allclose(held / slot.scale, slot.read(), rtol=1e-15, atol=0)
        assert not new.held().any()
        new.hold(held)
        assert np.array_equal(new.held(), held)
    for x, y in batches(backend):
        assert backend.to_numpy(step(x, y)) == backend.to_numpy(other(x, y))
    assert same(net, twin)
    assert all(
        np.array_equal(a.held(), b.held()) for a, b in zip(step.slots(), other.slots(), strict=True)
    )


def test_a_clip_has_one_bound():
    assert Clip(value=1.0).value == Clip(norm=1.0).norm == Clip(global_norm=1.0).global_norm == 1
    for given in ({}, {"value": 1.0, "norm": 2.0}):
        with pytest.raises(ValueError, match="exactly one of value, norm, global_norm"):
            Clip(**given)
    for bound in (0.0, -1.0, float("nan")):
        with pytest.raises(ValueError, match="norm must be above 0"):
            Clip(norm=bound)


def test_a_parameter_group_has_numbers_from_0():
    assert ParameterGroup("*.bias", weight_decay=0.0, learning_rate=0.0).weight_decay == 0
    for name in ("weight_decay", "learning_rate"):
        with pytest.raises(ValueError, match=f"{name} must be at least 0; got {name}=-1"):
            ParameterGroup("*", **{name: -1})


def test_options_are_told_from_the_default_ones():
    assert PLAIN.given() == {}
    assert WATCHED.given() == {"watched": (largest_error, mean_of_output)}
    assert hash(PLAIN) != hash(WATCHED)
    assert StepOptions(**UNKNOWN).given() == UNKNOWN


def test_a_process_alone_is_a_group_of_one():
    with Alone() as group:
        assert isinstance(group, Group)
        assert (group.rank, group.processes, group.size, list(group.mine)) == (0, 1, 1, [0])
        assert group.host
        found = group.sum(np.arange(3, dtype="float32"))
    assert found.dtype == np.float64
    assert found.tolist() == [0, 1, 2]


def test_what_is_not_joined_is_an_error(backend):
    assert backend.join() is backend.join(None) is None
    with pytest.raises(ub.UnsupportedError, match="got distributed='telepathy'"):
        backend.join("telepathy")
