"""What training costs, in counts: graphs, and times that the host waits for numbers."""

from contextlib import contextmanager

import numpy as np
import pytest

import unified_blocks as ub
from testbed.common import normal
from testbed.learning import OPTIMIZERS, classifier, problem

READS = ("numpy", "item", "tolist", "asnumpy", "__array__", "__float__", "__int__", "__bool__")
"""The methods of a tensor, of one framework or another, by which its numbers come to the host."""

MOMENTUM = ub.SGD(0.1, 0.9)


@contextmanager
def reads_of(backend):
    """Inside the `with`, the list of the reads, without those that are a part of another."""
    cls, found, inside = type(backend.from_numpy(np.zeros(1))), [], []

    def counted(name, method):
        def called(self, *args, **named):
            if not inside:
                found.append(name)
            inside.append(name)
            try:
                return method(self, *args, **named)
            finally:
                inside.pop()

        return called

    with pytest.MonkeyPatch.context() as patch:
        for name in READS:
            if hasattr(cls, name):
                patch.setattr(cls, name, counted(name, getattr(cls, name)))
        yield found


def test_reads_are_counted(backend):
    """But for those by the buffer of a tensor of TensorFlow's, as `numpy.array` reads it."""
    tensor = backend.from_numpy(np.ones(()))
    with reads_of(backend) as reads:
        getattr(tensor, "asnumpy" if backend.name == "mxnet" else "numpy")()
        float(tensor)
    assert len(reads) == 2


@pytest.mark.parametrize("epochs", [1, 4])
def test_the_host_reads_once_an_epoch(backend, epochs):
    net = classifier()
    with reads_of(backend) as reads:
        ub.fit(net, *problem(), loss="cross_entropy", optimizer=MOMENTUM, epochs=epochs)
    assert len(reads) == epochs


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=repr)
def test_a_step_reads_nothing(backend, optimizer):
    if backend.name == "torch" and isinstance(optimizer, ub.Adam):
        pytest.skip("PyTorch's own Adam counts its steps in tensors on the host, and reads them")
    trainer = ub.Trainer(classifier(), optimizer, "cross_entropy")
    with reads_of(backend) as reads:
        for _ in range(3):
            trainer.step(*problem())
    assert reads == []


class Attending(ub.Block):
    """Attention with a mask and a causal one, and a norm over each."""

    def __init__(self):
        super().__init__()
        self.attention = tuple(ub.MultiHeadAttention(6, 2) for _ in range(2))
        self.norms = ub.LayerNorm(), ub.RMSNorm()

    def forward(self, X):
        seen = ub.ops.greater(X[:, :, 0], -2.0)  # (n, t)
        X = self.norms[0](X + self.attention[0](X, mask=seen))
        return self.norms[1](X + self.attention[1](X, causal=True))


def of_images():
    return ub.MySequential(
        *(ub.Conv2D(4, 3, padding=1), ub.BatchNorm(), ub.ReLU(), ub.MaxPool2D(2)),
        *(ub.Conv2D(4, 3, groups=4), ub.GroupNorm(2), ub.PReLU(), ub.AvgPool2D(2, ceil_mode=True)),
        *(ub.ZeroPad2D(1), ub.UpSampling2D(2), ub.Dropout(0.1)),
        *(ub.Flatten(), ub.Dense(4)),
    )


def of_sequences(layer):
    return ub.MySequential(layer, ub.Flatten(), ub.Dense(4))


LAYERS = {
    "images": (of_images, (2, 9, 8)),
    "RNN": (lambda: of_sequences(ub.RNN(5)), (7, 6)),
    "LSTM": (lambda: of_sequences(ub.LSTM(5, 2, bidirectional=True, dropout=0.1)), (7, 6)),
    "GRU": (lambda: of_sequences(ub.GRU(5)), (7, 6)),
    "attention": (lambda: of_sequences(Attending()), (7, 6)),
}
"""Networks of the layers of images and of sequences, and the shapes of what they take."""


def network_of(layers, layout="channels_first"):
    """One of `LAYERS` that has trained a step, its trainer, and what it was trained on."""
    make, shape = LAYERS[layers]
    with ub.use_dtype("float64"), ub.use_layout(layout):
        net = make()
    if layers == "images" and layout == "channels_last":
        shape = (*shape[1:], shape[0])
    x = ub.from_numpy(normal(8, *shape, dtype="float64"))
    y = ub.from_numpy(np.arange(8) % 4)
    net = ub.build(net, x.shape)
    trainer = ub.Trainer(net, MOMENTUM, "cross_entropy")
    trainer.step(x, y)
    return net, trainer, x, y


@pytest.mark.parametrize("layers", LAYERS)
def test_layers_of_images_and_sequences_read_nothing(backend, layers):
    net, trainer, x, y = network_of(layers)
    backend.run(net, [x])
    with reads_of(backend) as reads:
        trainer.step(x, y)
        backend.run(net, [x])
    assert reads == []


def test_layers_of_images_with_channels_at_the_end_read_nothing(backend):
    net, trainer, x, y = network_of("images", "channels_last")
    backend.run(net, [x])
    with reads_of(backend) as reads:
        trainer.step(x, y)
        backend.run(net, [x])
    assert reads == []


@pytest.mark.parametrize(("batch_size", "sizes"), [(8, {8}), (16, {16, 8}), (64, {40})])
def test_each_batch_goes_through_the_model_once(backend_name, backend, batch_size, sizes):
    """On TensorFlow each shape of batch is traced once, whatever the number of epochs."""
    net, (x, y) = classifier(), problem()
    seen = []

    def loss(output, targets):
        seen.append((output.shape[0], targets.shape[0]))
        return ub.ops.cross_entropy(output, targets)

    ub.fit(net, x, y, loss=loss, optimizer=ub.SGD(0.1), batch_size=batch_size, epochs=3)
    assert {size for pair in seen for size in pair} == sizes
    steps = 3 * -(-len(x) // batch_size)
    assert len(seen) == (len(sizes) if backend_name == "tensorflow" else steps)


def test_a_graph_for_each_shape_and_each_choice_of_parameters(backend):
    if backend.name != "tensorflow":
        pytest.skip("only TensorFlow makes graphs unasked")
    net, (x, y) = classifier(), problem()
    traced = []

    def loss(output, targets):
        traced.append(output.shape[0])
        return ub.ops.cross_entropy(output, targets)

    trainer = ub.Trainer(net, ub.SGD(0.1), loss)
    for rows in (16, 16, 8, 16, 8):
        trainer.step(x[:rows], y[:rows])
    assert traced == [16, 8]
    next(iter(backend.variables(net))).freeze()
    for _ in range(2):
        trainer.step(x[:16], y[:16])
    assert traced == [16, 8, 16]


@pytest.mark.parametrize("batch_size", [2, 7, 99])
@pytest.mark.parametrize("optimizer", [MOMENTUM, ub.Adam(0.01)], ids=repr)
def test_an_epoch_is_a_loop_over_steps_to_the_bit(backend, dtype, optimizer, batch_size):
    (x, y), order = problem(dtype), np.random.default_rng(0).permutation(40)
    nets = classifier(dtype), classifier(dtype)
    loop, whole = (ub.Trainer(net, optimizer, "cross_entropy") for net in nets)
    for _ in range(2):
        found = whole.epoch(x, y, order, batch_size)
        batches = [order[i : i + batch_size] for i in range(0, 40, batch_size)]
        steps = [backend.to_numpy(loop.step(x[rows], y[rows])) for rows in batches]
        assert found.dtype == "float64"
        np.testing.assert_array_equal(found, np.array(steps, "float64"))
        assert ub.diff_state(ub.state(nets[0]), ub.state(nets[1])).equal
        assert ub.diff_state(ub.state(loop), ub.state(whole)).equal


def test_an_epoch_takes_the_rows_that_it_is_given(backend_name):
    x, y = normal(5, 6, dtype="float64"), np.arange(5) % 4
    net, twin = classifier(), classifier()
    ub.Trainer(net, ub.SGD(0.1), "cross_entropy").epoch(x, y, np.array([3, 1, 3, 3]), 2)
    rows = [3, 1, 3, 3]
    ub.Trainer(twin, ub.SGD(0.1), "cross_entropy").epoch(x[rows], y[rows], np.arange(4), 2)
    assert ub.diff_state(ub.state(net), ub.state(twin)).equal


def test_what_is_changed_between_epochs_holds(backend):
    """A parameter that is frozen, and the learning rate."""
    (x, y), order = problem(), np.arange(40)
    nets = classifier(), classifier()
    trainers = [ub.Trainer(net, ub.SGD(0.1, 0.9), "cross_entropy") for net in nets]
    for trainer in trainers:
        trainer.epoch(x, y, order, 16)
    for net, trainer in zip(nets, trainers, strict=True):
        trainer.learning_rate = 0.02
        next(v for v in backend.variables(net) if v.name == "out.bias").freeze()
    held = ub.state(nets[0])["out.bias"]
    trainers[0].epoch(x, y, order, 16)
    for i in range(0, 40, 16):
        trainers[1].step(x[i : i + 16], y[i : i + 16])
    assert ub.diff_state(ub.state(nets[0]), ub.state(nets[1])).equal
    if backend.name == "tensorflow":
        np.testing.assert_array_equal(ub.state(nets[0])["out.bias"], held)


class Stopped(KeyboardInterrupt):
    pass


@pytest.mark.parametrize("error", [Stopped, ValueError])
@pytest.mark.parametrize("how", ["step", "epoch"])
def test_the_model_has_its_mode_back_after_an_interruption(backend_name, backend, how, error):
    (x, y), order = problem(), np.arange(40)
    with ub.use_dtype("float64"):
        net = ub.MySequential(ub.Dropout(0.9), ub.Dense(4, in_units=6))

    def loss(output, targets):
        raise error("no more")

    modes = set_modes(net) if backend_name == "torch" else None
    trainer = ub.Trainer(net, MOMENTUM, loss)
    before = backend.to_numpy(backend.run(net, [backend.from_numpy(x)]))
    arguments = (x, y) if how == "step" else (x, y, order, 16)
    with pytest.raises(error, match="no more"):
        getattr(trainer, how)(*arguments)
    after = backend.to_numpy(backend.run(net, [backend.from_numpy(x)]))
    np.testing.assert_array_equal(after, before)
    if backend_name == "torch":
        assert [module.training for module in net.modules()] == modes
    if backend_name == "mxnet":
        from unified_blocks_mxnet.compat import mx

        assert not mx.util.is_np_array()
        assert not mx.autograd.is_recording()


def test_training_runs_in_training_mode_and_each_module_has_its_own_back(backend_name):
    if backend_name != "torch":
        pytest.skip("only modules of PyTorch have a mode")
    with ub.use_dtype("float64"):
        net = ub.MySequential(ub.Dense(6, in_units=6), ub.Dropout(0.5), ub.Dense(4, in_units=6))
    modes, seen = set_modes(net), []
    for module in net.modules():
        module.register_forward_hook(lambda m, *_: seen.append(m.training))
    options = {"loss": "cross_entropy", "optimizer": ub.SGD(0.1), "batch_size": 16}
    ub.fit(net, *problem(), validation=problem(), epochs=2, **options)
    width = len(modes)
    assert seen == 2 * (3 * width * [True] + width * [False])
    assert [module.training for module in net.modules()] == modes


def set_modes(net):
    """Give the modules of a PyTorch model modes in turn, and tell them."""
    for i, module in enumerate(net.modules()):
        module.training = i % 2 == 0
    return [module.training for module in net.modules()]


def test_an_order_that_is_none_is_an_error(backend):
    x, y = problem()
    trainer = ub.Trainer(classifier(), ub.SGD(0.125), "cross_entropy")
    before = ub.state(trainer.net)
    for order, size, words in (
        ([0.5], 8, "dtype float64"),
        ([[0]], 8, r"shape \(1, 1\)"),
        ([-1], 8, "from -1 to -1"),
        ([40], 8, "from 0 to 39; got some from 40"),
        ([0], 0, "batch_size=0"),
    ):
        with pytest.raises(ValueError, match=words):
            trainer.epoch(x, y, np.array(order), size)
    with pytest.raises(ValueError, match="got 40 and 39"):
        trainer.epoch(x, y[1:], np.arange(3), 8)
    assert trainer.epoch(x, y, np.arange(0), 8).shape == (0,)
    assert trainer.training_step.count == 0
    assert all(np.array_equal(before[name], array) for name, array in ub.state(trainer.net).items())


@pytest.mark.parametrize("order", [[3, 1, 2], np.arange(9)[::-1], np.arange(9, dtype="int32")])
def test_an_order_is_any_whole_numbers(backend, order):
    x, y = problem()
    found, expected = (ub.Trainer(classifier(), ub.SGD(0.125), "cross_entropy") for _ in range(2))
    losses = found.epoch(x, y, order, 2)
    wanted = expected.epoch(x, y, np.array(order, "int64"), 2)
    np.testing.assert_array_equal(losses, wanted)


def test_an_epoch_without_targets(backend):
    x, _ = problem()
    one, other = (ub.Trainer(classifier(), ub.SGD(0.125), "mean") for _ in range(2))
    losses = one.epoch(x, None, np.arange(len(x)), 16)
    steps = [float(ub.to_numpy(other.step(x[i : i + 16]))) for i in range(0, len(x), 16)]
    np.testing.assert_array_equal(losses, steps)
