"""What a file of Keras holds is what the live model does: of each kind of layer that is known."""

import os

import numpy as np
import pytest

import unified_blocks as ub
from testbed.keras_files import some, stored
from unified_blocks.errors import FileFormatError, UnsupportedError
from unified_blocks.formats.keras import weights as keras_h5
from unified_blocks.formats.keras.families import FAMILIES, ONLY_READ

pytest.importorskip("tensorflow", reason="tensorflow is not installed")
keras = pytest.importorskip("keras", reason="tensorflow is not installed")
L = keras.layers


def attention(*arguments, **options):
    """Keras' own, to all of one tensor."""
    layer = L.MultiHeadAttention(*arguments, **options)
    return lambda x: layer(x, x)


LINE, IMAGE = (6, 4), (6, 5, 4)
KINDS = {
    "DepthwiseConv1D": (LINE, lambda: L.DepthwiseConv1D(3, depth_multiplier=2)),
    "DepthwiseConv2D": (IMAGE, lambda: L.DepthwiseConv2D((3, 2), depth_multiplier=2)),
    "depthwise without bias": (IMAGE, lambda: L.DepthwiseConv2D(3, use_bias=False)),
    "SeparableConv1D": (LINE, lambda: L.SeparableConv1D(5, 3)),
    "SeparableConv2D": (IMAGE, lambda: L.SeparableConv2D(5, (3, 2), depth_multiplier=2)),
    "separable without bias": (IMAGE, lambda: L.SeparableConv2D(5, 3, use_bias=False)),
    "GroupNormalization": (IMAGE, lambda: L.GroupNormalization(2)),
    "RMSNormalization": (LINE, lambda: L.RMSNormalization()),
    "PReLU": (LINE, lambda: L.PReLU()),
    "PReLU of each channel": (IMAGE, lambda: L.PReLU(shared_axes=[1, 2])),
    "PReLU of one slope": (IMAGE, lambda: L.PReLU(shared_axes=[1, 2, 3])),
    "Normalization": (LINE, lambda: L.Normalization()),
    "LayerNormalization over images": (IMAGE, lambda: L.LayerNormalization(axis=[1, 2, 3])),
    "MultiHeadAttention": (LINE, lambda: attention(2, 3)),
    "MultiHeadAttention without bias": (LINE, lambda: attention(2, 3, use_bias=False)),
    "MultiHeadAttention of other widths": (LINE, lambda: attention(3, 2, value_dim=5)),
    "RMSNormalization over images": (IMAGE, lambda: L.RMSNormalization(axis=[1, 2, 3])),
}


def made(shape, layer):
    x = L.Input(shape)
    return keras.Model(x, L.Activation("relu", name="act")(layer()(x)))


def randomised(model):
    generator = np.random.default_rng(0)
    model.set_weights([generator.uniform(1, 9, w.shape).astype(w.dtype) for w in model.weights])
    return model


@pytest.mark.parametrize("name", KINDS)
def test_a_keras_file_holds_what_the_model_does(tmp_path, name):
    model = randomised(made(*KINDS[name]))
    path = tmp_path / "model.keras"
    model.save(path)
    found, state = ub.read_state(path), ub.state(model)
    assert list(found) == list(state)
    assert ub.diff_state(found, model).equal
    assert found.ordered
    again = made(*KINDS[name])
    again.layers[1].name = model.layers[1].name
    ub.load_state(again, found)
    for new, old in zip(again.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(new, old)


@pytest.mark.parametrize("name", KINDS)
def test_a_file_of_weights_holds_the_same_numbers(tmp_path, name):
    model = randomised(made(*KINDS[name]))
    path = tmp_path / "model.weights.h5"
    model.save_weights(path)
    model.save(tmp_path / "model.keras")
    assert ub.diff_state(ub.read_state(path), ub.read_state(tmp_path / "model.keras")).equal
    pairs = zip(ub.read_state(path).values(), ub.state(model).values(), strict=True)
    for found, wanted in pairs:
        np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("name", [name for name in KINDS if "wise" in name or "parable" in name])
def test_what_is_two_layers_elsewhere_is_not_written(tmp_path, name):
    model = made(*KINDS[name])
    model.save(tmp_path / "model.keras")
    found = ub.read_state(tmp_path / "model.keras")
    ub.write_state(found, tmp_path / "model.pt")
    target = tmp_path / "again.weights.h5"
    with pytest.raises(
        UnsupportedError, match=r"which was a (Depthwise|Separable)Conv.* let Keras"
    ):
        ub.write_state(found, target)
    assert not target.exists()
    assert keras_h5.unwritable(found.tensors.values())


@pytest.mark.parametrize("shapes", [[(2, 2)], [(2, 3, 2, 1)] * 2, [(3, 3, 2, 2), (3,)]])
def test_what_is_not_of_its_kind_is_refused(tmp_path, shapes):
    from testbed.keras_files import handmade

    path = tmp_path / "a.weights.h5"
    arrays = [some(*shape) for shape in shapes]
    handmade(path, {("", "model"): [], ("here", "depthwise_conv2d"): arrays})
    with pytest.raises(FileFormatError, match="not those of a DepthwiseConv2D"):
        keras_h5.read(path)


def test_what_is_only_read_is_not_mistaken_for_what_is_written(tmp_path):
    path = tmp_path / "a.weights.h5"
    keras_h5.write(path, [stored("here.weight", some(6, 1, 3, 3), "Conv2D")], {})
    assert keras_h5.read(path)["here.weight"].shape == (6, 1, 3, 3)
    assert not {family.keras for family in ONLY_READ} & {family.keras for family in FAMILIES}


APPLICATIONS = {
    "MobileNetV2": {"alpha": 0.35},
    "EfficientNetB0": {},
    "ConvNeXtTiny": {},
    "Xception": {},
    "NASNetMobile": {},
    "DenseNet121": {},
    "ResNet50V2": {},
}
SMALL = ["MobileNetV2"]


@pytest.mark.parametrize("name", APPLICATIONS if os.environ.get("UNIFIED_BLOCKS_SOAK") else SMALL)
def test_a_network_of_keras_applications(tmp_path, name):
    make = getattr(keras.applications, name)
    side = 224 if name == "NASNetMobile" else 96
    options = {"weights": None, "include_top": False, "input_shape": (side, side, 3)}
    model = make(**options, **APPLICATIONS[name])
    model.save(tmp_path / "model.keras")
    found = ub.read_state(tmp_path / "model.keras")
    assert ub.diff_state(found, model).equal
    assert found.ordered
