"""A residual network of Gluon's model zoo, trained on digits and exported, as many still are.

`python train_in_mxnet.py` writes `digits-symbol.json` and `digits-0000.params`.
"""

import numpy as np
from sklearn.datasets import load_digits

from unified_blocks_mxnet.compat import mx  # MXNet on the NumPy of today


def data():
    """Images `(n, 1, 8, 8)` and labels: 1,437 to train with, 360 to test."""
    digits = load_digits()
    images = (digits.images[:, None] / 16).astype("float32")
    return (images[:1437], digits.target[:1437]), (images[1437:], digits.target[1437:])


def trained(epochs=6, seed=0):
    """A small ResNet, and its test accuracy."""
    gluon, nd = mx.gluon, mx.nd
    mx.random.seed(seed)
    zoo = gluon.model_zoo.vision
    net = zoo.ResNetV1(zoo.BasicBlockV1, [2, 2], [16, 16, 32], classes=10, thumbnail=True)
    net.initialize(mx.init.Xavier())
    net.hybridize()
    (images, labels), (tested, answers) = data()
    trainer = gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": 0.1, "momentum": 0.9})
    loss = gluon.loss.SoftmaxCrossEntropyLoss()
    order = np.random.default_rng(seed)
    for _ in range(epochs):
        for batch in np.array_split(order.permutation(len(images)), 22):
            with mx.autograd.record():
                value = loss(net(nd.array(images[batch])), nd.array(labels[batch]))
            value.backward()
            trainer.step(len(batch))
    answer = net(nd.array(tested)).asnumpy().argmax(1)
    return net, float((answer == answers).mean())


if __name__ == "__main__":
    net, accuracy = trained()
    net.export("digits")
    print(f"MXNet: {accuracy:.4f} of the test images are told right")
