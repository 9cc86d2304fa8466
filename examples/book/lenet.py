"""LeNet: a convolution and a pool, twice, then three dense layers.

Dive into Deep Learning, "Convolutional Neural Networks (LeNet)"; LeCun et al., 1998.
"""

import unified_blocks as ub


class LeNet(ub.Block):
    """Ten classes of images `(n, 1, 28, 28)`; smaller ones fit too."""

    def __init__(self, classes=10, activation="sigmoid"):
        super().__init__()
        self.net = ub.MySequential(
            ub.Conv2D(6, 5, padding=2, activation=activation),
            ub.AvgPool2D(2),
            ub.Conv2D(16, 5, activation=activation),
            ub.AvgPool2D(2),
            ub.Flatten(),
            ub.Dense(120, activation=activation),
            ub.Dense(84, activation=activation),
            ub.Dense(classes),
        )

    def forward(self, X):
        return self.net(X)
