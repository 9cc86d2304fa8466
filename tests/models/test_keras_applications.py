"""The families of `keras.applications`: their numbers go through a state, and to PyTorch's files.

Two small ones always, all with `UNIFIED_BLOCKS_SOAK=1`.
"""

import numpy as np
import pytest

import unified_blocks as ub
from testbed.common import normal
from testbed.hostile import SOAK

keras = pytest.importorskip("keras", exc_type=(ImportError, AttributeError))
apps = keras.applications

FAMILIES = {
    "ConvNeXt": lambda: made(apps.ConvNeXtTiny, 32),
    "DenseNet": lambda: made(apps.DenseNet121, 32),
    "EfficientNet": lambda: made(apps.EfficientNetB0, 32),
    "EfficientNetV2": lambda: made(apps.EfficientNetV2B0, 32),
    "InceptionResNetV2": lambda: made(apps.InceptionResNetV2, 75),
    "InceptionV3": lambda: made(apps.InceptionV3, 75),
    "MobileNet": lambda: made(apps.MobileNet, 32, alpha=0.25),
    "MobileNetV2": lambda: made(apps.MobileNetV2, 32, alpha=0.35),
    "MobileNetV3": lambda: made(apps.MobileNetV3Small, 32, minimalistic=True),
    "NASNet": lambda: made(apps.NASNetMobile, 32),
    "ResNet": lambda: made(apps.ResNet50, 32),
    "ResNetV2": lambda: made(apps.ResNet50V2, 32),
    "VGG": lambda: made(apps.VGG16, 32),
    "Xception": lambda: made(apps.Xception, 71),
}
SMALL = ("MobileNet", "MobileNetV3")


def made(make, size, **options):
    return make(weights=None, include_top=False, input_shape=(size, size, 3), **options)


@pytest.mark.parametrize("family", FAMILIES if SOAK else SMALL)
def test_a_family_goes_through_a_state_and_a_file_of_pytorch(backend_name, family, tmp_path):
    if backend_name != "tensorflow":
        pytest.skip("they are Keras'")
    torch = pytest.importorskip("torch")
    keras.utils.set_random_seed(0)
    net = FAMILIES[family]()
    x = normal(1, *net.input_shape[1:])
    expected = np.asarray(net(x))
    state = ub.state(net)
    assert sum(array.size for array in state.values()) == sum(
        int(np.prod(w.shape)) for w in net.weights
    )
    numbers_of_kernels(net, state)

    ub.write_state(net, tmp_path / "net.pt")
    tensors = torch.load(tmp_path / "net.pt", weights_only=True)
    assert {n: tuple(t.shape) for n, t in tensors.items()} == {n: a.shape for n, a in state.items()}
    for w in net.weights:
        w.assign(w * 0)
    ub.load_state(net, {n: t.numpy() for n, t in tensors.items()})
    np.testing.assert_array_equal(np.asarray(net(x)), expected)
    assert ub.diff_state(net, state).equal

    other = keras.models.clone_model(net)
    ub.transfer(ub.read_state(tmp_path / "net.pt"), other, match="order")
    np.testing.assert_array_equal(np.asarray(other(x)), expected)


def numbers_of_kernels(net, state):
    """Each kernel by hand, in PyTorch's layout."""
    for layer in net.layers:
        kind = type(layer).__name__
        if kind in ("Conv2D", "Dense"):
            array = np.asarray(layer.kernel)
            wanted = {"weight": np.moveaxis(array, (-1, -2), (0, 1))}
        elif kind == "DepthwiseConv2D":
            wanted = {"weight": depthwise(layer.kernel)}
        elif kind == "SeparableConv2D":
            pointwise = np.moveaxis(np.asarray(layer.pointwise_kernel), (-1, -2), (0, 1))
            wanted = {
                "depthwise.weight": depthwise(layer.depthwise_kernel),
                "pointwise.weight": pointwise,
            }
        else:
            continue
        for name, array in wanted.items():
            np.testing.assert_array_equal(state[f"{layer.name}.{name}"], array)


def depthwise(kernel):
    """One filter after the other: those of the first channel come first."""
    array = np.asarray(kernel)
    channels, multiplier = array.shape[-2:]
    return np.stack([array[:, :, c, m][None] for c in range(channels) for m in range(multiplier)])
