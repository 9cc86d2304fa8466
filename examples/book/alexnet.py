"""AlexNet: LeNet, but deeper, with larger windows first, relu, maxima and dropout.

Dive into Deep Learning, "Deep Convolutional Neural Networks (AlexNet)"; Krizhevsky et al., 2012.
"""

import unified_blocks as ub


class AlexNet(ub.Block):
    """Ten classes of images `(n, c, 224, 224)`.

    Args:
        channels: of the five convolutions.
        units: of the two dense layers before the last.
    """

    def __init__(self, classes=10, channels=(96, 256, 384, 384, 256), units=4096, rate=0.5):
        super().__init__()
        first, second, *others = channels
        self.net = ub.MySequential(
            ub.Conv2D(first, 11, 4, padding=1, activation="relu"),
            ub.MaxPool2D(3, 2),
            ub.Conv2D(second, 5, padding=2, activation="relu"),
            ub.MaxPool2D(3, 2),
            *(ub.Conv2D(c, 3, padding=1, activation="relu") for c in others),
            ub.MaxPool2D(3, 2),
            ub.Flatten(),
            ub.Dense(units, activation="relu"),
            ub.Dropout(rate),
            ub.Dense(units, activation="relu"),
            ub.Dropout(rate),
            ub.Dense(classes),
        )

    def forward(self, X):
        return self.net(X)
