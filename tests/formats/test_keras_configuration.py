"""What the configuration in a `.keras` file tells of layers, beside hostile ones."""

import json
import zipfile

import pytest

from testbed.hostile import measured
from testbed.keras_files import handmade, some
from unified_blocks.errors import FileFormatError
from unified_blocks.formats.keras import weights as keras_h5

pytest.importorskip("h5py", reason="h5py is not installed")

TWO = [some(3, 2), some(2)]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.weights.h5"


def in_keras_file(path, layers, configs, weights="model.weights.h5"):
    """A `.keras` file of a Sequential model with these layers and configurations."""
    inner = handmade(path.with_name("inner.h5"), layers)
    config = {"class_name": "Sequential", "module": "keras", "config": {"layers": configs}}
    with zipfile.ZipFile(path.with_name("model.keras"), "w") as archive:
        archive.writestr("config.json", json.dumps(config))
        archive.writestr(weights, inner.read_bytes())
    return path.with_name("model.keras")


def config(kind, name, module="keras.layers", **options):
    return {"module": module, "class_name": kind, "config": {"name": name, **options}}


def test_the_configuration_tells_the_kind(path):
    layers = {("", "sequential"): [], ("layers/batch_normalization", "n"): [some(2)] * 3}
    with_scale = in_keras_file(path, layers, [config("BatchNormalization", "n", center=False)])
    assert list(keras_h5.read(with_scale)) == [
        f"n.{name}" for name in ("weight", "running_mean", "running_var")
    ]
    full = config("BatchNormalization", "n", center=True, scale=False)
    assert "n.bias" in keras_h5.read(in_keras_file(path, layers, [full]))


def test_the_configuration_tells_names_order_and_options(path):
    layers = {
        ("", "sequential"): [],
        ("layers/batch_normalization", "norm"): [some(2)] * 4,
        ("layers/dense", "z"): TWO,
        ("layers/dense_1", "a"): TWO,
    }
    norm = config("BatchNormalization", "norm", epsilon=0.5, momentum=0.75)
    configs = [config("InputLayer", "in"), config("Dense", "z"), norm, config("Dense", "a")]
    found = keras_h5.read(in_keras_file(path, layers, configs))
    assert list(dict.fromkeys(name.rpartition(".")[0] for name in found)) == ["z", "norm", "a"]
    assert found.ordered
    assert found.settings == {"norm": {"epsilon": 0.5, "momentum": 0.75}}
    assert found.tensors["a.weight"].stored_name == "layers/dense_1/vars/0"
    assert [s.aliases for s in found.tensors.values() if s.name.endswith("weight")] == [
        ("0.weight", "layers.dense.weight"),
        ("1.weight", "layers.batch_normalization.weight"),
        ("2.weight", "layers.dense_1.weight"),
    ]


def test_a_layer_that_the_configuration_lacks_has_its_path(path):
    layers = {("", "sequential"): [], ("layers/dense", "d"): TWO, ("layers/dense_1", "e"): TWO}
    found = keras_h5.read(in_keras_file(path, layers, [config("Dense", "d")]))
    assert {name.rpartition(".")[0] for name in found} == {"d", "layers.dense_1"}
    assert not found.ordered


def test_a_class_of_someone_else_is_no_dense(path):
    layers = {("", "sequential"): [], ("layers/dense", "d"): TWO}
    with pytest.raises(FileFormatError, match=r"a 'my\.package\.Dense'"):
        keras_h5.read(in_keras_file(path, layers, [config("Dense", "d", "my.package")]))


def test_path_and_configuration_must_agree(path):
    layers = {("", "sequential"): [], ("layers/embedding", "d"): [some(3, 2)]}
    with pytest.raises(FileFormatError, match="a Dense by its configuration, and not by its path"):
        keras_h5.read(in_keras_file(path, layers, [config("Dense", "d")]))


@pytest.mark.parametrize("content", [b"", b"[" * 100_000, b"[]", b"\xff", b"9" * 10_000], ids=len)
def test_a_configuration_that_is_none(path, content):
    whole = path.with_name("x.keras")
    with zipfile.ZipFile(whole, "w") as archive:
        archive.writestr("config.json", content)
        archive.writestr("model.weights.h5", b"")
    assert measured(keras_h5, whole) is None


@pytest.mark.parametrize(
    "odd",
    [None, 1, [], [None], [[]], {"layers": 3}, {"layers": [{"config": []}]}, {"layers": [3]}],
    ids=repr,
)
def test_an_odd_configuration(path, odd):
    inner = handmade(path, {("", "s"): [], ("layers/dense", "d"): TWO})
    whole = path.with_name("x.keras")
    with zipfile.ZipFile(whole, "w") as archive:
        archive.writestr("config.json", json.dumps({"class_name": [], "config": odd}))
        archive.writestr("model.weights.h5", inner.read_bytes())
    assert len(keras_h5.read(whole)) == 2


def test_a_keras_file_without_weights(path):
    layers = {("layers/dense", "d"): TWO}
    whole = in_keras_file(path, layers, [], weights="model.weights.npz")
    with pytest.raises(FileFormatError, match=r"must hold model\.weights\.h5 and config\.json"):
        keras_h5.read(whole)
