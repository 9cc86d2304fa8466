"""ResNet-18 to ResNet-152, of one residual block (Dive into Deep Learning, "Residual Networks")."""

import unified_blocks as ub

SMALL = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3)}
DEEP = {50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}


def conv(channels, kernel_size, strides=1):
    return ub.Conv2D(channels, kernel_size, strides, kernel_size // 2, use_bias=False)


def convolutions(channels, strides, deep):  # three, the middle one narrow, in a deep network
    if not deep:
        return conv(channels, 3, strides), conv(channels, 3)
    return conv(channels // 4, 1), conv(channels // 4, 3, strides), conv(channels, 1)


class Residual(ub.Block):
    """What goes in, and what convolutions make of it (He et al., 2015)."""

    def __init__(self, channels, strides=1, project=False, deep=True):
        super().__init__()
        first, *others = convolutions(channels, strides, deep)
        between = [part for each in others for part in (ub.BatchNorm(), ub.ReLU(), each)]
        self.body = ub.MySequential(first, *between, ub.BatchNorm())
        shortcut = [conv(channels, 1, strides), ub.BatchNorm()] if project else []
        self.shortcut = ub.MySequential(*shortcut)

    def forward(self, X):
        return ub.ops.relu(self.body(X) + self.shortcut(X))


class PreActivated(ub.Block):
    """Version 2, which normalises before a convolution, not after it (He et al., 2016)."""

    def __init__(self, channels, strides=1, project=False, deep=True):
        super().__init__()
        first, *others = convolutions(channels, strides, deep)
        self.norm = ub.BatchNorm()
        between = [part for each in others for part in (ub.BatchNorm(), ub.ReLU(), each)]
        self.body = ub.MySequential(first, *between)
        self.shortcut = conv(channels, 1, strides) if project else None

    def forward(self, X):
        Y = ub.ops.relu(self.norm(X))
        return self.body(Y) + (X if self.shortcut is None else self.shortcut(Y))


def resnet(depth=18, classes=1000, width=64, version=1):
    """A ResNet for images `(n, c, h, w)`, and logits `(n, classes)`."""
    block, deep = (PreActivated if version == 2 else Residual), depth in DEEP
    net = ub.MySequential(conv(width, 7, 2), ub.BatchNorm(), ub.ReLU(), ub.MaxPool2D(3, 2, 1))
    for i, blocks in enumerate((DEEP if deep else SMALL)[depth]):
        channels = width * 2**i * (4 if deep else 1)
        net.add(block(channels, 1 if i == 0 else 2, project=deep or i > 0, deep=deep))
        net.add(ub.repeat(lambda c=channels: block(c, deep=deep), blocks - 1))
    end = [ub.BatchNorm(), ub.ReLU()] if version == 2 else []
    return ub.MySequential(*net, *end, ub.GlobalAvgPool2D(), ub.Flatten(), ub.Dense(classes))
