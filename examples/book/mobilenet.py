"""MobileNetV2: wide inside and narrow outside, and each channel convolved by itself.

Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks" (2018).
"""

import unified_blocks as ub


def normalised(channels, kernel_size, strides=1, groups=1):
    """A convolution and a norm."""
    padding = kernel_size // 2
    conv = ub.Conv2D(channels, kernel_size, strides, padding, groups=groups, use_bias=False)
    return conv, ub.BatchNorm()


class Inverted(ub.Block):
    """Channels are made more, convolved each by itself, and made fewer again."""

    def __init__(self, in_channels, channels, strides=1, expansion=6):
        super().__init__()
        wide = in_channels * expansion
        widen = (*normalised(wide, 1), ub.ReLU6()) if expansion > 1 else ()
        apart = (*normalised(wide, 3, strides, groups=wide), ub.ReLU6())
        self.body = ub.MySequential(*widen, *apart, *normalised(channels, 1))
        self.is_residual = strides == 1 and in_channels == channels

    def forward(self, X):
        return X + self.body(X) if self.is_residual else self.body(X)


GROUPS = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1))
GROUPS = (*GROUPS, (6, 160, 3, 2), (6, 320, 1, 1))
"""Expansion, channels, blocks and steps of each group."""


def mobilenet(classes=1000, groups=GROUPS, width=32, last=1280, rate=0.2):
    """A MobileNetV2 for images `(n, c, h, w)`, and logits `(n, classes)`."""
    net = ub.MySequential(*normalised(width, 3, 2), ub.ReLU6())
    for expansion, channels, blocks, strides in groups:
        for i in range(blocks):
            net.add(Inverted(width, channels, strides if i == 0 else 1, expansion))
            width = channels
    net = ub.MySequential(*net, *normalised(last, 1), ub.ReLU6(), ub.GlobalAvgPool2D())
    return ub.MySequential(*net, ub.Flatten(), ub.Dropout(rate), ub.Dense(classes))
