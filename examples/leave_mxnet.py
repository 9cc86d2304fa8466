"""A network of Gluon's own, numbers and all, as one of PyTorch's own: `python leave_mxnet.py`."""

import tempfile
from pathlib import Path

import numpy as np
import torch

import unified_blocks as ub
from unified_blocks_mxnet.compat import mx  # MXNet on the NumPy of today


def main():
    layers, nn = mx.gluon.nn, torch.nn
    x = np.random.default_rng(0).normal(size=(2, 3, 16, 16)).astype("float32")

    old = layers.HybridSequential()
    old.add(layers.Conv2D(8, 3, activation="relu"), layers.BatchNorm())
    old.add(layers.GlobalAvgPool2D(), layers.Dense(10))
    old.initialize(mx.init.Xavier())
    expected = old(mx.nd.array(x)).asnumpy()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "old.params"
        old.save_parameters(str(path))

        # From here on nothing needs MXNet.
        new = nn.Sequential(
            *(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.BatchNorm2d(8)),
            *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 10)),
        )
        ub.transfer(ub.read_state(path), new, match="order")
    output = new.eval()(torch.from_numpy(x)).detach().numpy()
    print(f"largest output {np.abs(expected).max():.6f}")
    print(f"largest difference {np.abs(output - expected).max():.1e}")


if __name__ == "__main__":
    main()
