"""What Keras' tools do with a model they do with a block: callbacks, clones, summaries, plots."""

import numpy as np
import pytest

import unified_blocks as ub
from testbed.common import normal
from testbed.portable import Residual

tf = pytest.importorskip("tensorflow", reason="tensorflow is not installed")
keras = pytest.importorskip("keras", reason="tensorflow is not installed")

X, Y = normal(8, 4), normal(8, 2, seed=1)


@pytest.fixture(autouse=True)
def on_tensorflow():
    with ub.use_backend("tensorflow"):
        yield


class Listed(ub.Block):
    def __init__(self):
        super().__init__()
        self.parts = [ub.Dense(5, activation="relu"), ub.Dense(2)]

    def forward(self, X):
        return self.parts[1](self.parts[0](X))


def twin():
    dense = keras.layers.Dense
    return keras.Sequential([dense(5, activation="relu"), dense(2)])


MODELS = {
    "native": twin,
    "MLP": lambda: ub.MLP(5, 2),
    "container": lambda: ub.MySequential(ub.Dense(5, activation="relu"), ub.Dense(2)),
    "list": Listed,
}
every_model = pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)


def compiled(make):
    """A model with the numbers that all of them begin with, built and compiled."""
    net = ub.build(make(), (2, 4))
    net.set_weights([normal(*w.shape, seed=i) / 2 for i, w in enumerate(net.weights)])
    net.compile(keras.optimizers.SGD(0.125, momentum=0.875), "mse")
    return net


def trained(net, **options):
    return net.fit(X, Y, batch_size=4, shuffle=False, verbose=0, **options)


@pytest.fixture(scope="module")
def expected():
    """The losses of the native twin."""
    return trained(compiled(twin), epochs=3, validation_data=(X, Y)).history


@every_model
def test_fit_with_callbacks(make, expected, tmp_path):
    net = compiled(make)
    file = tmp_path / "best.keras"
    callbacks = [
        keras.callbacks.ModelCheckpoint(file, save_best_only=True),
        keras.callbacks.ModelCheckpoint(tmp_path / "{epoch}.weights.h5", save_weights_only=True),
        keras.callbacks.EarlyStopping(patience=2, restore_best_weights=True),
        keras.callbacks.CSVLogger(tmp_path / "log.csv"),
        keras.callbacks.ReduceLROnPlateau(patience=5),
        keras.callbacks.BackupAndRestore(tmp_path / "backup"),
    ]
    history = trained(net, epochs=3, validation_data=(X, Y), callbacks=callbacks).history
    np.testing.assert_allclose(history["loss"], expected["loss"], rtol=1e-5)
    best = keras.models.load_model(file)
    assert best.evaluate(X, Y, verbose=0) == pytest.approx(min(history["val_loss"]), rel=1e-5)
    net.load_weights(tmp_path / "1.weights.h5")
    assert net.evaluate(X, Y, verbose=0) == pytest.approx(history["val_loss"][0], rel=1e-5)
    assert best.optimizer.iterations > 0  # a file has the optimizer's state, too
    np.testing.assert_allclose(best.predict(X, verbose=0), best(X), rtol=1e-5, atol=1e-6)


@every_model
def test_training_stops_early(make):
    net = compiled(make)
    before = net.get_weights()
    net.optimizer.learning_rate = 8.0  # the loss grows
    stop = keras.callbacks.EarlyStopping("loss", patience=0, restore_best_weights=True)
    history = trained(net, epochs=9, callbacks=[stop])
    assert len(history.history["loss"]) < 9
    assert stop.stopped_epoch > 0
    assert any(not np.array_equal(a, b) for a, b in zip(before, net.get_weights(), strict=True))


@every_model
def test_tensorboard(make, tmp_path):
    pytest.importorskip("tensorboard")
    board = keras.callbacks.TensorBoard(tmp_path, histogram_freq=1, write_graph=True)
    net = compiled(make)
    trained(net, epochs=1, callbacks=[board])
    tags = set()
    for file in tmp_path.rglob("events*"):
        for record in tf.data.TFRecordDataset(str(file)):
            event = tf.compat.v1.Event.FromString(record.numpy())
            tags |= {value.tag for value in event.summary.value}
    assert "epoch_loss" in tags
    assert len([tag for tag in tags if tag.endswith("/histogram")]) == len(net.weights)


@every_model
def test_clones(make):
    net = compiled(make)
    inputs = keras.Input((4,))
    model = keras.Model(inputs, net(inputs))
    clone = keras.models.clone_model(model)
    assert not {id(w) for w in clone.weights} & {id(w) for w in net.weights}
    clone.set_weights(model.get_weights())
    np.testing.assert_array_equal(clone(X), net(X))
    assert type(clone.layers[-1]) is type(net)


@every_model
def test_a_model_by_itself_is_cloned(make):
    net = compiled(make)
    clone = ub.build(keras.models.clone_model(net), (2, 4))
    assert type(clone) is type(net)
    clone.set_weights(net.get_weights())
    np.testing.assert_array_equal(clone(X), net(X))


def test_functional_models_around_blocks(tmp_path):
    inputs = keras.Input((4,))
    H = ub.MySequential(ub.Dense(4), Residual(4))(inputs)
    shared = ub.Dense(3)
    outputs = keras.layers.Concatenate()([shared(H), ub.ops.tanh(shared(inputs))])
    model = keras.Model(inputs, outputs)
    assert model(X).shape == (8, 6)
    model.save(tmp_path / "model.keras")
    np.testing.assert_array_equal(keras.models.load_model(tmp_path / "model.keras")(X), model(X))
    inner = keras.Model(inputs, H)
    assert ub.Block in type(inner.layers[-1]).__mro__
    np.testing.assert_array_equal(inner(X), model.layers[1](X))


@every_model
def test_summaries(make):
    lines = []
    net = compiled(make)
    net.summary(print_fn=lambda line, **_: lines.append(line), expand_nested=True)
    text = "\n".join(lines)
    assert f"{net.count_params()} " in text
    for layer in net.layers:
        assert layer.name in text


@every_model
def test_plots(make):
    pytest.importorskip("pydot")
    net = compiled(make)
    inputs = keras.Input((4,))
    dot = keras.utils.model_to_dot(keras.Model(inputs, net(inputs)), show_layer_names=True)
    assert net.name in dot.to_string()
