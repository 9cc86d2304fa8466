"""Images that are padded otherwise in one of two native models."""

import numpy as np
import pytest

import unified_blocks as ub
from testbed.common import HERE, normal

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.skipif("torch" not in HERE, reason="one of the models is PyTorch's")
keras_too = pytest.mark.skipif("tensorflow" not in HERE, reason="the other is of Keras")
gluon_too = pytest.mark.skipif("mxnet" not in HERE, reason="the other is of Gluon")

nn = torch.nn
pad = nn.functional.pad
LAYOUTS = ("NCHW", "NHWC")
PADDING = ("0", "another_padding")
UNKNOWN = ("0", "unknown")


@pytest.fixture(autouse=True)
def numbers():
    torch.manual_seed(0)


def first(a, b, x, **options):
    """The name and the cause of the first difference."""
    found = ub.compare(a, b, x, **options)
    assert not found
    return found.first_difference.name, found.cause


def alone(*layers):
    """The same numbers in each of them."""
    for layer in layers[1:]:
        layer.load_state_dict(layers[0].state_dict())
    return [nn.Sequential(layer) for layer in layers]


def in_keras(a, layers, x):
    import keras

    net = keras.Sequential(layers(keras.layers))
    return ub.transfer(a, ub.build(net, np.moveaxis(x, 1, -1).shape))


def in_gluon(a, layers, x):
    from unified_blocks_mxnet.compat import mx

    net = mx.gluon.nn.HybridSequential()
    net.add(*layers(mx.gluon.nn))
    net.initialize()
    return ub.transfer(a, ub.build(net, x.shape))


# convolutions


def conv(size, image, **options):
    """A convolution of PyTorch over so many axes."""
    kinds = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}
    return nn.Sequential(kinds[len(image)](4, 6, size, **options)), normal(2, 4, *image)


@pytest.mark.parametrize(
    ("image", "size", "options"),
    [
        ((8, 8), 3, {"stride": 2}),
        ((9, 6), 4, {"stride": 3}),
        ((8, 8), 3, {"stride": 2, "groups": 2, "bias": False}),
        ((10,), 3, {"stride": 2}),
        ((6, 6, 6), 3, {"stride": 2}),
    ],
)
def test_a_convolution_that_is_padded_after_the_image_only_is_named(image, size, options):
    """Keras' and TensorFlow's "same", which is not symmetric with a stride."""

    class Same(type(conv(size, image)[0][0])):
        def forward(self, x):
            pads = []
            for n in reversed(x.shape[2:]):
                k, s = size, options["stride"]
                total = max((-(-n // s) - 1) * s + k - n, 0)
                pads += [total // 2, total - total // 2]
            return super().forward(nn.functional.pad(x, pads))

    a, x = conv(size, image, padding=1, **options)
    b = nn.Sequential(Same(4, 6, size, **options))
    b.load_state_dict(a.state_dict())
    if a(torch.from_numpy(x)).shape == b(torch.from_numpy(x)).shape:
        assert not ub.compare(a, b, x)
    assert first(a, b, x) == first(b, a, x) == ("0", "another_padding")


def test_a_convolution_without_its_padding_is_named():
    (a, x), (b, _) = conv(3, (7, 5), padding=1), conv(3, (7, 5))
    b.load_state_dict(a.state_dict())
    assert first(a, b, x) == first(b, a, x) == ("0", "another_padding")


@pytest.mark.parametrize("other", [{"stride": 2}, {"dilation": 2, "padding": 2}])
def test_another_stride_or_dilation_is_not_padding(other):
    (a, x), (b, _) = conv(3, (8, 8), padding=1), conv(3, (8, 8), **{"padding": 1, **other})
    b.load_state_dict(a.state_dict())
    assert first(a, b, x) == ("0", "unknown")


@pytest.mark.parametrize("mode", ["reflect", "replicate", "circular"])
@pytest.mark.parametrize("options", [{}, {"stride": 2, "groups": 2}, {"dilation": 2}])
def test_a_convolution_that_pads_with_other_numbers_is_named(mode, options):
    padding = {"padding": options.get("dilation", 1), **options}
    (a, x), (b, _) = (conv(3, (7, 8), **padding, **more) for more in ({}, {"padding_mode": mode}))
    b.load_state_dict(a.state_dict())
    assert first(a, b, x) == first(b, a, x) == PADDING


@keras_too
def test_keras_same_against_symmetric_in_one_layout():
    import keras

    a = ub.build(
        keras.Sequential([keras.layers.Conv2D(5, 3, 2, "same", activation="relu")]), (2, 8, 8, 3)
    )

    class Symmetric(keras.layers.Conv2D):
        def call(self, x):
            return super().call(keras.ops.pad(x, [(0, 0), (1, 1), (1, 1), (0, 0)]))

    b = ub.build(keras.Sequential([Symmetric(5, 3, 2, activation="relu")]), (2, 8, 8, 3))
    ub.transfer(a, b)
    x = normal(2, 8, 8, 3)
    assert first(a, b, x) == first(b, a, x) == ("0", "another_padding")


# transposed convolutions


@pytest.mark.parametrize(
    ("kind", "image", "right", "wrong"),
    [
        (nn.ConvTranspose2d, (5, 4), {"stride": 2}, {"stride": 2, "padding": 1}),
        (nn.ConvTranspose2d, (5, 4), {"padding": 1}, {"padding": 0}),
        (
            nn.ConvTranspose2d,
            (5, 4),
            {"stride": 2, "padding": 1},
            {"stride": 2, "padding": 1, "output_padding": 1},
        ),
        (
            nn.ConvTranspose1d,
            (7,),
            {"stride": 3, "groups": 2},
            {"stride": 3, "groups": 2, "padding": 1},
        ),
        (nn.ConvTranspose3d, (3, 4, 3), {"bias": False}, {"bias": False, "padding": 1}),
    ],
)
def test_a_transposed_convolution_is_named(kind, image, right, wrong):
    a, b = alone(kind(4, 6, 3, **right), kind(4, 6, 3, **wrong))
    x = normal(2, 4, *image)
    assert first(a, b, x) == first(b, a, x) == PADDING


def test_a_transposed_convolution_cut_at_another_end_is_named():
    """Its output has one shape."""

    class Before(nn.ConvTranspose2d):
        def forward(self, x):
            return super().forward(x)[:, :, 1:, 1:]

    class After(nn.ConvTranspose2d):
        def forward(self, x):
            return super().forward(x)[:, :, :-1, :-1]

    a, b = alone(Before(4, 4, 3, 2), After(4, 4, 3, 2))
    x = normal(2, 4, 5, 6)
    assert first(a, b, x) == first(b, a, x) == PADDING


@pytest.mark.parametrize("other", [{"stride": 3}, {"stride": 2, "dilation": 2}])
def test_another_stride_or_dilation_of_a_transposed_one_is_not_padding(other):
    a, b = alone(nn.ConvTranspose2d(4, 6, 3, 2, 1), nn.ConvTranspose2d(4, 6, 3, padding=1, **other))
    assert first(a, b, normal(2, 4, 5, 5)) == UNKNOWN


@keras_too
@pytest.mark.parametrize("activation", [None, "relu"])
def test_a_transposed_convolution_of_keras(activation):
    a, x = nn.Sequential(nn.ConvTranspose2d(3, 5, 3, 2, 1)), normal(2, 3, 6, 4)
    if activation:
        a.append(nn.ReLU())
    b = in_keras(a, lambda of: [of.Conv2DTranspose(5, 3, 2, "same", activation=activation)], x)
    assert first(a, b, x, layouts=LAYOUTS) == PADDING
    right = in_keras(a, lambda of: [of.Conv2DTranspose(5, 3, 2, "valid", activation=activation)], x)
    assert first(a, right, x, layouts=LAYOUTS) == PADDING


@gluon_too
def test_a_transposed_convolution_of_gluon():
    a, x = nn.Sequential(nn.ConvTranspose2d(3, 5, 4, 2, 1)), normal(2, 3, 6, 4)
    right, wrong = (
        in_gluon(a, lambda of, p=p: [of.Conv2DTranspose(5, 4, 2, p, in_channels=3)], x)
        for p in (1, 0)
    )
    assert ub.compare(a, right, x)
    assert first(a, wrong, x) == first(wrong, a, x) == PADDING


# poolings

IMAGES = {1: (nn.MaxPool1d, nn.AvgPool1d), 2: (nn.MaxPool2d, nn.AvgPool2d)} | {
    3: (nn.MaxPool3d, nn.AvgPool3d)
}


@pytest.mark.parametrize(
    ("image", "right", "wrong"),
    [
        ((9, 7), (3, 2, 1), (3, 2)),
        ((8, 8), (3, 2, 1), (3, 2)),
        ((8, 10), (2, 2, 1), (2, 2)),
        ((8, 9), ((3, 2), (1, 2), (1, 0)), ((3, 2), (1, 2))),
        ((12,), (4, 3, 2), (4, 3)),
        ((5, 6, 5), (3, 2, 1), (3, 2)),
    ],
)
@pytest.mark.parametrize("of", [0, 1], ids=["max", "mean"])
def test_a_pooling_without_its_padding_is_named(of, image, right, wrong):
    kind = IMAGES[len(image)][of]
    a, b = nn.Sequential(kind(*right)), nn.Sequential(kind(*wrong))
    x = normal(2, 4, *image)
    assert first(a, b, x) == first(b, a, x) == PADDING


@pytest.mark.parametrize("kind", [nn.MaxPool2d, nn.AvgPool2d])
def test_a_pooling_padded_at_one_end_is_named(kind):
    """As Keras and TensorFlow do with a stride."""

    class Same(kind):
        def forward(self, x):
            value = -np.inf if kind is nn.MaxPool2d else 0.0
            return super().forward(pad(x, (0, 1, 0, 1), value=value))

    a, b = nn.Sequential(kind(3, 2, 1)), nn.Sequential(Same(3, 2))
    x = normal(2, 4, 8, 6)
    assert a(torch.from_numpy(x)).shape == b(torch.from_numpy(x)).shape
    assert first(a, b, x) == first(b, a, x) == PADDING


def test_zeros_that_count_in_a_pooling_are_padding():
    class Zeros(nn.MaxPool2d):
        def forward(self, x):
            return super().forward(pad(x, (1, 1, 1, 1)))

    x = normal(2, 4, 7, 9)
    a, b = nn.Sequential(nn.MaxPool2d(3, 2, 1)), nn.Sequential(Zeros(3, 2))
    assert first(a, b, x - 3) == first(b, a, x - 3) == PADDING
    a = nn.Sequential(nn.AvgPool2d(3, 2, 1))
    b = nn.Sequential(nn.AvgPool2d(3, 2, 1, count_include_pad=False))
    assert first(a, b, x) == first(b, a, x) == PADDING


@pytest.mark.parametrize("kind", [nn.MaxPool2d, nn.AvgPool2d])
def test_a_window_more_at_the_end_is_padding(kind):
    a, b = nn.Sequential(kind(3, 2)), nn.Sequential(kind(3, 2, ceil_mode=True))
    x = normal(2, 4, 8, 8)
    assert first(a, b, x) == first(b, a, x) == PADDING


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        (nn.MaxPool2d(3, 2, 1), nn.MaxPool2d(2, 2)),
        (nn.MaxPool2d(3, 2, 1), nn.MaxPool2d(3, 3, 1)),
        (nn.AvgPool2d(3, 2, 1), nn.AvgPool2d(5, 2, 2)),
        (nn.AvgPool2d(3, 2, 1), nn.MaxPool2d(3, 2)),
        (nn.MaxPool2d(8), nn.MaxPool2d(7)),  # another window, or padding before it
        (nn.MaxPool2d(3, 2, 1), nn.Upsample(scale_factor=0.5)),
    ],
)
def test_another_pooling_is_not_padding(right, wrong):
    a, b, x = nn.Sequential(right), nn.Sequential(wrong), normal(2, 4, 8, 8)
    assert first(a, b, x)[1] != "another_padding"
    assert first(b, a, x)[1] != "another_padding"


@keras_too
@pytest.mark.parametrize("image", [(8, 6), (7, 9)])
def test_a_pooling_of_keras(image):
    x = normal(2, 3, *image)
    for kind, name in ((nn.MaxPool2d, "MaxPooling2D"), (nn.AvgPool2d, "AveragePooling2D")):
        a = nn.Sequential(kind(3, 2, 1))
        b = in_keras(a, lambda of, name=name: [getattr(of, name)(3, 2, "same")], x)
        if name.startswith("Max") and image == (7, 9):  # symmetric, too
            assert ub.compare(a, b, x, layouts=LAYOUTS)
        else:
            assert first(a, b, x, layouts=LAYOUTS) == PADDING
        c = in_keras(a, lambda of, name=name: [getattr(of, name)(3, 2)], x)
        assert first(a, c, x, layouts=LAYOUTS) == PADDING
        assert first(b, c, np.moveaxis(x, 1, -1))[1] == "another_padding"


@gluon_too
def test_a_pooling_of_gluon():
    x = normal(2, 3, 9, 7)
    a = nn.Sequential(nn.MaxPool2d(3, 2, 1))
    right, wrong = (in_gluon(a, lambda of, p=p: [of.MaxPool2D(3, 2, p)], x) for p in (1, 0))
    assert ub.compare(a, right, x)
    assert first(a, wrong, x) == first(wrong, a, x) == PADDING
    a = nn.Sequential(nn.AvgPool2d(3, 2, 1))
    b = in_gluon(a, lambda of: [of.AvgPool2D(3, 2, 1, count_include_pad=False)], x)
    assert first(a, b, x) == first(b, a, x) == PADDING


# padding by itself


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        (nn.ReflectionPad2d(1), nn.ZeroPad2d(1)),
        (nn.ReflectionPad2d(2), nn.ReplicationPad2d(2)),
        (nn.ReflectionPad2d((1, 0, 1, 0)), nn.ReflectionPad2d((0, 1, 0, 1))),
        (nn.ZeroPad2d(2), nn.ZeroPad2d(1)),
        (nn.ZeroPad2d(1), nn.ConstantPad2d(1, 0.5)),
        (nn.CircularPad2d(2), nn.ReflectionPad2d(2)),
    ],
)
def test_an_image_that_is_padded_otherwise_is_named(right, wrong):
    a, b, x = nn.Sequential(right), nn.Sequential(wrong), normal(2, 3, 6, 5)
    assert first(a, b, x) == first(b, a, x) == PADDING


@pytest.mark.parametrize("inside", [nn.Conv2d(3, 4, 3), nn.MaxPool2d(3)])
def test_an_image_that_is_padded_between_layers_is_named(inside):
    class Padded(nn.Module):
        def __init__(self, mode):
            super().__init__()
            self.inside, self.mode = inside, mode

        def forward(self, x):
            return self.inside(pad(torch.tanh(x), (1, 1, 1, 1), mode=self.mode))

    class After(nn.Module):
        def __init__(self, mode):
            super().__init__()
            self.first, self.inside, self.mode = nn.Tanh(), inside, mode

        def forward(self, x):
            return self.inside(pad(self.first(x), (1, 1, 1, 1), mode=self.mode))

    x = normal(2, 3, 6, 5)
    found = ub.compare(After("reflect"), After("constant"), x)
    assert found.cause == "another_padding"
    assert found.first_difference.after == "first"
    # What a block does before it pads is not known.
    assert ub.compare(Padded("reflect"), Padded("constant"), x).cause == "unknown"


def test_an_image_of_other_numbers_is_not_padding():
    class Noisy(nn.ZeroPad2d):
        def forward(self, x):
            y = super().forward(x).clone()
            y[..., 0, 0] = 1.0
            return y

    a, b = nn.Sequential(nn.ZeroPad2d(1)), nn.Sequential(Noisy(1))
    assert first(a, b, normal(2, 3, 6, 5)) == UNKNOWN


@keras_too
def test_an_image_that_keras_pads():
    a, x = nn.Sequential(nn.ReflectionPad2d(1), nn.Conv2d(3, 4, 3)), normal(2, 3, 6, 5)
    b = in_keras(a, lambda of: [of.ZeroPadding2D(1), of.Conv2D(4, 3)], x)
    assert first(a, b, x, layouts=LAYOUTS) == PADDING


@gluon_too
def test_an_image_that_gluon_pads():
    a, x = nn.Sequential(nn.ZeroPad2d(1), nn.Conv2d(3, 4, 3)), normal(2, 3, 6, 5)
    b = in_gluon(a, lambda of: [of.ReflectionPad2D(1), of.Conv2D(4, 3, in_channels=3)], x)
    assert first(a, b, x) == first(b, a, x) == PADDING
