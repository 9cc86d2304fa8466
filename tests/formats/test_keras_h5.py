"""Files of Keras, read and written without it. Those of Keras itself: test_keras_h5_native.py."""

import numpy as np
import pytest

from testbed.hostile import read_all
from testbed.keras_files import LAYERS, handmade, some, stored
from unified_blocks.errors import BackendImportError, FileFormatError, UnsupportedError
from unified_blocks.formats.keras import weights as keras_h5
from unified_blocks.formats.keras import write as keras_write
from unified_blocks.formats.keras.families import FAMILIES, of_automatic_name

h5py = pytest.importorskip("h5py", reason="h5py is not installed")


IN_KERAS = {
    "Dense": (3, 2),
    "Embedding": (5, 3),
    "Conv1D": (4, 3, 2),
    "Conv2D": (4, 5, 3, 2),
    "Conv3D": (4, 5, 6, 3, 2),
    "Conv1DTranspose": (4, 3, 2),
    "Conv2DTranspose": (4, 5, 3, 2),
    "Conv3DTranspose": (4, 5, 6, 3, 2),
}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.weights.h5"


@pytest.fixture
def small(path):
    """The bytes of a small file with a bit of everything."""
    kinds = {"hidden": "Dense", "names": "Embedding", "list.batch_normalization": "BatchNorm"}
    tensors = [
        stored(f"{place}.{name}", some(*shape), kind)
        for place, kind in kinds.items()
        for name, shape in LAYERS[kind].items()
    ]
    keras_h5.write(path, tensors, {"note": "x"})
    return path.read_bytes()


# What is written is read.


@pytest.mark.parametrize("kind", LAYERS)
def test_a_layer_comes_back(path, kind):
    arrays = {f"here.{name}": some(*shape) for name, shape in LAYERS[kind].items()}
    keras_h5.write(path, [stored(n, a, kind) for n, a in arrays.items()], {})
    found = keras_h5.read(path)
    assert list(found) == list(arrays)
    for name, array in arrays.items():
        assert found[name].shape == found.tensors[name].shape == array.shape
        assert found[name].tobytes() == array.tobytes()
        assert found.tensors[name].kind == kind
        role = "constant" if "running" in name else "parameter"
        assert found.tensors[name].role == role


@pytest.mark.parametrize("kind", IN_KERAS)
def test_a_kernel_is_laid_out_as_keras_does(path, kind):
    array = some(*LAYERS[kind]["weight"])
    keras_h5.write(path, [stored("here.weight", array, kind)], {})
    with h5py.File(path) as file:
        kernel = file["here/vars/0"][()]
    assert kernel.shape == IN_KERAS[kind]
    expected = array if kind == "Embedding" else np.moveaxis(array, (0, 1), (-1, -2))
    np.testing.assert_array_equal(kernel, expected)


@pytest.mark.parametrize("dtype_name", ["float16", "float32", "float64"])
def test_dtypes(path, dtype_name):
    array = some(2, 3, dtype=dtype_name)
    keras_h5.write(path, [stored("a.weight", array, "Dense")], {})
    found = keras_h5.read(path)
    assert found.tensors["a.weight"].dtype == found["a.weight"].dtype == dtype_name
    assert found["a.weight"].tobytes() == array.tobytes()


def test_an_empty_layer(path):
    array = some(2, 0)
    keras_h5.write(path, [stored("a.weight", array, "Dense")], {})
    assert keras_h5.read(path)["a.weight"].shape == (2, 0)


def test_metadata_comes_back(path):
    metadata = {"config": {"units": [1, 2]}, "note": "é", "none": None}
    keras_h5.write(path, [stored("a.weight", some(2, 3), "Dense")], metadata)
    assert keras_h5.read(path).own == metadata


def test_too_much_metadata(path):
    with pytest.raises(UnsupportedError, match="must be at most 60,000 bytes of JSON"):
        keras_h5.write(path, [], {"note": "x" * 60_000})


def test_kinds_are_seen_from_names_and_shapes(path):
    shapes = {
        "a.weight": (2, 3),
        "a.bias": (2,),
        "deep.er.weight": (4,),
        "deep.er.bias": (4,),
        **{f"n.{name}": (3,) for name in LAYERS["BatchNorm"]},
        "n.num_batches_tracked": (),
        "conv.weight": (4, 3, 2),
        "conv.bias": (4,),
        "up.weight": (4, 3, 2, 2),
        "up.bias": (3,),
    }
    keras_h5.write(path, [stored(name, some(*shape)) for name, shape in shapes.items()], {})
    found = keras_h5.read(path)
    kinds = {name.rpartition(".")[0]: known.kind for name, known in found.tensors.items()}
    assert kinds == {
        "a": "Dense",
        "deep.er": "LayerNorm",
        "n": "BatchNorm",
        "conv": "Conv1D",
        "up": "Conv2DTranspose",
    }
    assert set(found) == set(shapes) - {"n.num_batches_tracked"}


@pytest.mark.parametrize(
    ("shapes", "kind", "message"),
    [
        ({"a.weight": (2, 3)}, None, "got 'a' with {'weight': (2, 3)} of kind unknown"),
        (
            {"a.weight": (2, 3), "a.bias": (3,)},
            None,
            "of kind unknown; name it: kinds={'a': 'Dense'}",
        ),
        ({"a.weight": (2, 2, 4), "a.bias": (2,)}, None, "of kind unknown"),
        ({"a.weight": (4,)}, None, "of kind unknown"),
        ({"a.weight": (2, 3)}, "ConvLSTM1D", "of kind ConvLSTM1D; name it"),
        ({"weight": (2, 3)}, None, "got 'the model itself' with"),
        ({"a.kernel": (2, 3)}, "Dense", "a Dense must have weight, bias of shapes that fit"),
        ({"a.weight": (2, 3), "a.bias": (3,)}, "Dense", "of shapes that fit; got 'a'"),
        ({"a.weight": (2, 3), "a.bias": (2,)}, "Embedding", "an? Embedding must have weight of"),
        ({"a.running_mean": (3,), "a.running_var": (2,)}, None, "a BatchNorm must have"),
        ({"a.running_mean": (3,)}, None, "a BatchNorm must have"),
    ],
)
def test_what_is_uncertain_is_not_written(path, shapes, kind, message):
    with pytest.raises(UnsupportedError) as caught:
        keras_h5.write(path, [stored(n, some(*shape), kind) for n, shape in shapes.items()], {})
    assert message.replace("an? ", "a ") in str(caught.value)
    assert not path.exists()


def test_without_h5py_the_error_says_what_to_run(path, monkeypatch):
    import importlib

    def missing(name):
        raise ModuleNotFoundError(f"No module named {name!r}")

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(BackendImportError, match=r'pip install "unified-blocks\[keras-files\]"'):
        keras_write.write(path, [], {})


def test_recognised_by_content(path, small):
    assert keras_h5.recognises(small[:16], path)
    assert keras_h5.recognises(b"PK\3\4", path.with_suffix(".keras"))
    assert not keras_h5.recognises(b"PK\3\4", path.with_suffix(".pt"))


# What tells of what kind a layer is.

TWO = [some(3, 2), some(2)]
DENSE = LAYERS["Dense"].items()


@pytest.mark.parametrize(
    ("place", "name", "arrays"),
    [
        ("hidden", "dense", TWO),
        ("hidden", "dense_12", TWO),
        ("dense", "dense_1", TWO),
        ("layers/dense", "anything", TWO),
        ("blocks/dense_1", "embedding", TWO),
        ("blocks/container/dense", "mine", TWO),
        ("layers/dense", "embedding", [some(3, 2)]),
        ("hidden", "conv1d", [some(3, 4, 2), some(2)]),
        ("hidden", "batch_normalization", [some(2)] * 2),
        ("hidden", "layer_normalization", [some(2)] * 2),
    ],
)
def test_certain_kinds(path, place, name, arrays):
    handmade(path, {("", "model"): [], (place, name): arrays})
    assert len(keras_h5.read(path)) == len(arrays)


def test_a_norm_without_scale_and_center_has_only_its_statistics(path):
    handmade(path, {("", "model"): [], ("n", "batch_normalization"): [some(2)] * 2})
    assert list(keras_h5.read(path)) == ["n.running_mean", "n.running_var"]


@pytest.mark.parametrize(
    ("place", "name", "arrays", "reason"),
    [
        ("hidden", "mine", TWO, "of a kind that neither path nor name tells"),
        ("hidden", None, TWO, "of a kind that neither path nor name tells"),
        ("list/dense", None, TWO, "of a kind that neither path nor name tells"),
        ("dense", "mine", TWO, "of a kind that neither path nor name tells"),
        ("dense", "embedding", [some(3, 2)], "called Dense by its path and Embedding by its name"),
        ("layers/my_layer", "dense", TWO, "a 'my_layer'"),
        ("", "dense", TWO, "the model itself"),
        ("hidden", "own_cell", [some(3, 8), some(2, 8), some(8)], "neither path nor name"),
        ("hidden", "dense", [some(3, 2), some(3)], "not those of a Dense"),
        ("hidden", "dense", [*TWO, some(2)], "not those of a Dense"),
        ("hidden", "dense", [some(3, 2, 2), some(2)], "not those of a Dense"),
        ("hidden", "embedding", TWO, "not those of a Embedding"),
        ("hidden", "layer_normalization", [some(2)], "may be any of them"),
        ("hidden", "batch_normalization", [some(2)] * 3, "may be any of them"),
        ("hidden", "batch_normalization", [some(2), some(2), some(2), some(3)], "not those"),
        ("hidden", "conv2d", [some(3, 2)], "not those of a Conv2D"),
        ("hidden", "dense", [some(3, 2, dtype="int8"), some(2)], "it may be quantised"),
        ("hidden", "embedding", [some(3, 2)], "may be of a Dense or an Embedding"),
        ("hidden", "dense_1", [some(3, 2)], "may be of a Dense or an Embedding"),
        ("embedding", "embedding", [some(3, 2)], "may be of a Dense or an Embedding"),
    ],
)
def test_what_is_uncertain_is_not_read(path, place, name, arrays, reason):
    handmade(path, {("", "model") if place else ("x", "x"): [], (place, name): arrays})
    assert read_all(keras_h5, path) is None
    with pytest.raises(FileFormatError) as caught:
        keras_h5.read(path)
    assert reason in str(caught.value)
    assert (place or "model itself") in str(caught.value)
    assert "save the model as .keras, or name the kinds: kinds={" in str(caught.value)


def test_a_kind_can_be_given(path):
    handmade(path, {("", "model"): [], ("hidden", "mine"): [some(3, 2)]})
    as_dense, as_embedding = (
        keras_h5.read(path, {"/hidden": kind}).tensors["hidden.weight"].shape
        for kind in ("Dense", "Embedding")
    )
    assert (as_dense, as_embedding) == ((2, 3), (3, 2))


def test_a_kind_that_there_is_not(path):
    handmade(path, {("", "model"): [], ("hidden", "mine"): [some(3, 2)]})
    with pytest.raises(FileFormatError, match="whose kind was given as 'Danse'"):
        keras_h5.read(path, {"hidden": "Danse"})


def test_numbers_that_are_not_numbered(path):
    with h5py.File(path, "w") as file:
        group = file.create_group("hidden/vars")
        group.attrs["name"] = "dense"
        group["1"], group["2"] = TWO
    with pytest.raises(FileFormatError, match="which are not those of a Dense"):
        keras_h5.read(path)


def test_the_optimizer_is_left_out(path):
    handmade(path, {("", "model"): [], ("optimizer", "adam"): TWO, ("hidden", "dense"): TWO})
    assert list(keras_h5.read(path)) == ["hidden.weight", "hidden.bias"]


def test_arrays_outside_of_layers(path):
    with h5py.File(path, "w") as file:
        file["x"] = some(2)
    with pytest.raises(FileFormatError, match="arrays outside of any layer"):
        keras_h5.read(path)


def test_layers_of_unknown_kinds_may_be_left_out(path):
    layers = {("", "model"): [], ("mine", "mine"): TWO, ("hidden", "dense"): TWO}
    handmade(path, layers)
    with pytest.raises(FileFormatError, match=r"or read the rest with strict=False"):
        keras_h5.read(path)
    found = keras_h5.read(path, strict=False)
    assert list(found) == ["hidden.weight", "hidden.bias"]
    assert len(found.left_out) == 1
    assert found.left_out[0].startswith("mine with float32 (3, 2)")


@pytest.mark.parametrize("places", [("0", "0"), ("1", "9" * 5000), ("1", "x")])
def test_places_that_are_none_are_no_order(path, places):
    tensors = [stored(f"{n}.{a}", some(*shape), "Dense") for n in "ab" for a, shape in DENSE]
    keras_h5.write(path, tensors, {})
    assert keras_h5.read(path).ordered
    with h5py.File(path, "a") as file:
        for name, place in zip("ab", places, strict=True):
            file[f"{name}/vars"].attrs["unified_blocks_place"] = place
    assert not keras_h5.read(path).ordered


def test_automatic_names():
    for family in FAMILIES:
        assert of_automatic_name(family.snake) is of_automatic_name(f"{family.snake}_7") is family
    assert of_automatic_name("dense_a") is None
    assert of_automatic_name("Dense") is None


@pytest.mark.parametrize("whole_model", [False, True])
def test_the_format_before_keras_3_is_refused_with_the_way_out(tmp_path, whole_model):
    with h5py.File(tmp_path / "old.h5", "w") as file:
        layers = file.create_group("model_weights") if whole_model else file
        layers.attrs["layer_names"] = [b"dense"]
        layers.create_group("dense/dense").create_dataset("kernel:0", data=some(3, 2))
    with pytest.raises(FileFormatError, match=r"format before it .* open it with Keras"):
        keras_h5.read(tmp_path / "old.h5")
