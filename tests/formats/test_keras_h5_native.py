"""What Keras saves is read as Keras has it, and what is written Keras loads."""

import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import unified_blocks as ub
from testbed.hostile import EACH_SEED, measured, mutated
from unified_blocks.errors import FileFormatError
from unified_blocks.formats.keras import weights as keras_h5
from unified_blocks.formats.stored import Stored

pytest.importorskip("tensorflow", reason="tensorflow is not installed")
keras = pytest.importorskip("keras", reason="tensorflow is not installed")
L = keras.layers


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.weights.h5"


class Attributes(keras.Model):
    """Layers as attributes, in a list, in a dict, and in a model of its own."""

    def __init__(self, scale):
        super().__init__()
        self.hidden = L.Dense(4)
        self.blocks = [L.Dense(4, name="mine"), L.LayerNormalization(), L.Dense(4, use_bias=False)]
        self.by_name = {"a": L.Dense(3, name="embedding"), "b": [L.BatchNormalization(scale=scale)]}
        self.inner = Inner()
        self.table = L.Embedding(5, 4)

    def call(self, x):
        x = self.hidden(x) + self.table(np.array([1]))
        for block in self.blocks:
            x = block(x)
        return self.inner(self.by_name["b"][0](self.by_name["a"](x)))


class Inner(keras.Model):
    def __init__(self):
        super().__init__()
        self.out = L.Dense(2)

    def call(self, x):
        return self.out(x)


def attributes(scale=True):
    model = Attributes(scale)
    model(np.ones((2, 3), "float32"))
    return model


def sequential():
    return keras.Sequential(
        [
            L.Input((9, 9, 3)),
            L.Conv2D(4, 3, name="first"),
            L.BatchNormalization(center=False),
            L.Conv2DTranspose(2, 2, use_bias=False),
            L.Dropout(0.5),
            L.Flatten(),
            L.Dense(3, name="embedding"),
            keras.Sequential([L.Dense(2), L.LayerNormalization()]),
        ]
    )


def functional():
    tokens, x = L.Input((6,), dtype="int32"), L.Input((6, 4))
    h = L.Conv1D(4, 3, padding="same", groups=2)(L.Embedding(7, 4, name="dense")(tokens) + x)
    h = L.LayerNormalization(scale=False)(h)
    h = L.Conv1DTranspose(3, 2, name="up")(h)
    return keras.Model([tokens, x], L.Dense(2, name="out")(h))


def randomised(model):
    generator = np.random.default_rng(0)
    model.set_weights([generator.normal(size=w.shape).astype(w.dtype) for w in model.get_weights()])
    return model


def expected(layer):
    """The canonical name and value of each variable of a layer, as Keras has them."""
    kernel = getattr(layer, "kernel", None)
    attributes = {
        "weight": getattr(layer, "gamma", getattr(layer, "embeddings", kernel)),
        "bias": getattr(layer, "beta", getattr(layer, "bias", None)),
        "running_mean": getattr(layer, "moving_mean", None),
        "running_var": getattr(layer, "moving_variance", None),
    }
    found = {name: v.numpy() for name, v in attributes.items() if v is not None}
    if kernel is not None:
        found["weight"] = np.moveaxis(found["weight"], (-1, -2), (0, 1))
    return found


def assert_layers(found, layers):
    """`found` holds exactly the variables of these layers, by path."""
    arrays = {f"{p}.{n}": a for p, layer in layers.items() for n, a in expected(layer).items()}
    assert set(found) == set(arrays)
    for name, array in arrays.items():
        assert found.tensors[name].shape == found[name].shape == array.shape, name
        assert found.tensors[name].dtype == found[name].dtype == array.dtype, name
        assert found[name].tobytes() == array.tobytes(), name


def layers_of_attributes(model):
    return {
        "hidden": model.hidden,
        "blocks.dense": model.blocks[0],
        "blocks.layer_normalization": model.blocks[1],
        "blocks.dense_1": model.blocks[2],
        "by_name.dense": model.by_name["a"],
        "by_name.container.batch_normalization": model.by_name["b"][0],
        "inner.layers.dense": model.inner.out,  # Keras looks at `layers` before it looks at `out`
        "layers.embedding": model.table,
    }


def named_layers(model, above=""):
    """The layers of a Sequential or Functional model that hold variables, by name."""
    found = {}
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            found |= named_layers(layer, f"{above}{layer.name}.")
        elif layer.weights:
            found[above + layer.name] = layer
    return found


MODELS = {"sequential": sequential, "functional": functional}


@pytest.mark.parametrize("model_kind", MODELS)
def test_a_keras_file(path, model_kind):
    model = randomised(MODELS[model_kind]())
    model.save(path.with_name("model.keras"))
    found = keras_h5.read(path.with_name("model.keras"))
    layers = named_layers(model)
    assert_layers(found, layers)
    assert found.ordered
    assert [*dict.fromkeys(name.rpartition(".")[0] for name in found)] == [*layers]
    for name, told in found.settings.items():
        assert told["epsilon"] == layers[name].epsilon


@pytest.mark.parametrize("model_kind", MODELS)
def test_what_a_keras_file_held_is_written_for_keras_to_load(path, model_kind):
    make = MODELS[model_kind]
    model = randomised(make())
    file = path.with_name("model.keras")
    model.save(file)
    keras_h5.write(path, keras_h5.read(file).tensors.values(), {})
    again = make()
    again.load_weights(path)
    for new, old in zip(again.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(new, old)
    read_back = keras_h5.read(path)
    assert list(read_back) == list(keras_h5.read(file))
    assert read_back.ordered


@pytest.mark.parametrize("model_kind", MODELS)
def test_a_model_loads_its_own_file(path, model_kind):
    model = randomised(MODELS[model_kind]())
    file = path.with_name("model.keras")
    model.save(file)
    assert ub.diff_state(model, ub.read_state(file)).equal
    assert ub.diff_state(ub.read_state(file), model).equal
    again = keras.saving.load_model(file)
    again.set_weights([w * 0 for w in again.get_weights()])
    ub.load_state(again, ub.read_state(file))
    assert ub.diff_state(model, again).equal


def test_by_order_a_keras_file_follows_its_configuration(path):
    """`tail` comes after `head` in the file, whose groups are in alphabetical order."""

    def make(*names):
        layers = [L.Dense(4, name=name) for name in names]
        return keras.Sequential([L.Input((4,)), *layers])

    model = randomised(make("tail", "head", "body"))
    file = path.with_name("model.keras")
    model.save(file)
    again = ub.transfer(ub.read_state(file), make("a", "b", "c"), match="order")
    for new, old in zip(again.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(new, old)


class Wrapping(keras.layers.Layer):
    """A layer of a user's own that puts the layer inside it into its configuration."""

    def __init__(self, inner, **options):
        super().__init__(**options)
        self.inner = inner

    def call(self, x):
        return self.inner(x)

    def get_config(self):
        return {**super().get_config(), "inner": keras.saving.serialize_keras_object(self.inner)}


def test_the_configuration_of_a_layer_in_a_layer_tells_its_kind(path):
    model = keras.Sequential(
        [L.Input((5, 4)), L.TimeDistributed(L.Dense(3, use_bias=False)), Wrapping(L.Dense(2))]
    )
    file = path.with_name("model.keras")
    model.save(file)
    found = keras_h5.read(file)
    outer, wrapping = (layer.name for layer in model.layers)
    assert set(found) == {
        f"{outer}.layer.weight",
        f"{wrapping}.inner.weight",
        f"{wrapping}.inner.bias",
    }


def plain():
    return keras.Sequential(
        [L.Input((9, 3)), L.Conv1D(4, 3), L.BatchNormalization(), L.Flatten(), L.Dense(3)]
    )


def test_weights_of_a_sequential(path):
    model = randomised(plain())
    model.save_weights(path)
    paths = ["conv1d", "batch_normalization", "flatten", "dense"]
    layers = {f"layers.{p}": layer for p, layer in zip(paths, model.layers, strict=True)}
    del layers["layers.flatten"]
    assert_layers(keras_h5.read(path), layers)


def test_weights_of_a_subclass(path):
    model = randomised(attributes())
    model.save_weights(path)
    assert_layers(keras_h5.read(path), layers_of_attributes(model))


def test_a_norm_that_lacks_one_of_two_is_refused(path):
    attributes(scale=False).save_weights(path)
    with pytest.raises(FileFormatError, match="by_name/container/batch_normalization with float32"):
        keras_h5.read(path)


def test_weights_after_training(path):
    model = plain()
    model.compile("adam", "mse", metrics=["mae"])
    model.fit(np.ones((2, 9, 3)), np.ones((2, 3)), verbose=0)
    model.save_weights(path)
    assert len(keras_h5.read(path)) == 8


@pytest.mark.parametrize("policy", ["float64", "float16", "bfloat16", "mixed_bfloat16"])
def test_dtypes(path, policy):
    model = keras.Sequential([L.Input((4,), dtype=policy.split("_")[-1]), L.Dense(3, dtype=policy)])
    model.save_weights(path)
    found = keras_h5.read(path)
    kernel = model.layers[0].kernel
    assert found.tensors["layers.dense.weight"].dtype == found["layers.dense.weight"].dtype
    wide = keras.ops.convert_to_numpy(keras.ops.cast(kernel, "float64"))
    np.testing.assert_array_equal(found["layers.dense.weight"].astype("float64"), wide.T)
    marked = "bfloat16" if policy == "bfloat16" else None
    assert found.tensors["layers.dense.weight"].stored_dtype == marked


@pytest.mark.parametrize(
    "layer",
    [
        lambda: L.GRU(2, reset_after=False),
        lambda: L.EinsumDense("abc,cd->abd", (None, 2)),
        lambda: L.Bidirectional(L.GRU(2, reset_after=False)),
    ],
    ids=["GRU", "EinsumDense", "Bidirectional"],
)
@pytest.mark.parametrize("ending", [".weights.h5", ".keras"])
def test_other_layers_are_refused(tmp_path, layer, ending):
    model = keras.Sequential([L.Input((5, 3)), layer()])
    file = tmp_path / f"model{ending}"
    (model.save if ending == ".keras" else model.save_weights)(file)
    with pytest.raises(FileFormatError, match=r"layers/[a-z0-9_/]+ with float32"):
        keras_h5.read(file)


def test_a_quantised_layer_is_refused(path):
    model = keras.Sequential([L.Input((4,)), L.Dense(3, use_bias=False)])
    model.layers[0].quantize("int8")
    model.save_weights(path)
    with pytest.raises(FileFormatError, match="layers/dense"):
        keras_h5.read(path)


def test_weights_of_the_model_itself_are_refused(path):
    class Own(keras.Model):
        def __init__(self):
            super().__init__(name="dense")
            self.scale = self.add_weight(shape=(3, 2))

        def call(self, x):
            return x

    model = Own()
    model(np.ones((1, 3), "float32"))
    model.save_weights(path)
    with pytest.raises(FileFormatError, match=r"the model itself with float32 \(3, 2\)"):
        keras_h5.read(path)


# What is written, Keras loads.


def rewritten(path, model):
    """The file that is written of what is read of the weights of `model`."""
    model.save_weights(path)
    found = keras_h5.read(path)
    again = path.with_name("again.weights.h5")
    keras_h5.write(again, found.tensors.values(), {})
    return again


@pytest.mark.parametrize("make", [plain, attributes])
def test_keras_loads_what_is_written(path, make):
    model, again = randomised(make()), make()
    file = rewritten(path, model)
    again.load_weights(file)
    for new, old in zip(again.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(new, old)
    assert set(keras_h5.read(file)) == set(keras_h5.read(path))


@pytest.fixture
def small(path):
    model = keras.Sequential([L.Input((4,)), L.Dense(3)])
    model.save(path.with_name("model.keras"))
    return path.with_name("model.keras").read_bytes()


@EACH_SEED
@given(seed=st.integers(0, 2**32))
def test_a_mutated_file_of_keras_is_refused_or_read(path, small, seed):
    file = path.with_name("mutated.keras")
    file.write_bytes(mutated(small, seed))
    measured(keras_h5, file)


def test_a_deflated_file_of_keras(path, small):
    again = path.with_name("again.keras")
    with (
        zipfile.ZipFile(path.with_name("model.keras")) as old,
        zipfile.ZipFile(again, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            new.writestr(name, old.read(name))
    assert len(keras_h5.read(again)) == 2


class Four(keras.Model):
    """Attributes before and after `layers`, which is where Keras itself would save the latter."""

    def __init__(self):
        super().__init__()
        self.hidden = L.Dense(4)
        self.norm = L.BatchNormalization()
        self.out = L.Dense(4)
        self.table = L.Embedding(5, 4)

    def call(self, x):
        return self.out(self.norm(self.hidden(x))) + self.table(np.array([1]))


def test_keras_loads_attributes_by_their_names(path):
    """Wherever Keras would have put them, and whatever the file names first."""
    model, again = Four(), Four()
    for net in (model, again):
        net(np.ones((2, 3), "float32"))
    randomised(model)
    layers = {name: getattr(model, name) for name in ("table", "out", "norm", "hidden")}
    tensors = [
        Stored(f"{place}.{name}", a.shape, a.dtype.name, lambda a=a: a, kind=type(layer).__name__)
        for place, layer in layers.items()
        for name, a in expected(layer).items()
    ]
    keras_h5.write(path, tensors, {})
    assert_layers(keras_h5.read(path), layers)
    again.load_weights(path)
    for new, old in zip(again.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(new, old)
