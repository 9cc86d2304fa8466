"""VGG: groups of small convolutions, each of which halves the image.

Dive into Deep Learning, "Networks Using Blocks (VGG)"; Simonyan and Zisserman, 2014.
"""

import unified_blocks as ub

VGG11 = ((1, 64), (1, 128), (2, 256), (2, 512), (2, 512))
"""The convolutions and channels of each group."""


def vgg_block(convolutions, channels):
    """So many convolutions of so many channels, and the largest of each four elements."""
    return ub.MySequential(
        *(ub.Conv2D(channels, 3, padding=1, activation="relu") for _ in range(convolutions)),
        ub.MaxPool2D(2),
    )


class VGG(ub.Block):
    """Ten classes of images `(n, c, 224, 224)`.

    Args:
        arch: the convolutions and channels of each group.
        units: of the two dense layers before the last.
    """

    def __init__(self, arch=VGG11, classes=10, units=4096, rate=0.5):
        super().__init__()
        self.net = ub.MySequential(
            *(vgg_block(*group) for group in arch),
            ub.Flatten(),
            ub.Dense(units, activation="relu"),
            ub.Dropout(rate),
            ub.Dense(units, activation="relu"),
            ub.Dropout(rate),
            ub.Dense(classes),
        )

    def forward(self, X):
        return self.net(X)
