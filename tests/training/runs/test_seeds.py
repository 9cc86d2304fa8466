"""Seeds of a training: another one at each point and in each process, and always the same."""

import numpy as np
import pytest

import unified_blocks as ub
from testbed.common import normal
from unified_blocks import ops
from unified_blocks.backend.tensors import backend_of
from unified_blocks.training.runs.seeds import seed_at


def test_seeds_differ_and_repeat():
    points = [(seed, updates, rank) for seed in (0, 1) for updates in (0, 1, 9) for rank in (0, 1)]
    found = [seed_at(*point) for point in points]
    assert len(set(found)) == len(points)
    assert found == [seed_at(*point) for point in points]
    assert all(0 <= seed < 2**32 for seed in found)


class Drops(ub.Block):
    """Drops by an operation, with other numbers at each call."""

    def __init__(self):
        super().__init__()
        self.dense = ub.Dense(4, in_units=4)

    def forward(self, X):
        return ops.dropout(self.dense(X), 0.5, training=True)


class Attends(ub.Block):
    def __init__(self):
        super().__init__()
        self.attention = ub.MultiHeadAttention(4, 2, dropout=0.5, in_units=4)

    def forward(self, X):
        return self.attention(X)


NETS = {
    "layer": lambda: ub.MySequential(ub.Dense(4, in_units=4), ub.Dropout(0.5), ub.Dropout(0.25)),
    "recurrent": lambda: ub.LSTM(4, num_layers=2, dropout=0.5, in_units=4),
    "attention": Attends,
    "operation": Drops,
}


def numbers_after_steps(trainer, kind):
    """Two steps from one seed: the losses."""
    x = normal(3, 5, 4)
    backend_of(trainer.net).seed(trainer.net, 2**31 + 7)
    trainer.training_step.use(kind)
    return [float(ub.to_numpy(trainer.step(x, x))) for _ in range(2)]


@pytest.mark.parametrize("name", NETS)
def test_a_seed_repeats_steps(backend_name, name):
    with ub.use_backend(backend_name):
        net = ub.initialize(ub.build(NETS[name](), (3, 5, 4)), 1)
    start = ub.state(net)
    kinds = ub.Trainer(net, ub.SGD(0.1), "mse").training_step.kinds
    for kind in kinds[: 2 if name == "layer" else 1]:
        found = []
        for _ in range(2):
            trainer = ub.Trainer(ub.load_state(net, start), ub.SGD(0.1), "mse")
            found.append((numbers_after_steps(trainer, kind), ub.state(net)))
        for _ in range(2):  # and with one trainer, in the graphs that it has
            ub.load_state(net, start)
            found.append((numbers_after_steps(trainer, kind), ub.state(net)))
        for losses, state in found[1:]:
            assert losses == found[0][0], kind
            for key in state:
                np.testing.assert_array_equal(state[key], found[0][1][key])
        assert found[0][0] != numbers_after_steps(trainer, kind)  # of other numbers, other losses
    backend_of(net).seed(net, None)


@pytest.mark.parametrize("name", ["layer", "operation"])
def test_seeds_are_of_other_numbers(backend_name, name):
    with ub.use_backend(backend_name):
        net = ub.initialize(ub.build(NETS[name](), (3, 5, 4)), 1)
    start, losses = ub.state(net), []
    for seed in (1, 2):
        trainer = ub.Trainer(ub.load_state(net, start), ub.SGD(0.1), "mse")
        backend_of(net).seed(net, seed)
        losses.append(float(ub.to_numpy(trainer.step(normal(30, 4), normal(30, 4)))))
    assert losses[0] != losses[1]
    backend_of(net).seed(net, None)


def drawn(backend_name):
    """What the framework's own generator gives, and its loaders draw from."""
    if backend_name == "torch":
        import torch

        return torch.rand(3).numpy()
    if backend_name == "tensorflow":
        import tensorflow as tf

        return ops.dropout(tf.ones((4, 4)), 0.5, training=True).numpy()
    return np.random.uniform(size=3)


def begin_from(backend_name, number):
    if backend_name == "torch":
        import torch

        torch.manual_seed(number)
    elif backend_name == "tensorflow":
        import tensorflow as tf

        tf.random.set_seed(number)
    else:
        np.random.seed(number)


def test_the_generators_go_on(backend_name):
    """What was drawn before the first seed is followed by what it would have been followed by."""
    with ub.use_backend(backend_name):
        net = ub.build(ub.Dropout(0.5), (2, 3))
    begin_from(backend_name, 5)
    wanted = [drawn(backend_name), drawn(backend_name)]
    begin_from(backend_name, 5)
    found = [drawn(backend_name)]
    for number in (1, 2, None):
        backend_of(net).seed(net, number)
    found.append(drawn(backend_name))
    np.testing.assert_array_equal(found, wanted)


def test_layers_draw_different_numbers(backend_name):
    with ub.use_backend(backend_name):
        net = ub.build(ub.Parallel(ub.Dropout(0.5), ub.Dropout(0.5)), (1, 64))
    ones, masks = np.ones((1, 64), "float32"), []
    for chosen in ([1, 0], [0, 1]):
        backend_of(net).seed(net, 3)
        weights = np.repeat(np.array(chosen, "float32"), 64)[None]
        _, found = ub.value_and_grad(
            net, ones, weights, loss=lambda o, w: ops.sum(o * w), wrt="inputs", train=True
        )
        masks.append(found["x"])
    assert set(np.unique(masks)) == {0, 2}
    assert (masks[0] != masks[1]).any()
    backend_of(net).seed(net, None)


def test_a_failed_training_turns_no_later_numbers_back(backend_name, tmp_path):
    """With `checkpoint=` what is random is seeded, and goes on as before after an error too."""

    class Stops(ub.Callback):
        def epoch(self, run):
            raise RuntimeError("stop")

    data = normal(4, 3), normal(4, 2)
    options = {"optimizer": ub.SGD(0.1), "loss": "mse", "epochs": 1}
    net = ub.build(ub.Dense.on(backend_name)(2), (4, 3))
    begin_from(backend_name, 5)
    wanted = drawn(backend_name)
    begin_from(backend_name, 5)
    with pytest.raises(RuntimeError, match="stop"):
        ub.fit(net, *data, **options, callbacks=[Stops()], checkpoint=tmp_path / "one")
    np.testing.assert_array_equal(drawn(backend_name), wanted)
    begin_from(backend_name, 6)
    wanted = drawn(backend_name)
    begin_from(backend_name, 6)
    ub.fit(net, *data, **options, checkpoint=tmp_path / "two")
    np.testing.assert_array_equal(drawn(backend_name), wanted)
