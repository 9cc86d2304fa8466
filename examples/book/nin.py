"""NiN: convolutions of size 1 take the place of dense layers, and a mean that of the last one.

Dive into Deep Learning, "Network in Network (NiN)"; Lin et al., 2013.
"""

import unified_blocks as ub


def nin_block(channels, kernel_size, strides=1, padding=0):
    """A convolution, and two that see one element each: a small network on its channels."""
    return ub.MySequential(
        ub.Conv2D(channels, kernel_size, strides, padding, activation="relu"),
        ub.Conv2D(channels, 1, activation="relu"),
        ub.Conv2D(channels, 1, activation="relu"),
    )


class NiN(ub.Block):
    """Ten classes of images `(n, c, 224, 224)`.

    Args:
        channels: of the three groups before the last.
    """

    def __init__(self, classes=10, channels=(96, 256, 384), rate=0.5):
        super().__init__()
        first, second, third = channels
        self.net = ub.MySequential(
            nin_block(first, 11, 4),
            ub.MaxPool2D(3, 2),
            nin_block(second, 5, padding=2),
            ub.MaxPool2D(3, 2),
            nin_block(third, 3, padding=1),
            ub.MaxPool2D(3, 2),
            ub.Dropout(rate),
            nin_block(classes, 3, padding=1),
            ub.GlobalAvgPool2D(),
            ub.Flatten(),
        )

    def forward(self, X):
        return self.net(X)
