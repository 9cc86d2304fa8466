"""GoogLeNet with batch normalisation: windows of several sizes side by side.

Dive into Deep Learning, "Multi-Branch Networks (GoogLeNet)"; Szegedy et al., "Going Deeper with
Convolutions" (2014); Ioffe and Szegedy, "Batch Normalization" (2015).
"""

import unified_blocks as ub


def conv(channels, kernel_size, strides=1):
    padding = kernel_size // 2
    layer = ub.Conv2D(channels, kernel_size, strides, padding, use_bias=False)
    return ub.MySequential(layer, ub.BatchNorm(), ub.ReLU())


def inception(one, three, five, pooled):
    """Four branches, joined along the channels; pairs are narrowed before they are convolved."""
    return ub.Parallel(
        conv(one, 1),
        ub.MySequential(conv(three[0], 1), conv(three[1], 3)),
        ub.MySequential(conv(five[0], 1), conv(five[1], 5)),
        ub.MySequential(ub.MaxPool2D(3, 1, 1), conv(pooled, 1)),
        axis="channels",
    )


GROUPS = (
    ((64, (96, 128), (16, 32), 32), (128, (128, 192), (32, 96), 64)),
    (
        *((192, (96, 208), (16, 48), 64), (160, (112, 224), (24, 64), 64)),
        *((128, (128, 256), (24, 64), 64), (112, (144, 288), (32, 64), 64)),
        (256, (160, 320), (32, 128), 128),
    ),
    ((256, (160, 320), (32, 128), 128), (384, (192, 384), (48, 128), 128)),
)


def googlenet(classes=1000, groups=GROUPS):
    """GoogLeNet for images `(n, c, h, w)`, and logits `(n, classes)`."""
    net = ub.MySequential(conv(64, 7, 2), ub.MaxPool2D(3, 2, 1))
    for part in (conv(64, 1), conv(192, 3), ub.MaxPool2D(3, 2, 1)):
        net.add(part)
    for i, group in enumerate(groups):
        if i > 0:
            net.add(ub.MaxPool2D(3, 2, 1))
        net.add(ub.MySequential(*(inception(*sizes) for sizes in group)))
    return ub.MySequential(*net, ub.GlobalAvgPool2D(), ub.Flatten(), ub.Dense(classes))
