"""Cells of notebooks that tests run."""

GRAPHS = {
    "torch": """
import warnings

import torch

class Halved(torch.nn.Module):
    def forward(self, X):
        while X > 4:
            X = X / 2
        return X

with warnings.catch_warnings(action="ignore"):  # deprecated, but it reads the source
    scripted = torch.jit.script(Halved())
float(scripted(torch.tensor(6.0)))
""",
    "tensorflow": """
import tensorflow as tf

@tf.function
def halved(X):
    while X > 4:
        X = X / 2
    return X

float(halved(tf.constant(6.0)))
""",
    "mxnet": """
from mxnet import gluon, nd

class Doubled(gluon.HybridBlock):
    def hybrid_forward(self, F, X):
        return 2 * X

net = Doubled()
net.hybridize()
float(net(nd.array([1.5])).asscalar())
""",
}
"""A function of each framework that reads its source or traces it; each gives 3."""
