"""ResNeXt: residual blocks whose convolutions are in groups.

Dive into Deep Learning, "Residual Networks"; Xie et al., "Aggregated Residual Transformations for
Deep Neural Networks" (2016).
"""

import unified_blocks as ub


def normalised(channels, kernel_size, strides=1, groups=1):
    """A convolution and a norm."""
    padding = kernel_size // 2
    conv = ub.Conv2D(channels, kernel_size, strides, padding, groups=groups, use_bias=False)
    return conv, ub.BatchNorm()


class Grouped(ub.Block):
    """What goes in, and what so many groups of channels, each by itself, make of it."""

    def __init__(self, channels, groups, strides=1, project=False):
        super().__init__()
        self.body = ub.MySequential(
            *normalised(channels // 2, 1),
            ub.ReLU(),
            *normalised(channels // 2, 3, strides, groups),
            ub.ReLU(),
            *normalised(channels, 1),
        )
        self.shortcut = ub.MySequential(*(normalised(channels, 1, strides) if project else ()))

    def forward(self, X):
        return ub.ops.relu(self.body(X) + self.shortcut(X))


def resnext(blocks=(3, 4, 6, 3), classes=1000, width=256, groups=32):
    """A ResNeXt, by default of 50 layers, for images `(n, c, h, w)`."""
    net = ub.MySequential(*normalised(width // 4, 7, 2), ub.ReLU(), ub.MaxPool2D(3, 2, 1))
    for i, n in enumerate(blocks):
        channels = width * 2**i
        net.add(Grouped(channels, groups, 1 if i == 0 else 2, project=True))
        net.add(ub.repeat(lambda c=channels: Grouped(c, groups), n - 1))
    return ub.MySequential(*net, ub.GlobalAvgPool2D(), ub.Flatten(), ub.Dense(classes))
