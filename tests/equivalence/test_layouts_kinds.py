"""Networks of PyTorch and their ports to Keras in its default layout, of many kinds."""

import numpy as np
import pytest

import unified_blocks as ub
from testbed.common import HERE, normal
from testbed.images import last, layouts_of
from testbed.mutants.checks import numbered

if not {"torch", "tensorflow"} <= set(HERE):
    pytest.skip("it needs both", allow_module_level=True)

import keras
import torch

layers, nn, ops, F = keras.layers, torch.nn, keras.ops, torch.nn.functional
X = normal(2, 3, 8, 8)
WORDS = ("channels_first", "channels_last")
SAME = "the same, channels last"
ONES = "the same, without axes of size 1"


def both_ways(a, b, x, mode="forward", **options):
    """What is found of two models, either of which is the right one, by its name and cause."""
    xs = x if isinstance(x, tuple) else (x,)
    there = ub.compare(a, b, xs, mode=mode, layouts=WORDS, **options)
    lasts = tuple(last(each) if each.ndim > 2 else each for each in xs)
    if "rename" in options:
        options = {"rename": {new: old for old, new in options["rename"].items()}}
    back = ub.compare(b, a, lasts, mode=mode, layouts=WORDS[::-1], **options)
    return [(found.first_difference and found.first_difference.name, found.cause, found)
            for found in (there, back)]  # fmt: skip


def ported(a, make, *xs, **options):
    a(*map(torch.from_numpy, xs))
    numbered(a)
    b = make()
    b(*(last(x) if x.ndim > 2 else x for x in xs))
    return ub.transfer(a, b, **options)


class Residual(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)
        self.bn = nn.BatchNorm2d(channels)

    def forward(self, x):
        return F.relu(x + self.bn(self.conv(x)))


class KerasResidual(layers.Layer):
    def __init__(self, channels, axes=(0, 1, 2, 3)):
        super().__init__()
        self.conv = layers.Conv2D(channels, 3, padding="same")
        self.bn = layers.BatchNormalization(epsilon=1e-5)
        self.axes = axes

    def call(self, x):
        return ops.relu(x + self.bn(self.conv(ops.transpose(x, self.axes))))


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem, self.block, self.up = (
            nn.Conv2d(3, 8, 3),
            Residual(8),
            nn.Upsample(scale_factor=2),
        )
        self.pool, self.gap, self.fc = nn.MaxPool2d(3), nn.AdaptiveAvgPool2d(1), nn.Linear(8, 5)

    def forward(self, x):
        x = self.pool(self.up(self.block(self.stem(x))))
        return self.fc(torch.flatten(self.gap(torch.cat([x[:, 4:], x[:, :4]], 1)), 1))


class KerasClassifier(keras.Model):
    def __init__(self, axes=(0, 1, 2, 3), gap=layers.GlobalAveragePooling2D, activation=None):
        super().__init__()
        self.stem, self.block = layers.Conv2D(8, 3), KerasResidual(8, axes)
        self.up, self.pool, self.gap = layers.UpSampling2D(2), layers.MaxPooling2D(3), gap()
        self.fc = layers.Dense(5, activation=activation)

    def call(self, x):
        x = self.pool(self.up(self.block(self.stem(x))))
        return self.fc(self.gap(ops.concatenate([x[..., 4:], x[..., :4]], -1)))


@pytest.mark.parametrize("mode", ["forward", "gradient"])
def test_blocks_pools_and_branches(mode):
    a = Classifier()
    b = ported(a, KerasClassifier, X)
    for name, cause, found in both_ways(a, b, X, mode):
        assert (name, cause) == (None, None), str(found)
        assert not found.notes
        moved = layouts_of(found)
        assert moved.pop("gap") == ONES
        assert {"stem", "block.conv", "block.bn", "block", "up", "pool"} == set(moved)


@pytest.mark.parametrize(
    ("options", "place", "causes"),
    [
        ({"axes": (0, 2, 1, 3)}, "block", {"unknown"}),
        ({"gap": layers.GlobalMaxPooling2D}, "gap", {"unknown"}),
        ({"activation": "relu"}, "fc", {"activation_extra", "activation_missing"}),
    ],
    ids=["rows and columns", "another pool", "after an axis that was dropped"],
)
def test_the_right_layer_is_named(options, place, causes):
    a = Classifier()
    b = ported(a, lambda: KerasClassifier(**options), X)
    for name, cause, found in both_ways(a, b, X):
        assert name == place, str(found)
        assert cause in causes, str(found)


class Functional(nn.Module):
    """It flattens without a layer."""

    def __init__(self):
        super().__init__()
        self.conv, self.fc = nn.Conv2d(3, 8, 3), nn.Linear(8 * 36, 5)

    def forward(self, x):
        return self.fc(torch.relu(self.conv(x)).flatten(1))


class KerasFunctional(keras.Model):
    def __init__(self, axes):
        super().__init__()
        self.conv, self.fc = layers.Conv2D(8, 3), layers.Dense(5)
        self.axes = axes

    def call(self, x):
        return self.fc(ops.reshape(ops.transpose(ops.relu(self.conv(x)), self.axes), (-1, 288)))


def test_an_image_that_is_flattened_without_a_layer():
    a = Functional()
    for name, cause, found in both_ways(a, ported(a, lambda: KerasFunctional((0, 3, 1, 2)), X), X):
        assert (name, cause) == (None, None), str(found)
    for name, cause, found in both_ways(a, ported(a, lambda: KerasFunctional((0, 1, 2, 3)), X), X):
        assert (name, cause) == ("(model)", "flatten_order"), str(found)
        assert found.first_difference.after == "conv"


CONVOLUTIONS = {
    1: (nn.Conv1d, nn.BatchNorm1d, layers.Conv1D),
    2: (nn.Conv2d, nn.BatchNorm2d, layers.Conv2D),
    3: (nn.Conv3d, nn.BatchNorm3d, layers.Conv3D),
}
RENAME = {"conv": "0", "bn": "1", "fc": "4"}


@pytest.mark.parametrize("axes", CONVOLUTIONS)
@pytest.mark.parametrize(("epsilon", "wanted"), [(1e-5, None), (1e-3, ("bn", "epsilon"))])
def test_signals_and_volumes(axes, epsilon, wanted):
    convolution, norm, keras_convolution = CONVOLUTIONS[axes]
    a = nn.Sequential()
    for name, part in {
        "conv": convolution(3, 4, 2),
        "bn": norm(4),
        "flat": nn.Flatten(),
        "fc": nn.Linear(4**axes * 4, 3),
    }.items():
        a.add_module(name, part)

    def port():
        return keras.Sequential(
            [
                keras_convolution(4, 2),
                layers.BatchNormalization(epsilon=epsilon),
                layers.Permute((axes + 1, *range(1, axes + 1))),
                layers.Flatten(),
                layers.Dense(3),
            ]
        )

    x = normal(2, 3, *[5] * axes)
    b = ported(a.eval(), port, x, rename=RENAME)
    there, back = both_ways(a, b, x, "gradient", rename=RENAME)
    assert there[:2] == (wanted or (None, None)), str(there[2])
    name = {"bn": "1", None: None}[there[0]]
    assert back[:2] == (name, there[1]), str(back[2])


class NormFirst(nn.LayerNorm):
    """Of the channels, which are first: as torchvision's `LayerNorm2d`."""

    def forward(self, x):
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class Modern(nn.Module):
    """Of an image and a vector; a part of it has channels last."""

    def __init__(self):
        super().__init__()
        self.conv, self.ln, self.mlp = nn.Conv2d(3, 6, 3), NormFirst(6), nn.Linear(6, 6)
        self.act, self.head, self.embed = nn.Tanh(), nn.Conv2d(6, 4, 1), nn.Linear(5, 4)

    def forward(self, x, v):
        y = self.ln(self.conv(x))
        y = self.act(self.mlp(y.permute(0, 2, 3, 1))).permute(0, 3, 1, 2)
        return self.head(y) + self.embed(v)[:, :, None, None], y.mean((2, 3))


class KerasModern(keras.Model):
    def __init__(self, epsilon=1e-5, axes=(0, 1, 2, 3)):
        super().__init__()
        self.conv, self.ln = layers.Conv2D(6, 3), layers.LayerNormalization(epsilon=epsilon)
        self.mlp, self.act = layers.Dense(6), layers.Activation("tanh")
        self.head, self.embed = layers.Conv2D(4, 1), layers.Dense(4)
        self.axes = axes

    def call(self, x, v):
        y = ops.transpose(self.act(self.mlp(self.ln(self.conv(x)))), self.axes)
        return self.head(y) + self.embed(v)[:, None, None, :], ops.mean(y, (1, 2))


@pytest.mark.parametrize("shape", [(8, 8), (8, 7)])
@pytest.mark.parametrize(
    ("options", "wanted", "after"),
    [
        ({}, (None, None), None),
        ({"epsilon": 0.5}, ("ln", "epsilon"), None),
        ({"axes": (0, 1, 3, 2)}, ("(model)", "unknown"), "act"),
    ],
    ids=["right", "epsilon", "columns and channels"],
)
def test_a_part_that_has_channels_last_in_both(shape, options, wanted, after):
    x, v = normal(2, 3, *shape), normal(2, 5)
    if after and shape[1] != 8:
        pytest.skip("Keras refuses it")
    a = Modern()
    b = ported(a, KerasModern, x, v)
    b = ub.transfer(b, ported(a, lambda: KerasModern(**options), x, v))
    for name, cause, found in both_ways(a, b, (x, v)):
        assert (name, cause) == wanted, str(found)
        if after:
            assert found.first_difference.after == after
    assert ub.compare(a, b, (x, v), inputs_b=(last(x), v)).ok == (not options)


class Patches(nn.Module):
    def __init__(self):
        super().__init__()
        self.patch, self.mix, self.norm = nn.Conv2d(3, 9, 2, 2), nn.Identity(), nn.LayerNorm(9)
        self.fc = nn.Linear(9, 9)

    def forward(self, x):
        return self.fc(self.norm(self.mix(self.patch(x).flatten(2).transpose(1, 2))))


class KerasPatches(keras.Model):
    def __init__(self, mix):
        super().__init__()
        self.patch, self.mix = layers.Conv2D(9, 2, 2), mix
        self.norm, self.fc = layers.LayerNormalization(epsilon=1e-5), layers.Dense(9)

    def call(self, x):
        return self.fc(self.norm(self.mix(ops.reshape(self.patch(x), (-1, 9, 9)))))


@pytest.mark.parametrize(
    ("mix", "wanted"),
    [(layers.Identity(), (None, None)), (layers.Permute((2, 1)), ("mix", "another_layout"))],
    ids=["right", "transposed"],
)
def test_tokens_that_are_as_many_as_features_are_not_transposed(mix, wanted):
    """Elsewhere in the network channels are moved; what came in as it is goes out as it is."""
    x, a = normal(2, 3, 6, 6), Patches()
    b = ported(a, lambda: KerasPatches(mix), x)
    for name, cause, found in both_ways(a, b, x):
        assert (name, cause) == wanted, str(found)


class TwoConvolutions(nn.Module):
    def __init__(self, axes=(0, 1, 2, 3)):
        super().__init__()
        self.first, self.second, self.axes = nn.Conv2d(6, 6, 1), nn.Conv2d(6, 6, 1), axes

    def forward(self, x):
        return self.second(self.first(x).permute(self.axes))


def test_between_two_models_that_have_channels_first_nothing_is_moved():
    x = normal(2, 6, 6, 6)
    a = numbered(TwoConvolutions())
    b = TwoConvolutions((0, 2, 3, 1))
    b.load_state_dict(a.state_dict())
    found = ub.compare(a, b, x)
    difference = found.first_difference
    assert (difference.name, difference.after) == ("(model)", "first"), str(found)
    assert found.cause == "another_layout"
    assert not layouts_of(found)


def test_a_statistic_of_images_that_have_channels_last_has_its_cause():
    """As many rows as channels: the cause has to know where they are."""
    x = np.ascontiguousarray(last(normal(2, 4, 4, 5)))

    def made(epsilon):
        net = keras.Sequential([layers.BatchNormalization(epsilon=epsilon)])
        net(x)
        return numbered(net)

    found = ub.compare(made(1e-5), made(1e-2), x)
    assert found.cause == "epsilon", str(found)
