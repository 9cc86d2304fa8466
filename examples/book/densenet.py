"""DenseNet: each layer sees what all layers before it gave.

Dive into Deep Learning, "Densely Connected Networks (DenseNet)"; Huang et al., "Densely Connected
Convolutional Networks" (2016).
"""

import unified_blocks as ub


def convolved(channels, kernel_size):
    """A convolution, with a norm and an activation before it."""
    conv = ub.Conv2D(channels, kernel_size, padding=kernel_size // 2)
    return ub.MySequential(ub.BatchNorm(), ub.ReLU(), conv)


class Grown(ub.Block):
    """What goes in, and `growth` channels more that are made of it."""

    def __init__(self, growth):
        super().__init__()
        self.body = convolved(growth, 3)
        self.axis = ub.channels_axis()

    def forward(self, X):
        return ub.ops.concat([X, self.body(X)], axis=self.axis)


def densenet(blocks=(4, 4, 4, 4), classes=10, width=64, growth=32):
    """A DenseNet, by default of 18 layers, for images `(n, c, h, w)`."""
    net = ub.MySequential(ub.Conv2D(width, 7, 2, 3), ub.BatchNorm(), ub.ReLU())
    net.add(ub.MaxPool2D(3, 2, 1))
    channels = width
    for i, n in enumerate(blocks):
        net.add(ub.repeat(lambda: Grown(growth), n))
        channels += n * growth
        if i < len(blocks) - 1:  # between them the channels and the size are halved
            channels //= 2
            net.add(ub.MySequential(convolved(channels, 1), ub.AvgPool2D(2)))
    end = ub.BatchNorm(), ub.ReLU(), ub.GlobalAvgPool2D(), ub.Flatten(), ub.Dense(classes)
    return ub.MySequential(*net, *end)
