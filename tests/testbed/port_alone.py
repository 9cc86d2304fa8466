"""Run the source of a port where nothing but its framework can be imported.

    python port_alone.py torch FOLDER

Reads `net.py`, `net.safetensors` and `x.npy`, channels first; writes what the network gives in
float64, and what it gives after it was exported (`torch.export`) or saved (`.keras`) and read back.
"""

import sys
from pathlib import Path

import numpy as np

framework, folder = sys.argv[1], Path(sys.argv[2])
others = {"torch", "tensorflow", "keras", "mxnet"} - {framework}
if framework == "tensorflow":
    others.remove("keras")
others |= {"unified_blocks", "unified_blocks_torch", "unified_blocks_tensorflow"}


class Without:
    """A finder of modules that finds none of the other packages, though they are there."""

    def __init__(self, finder):
        self.finder = finder

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in others:
            return None
        return self.finder.find_spec(name, path, target)

    def __getattr__(self, name):
        return getattr(self.finder, name)


sys.meta_path[:] = map(Without, sys.meta_path)
sys.path.insert(0, str(folder))

x = np.load(folder / "x.npy")
if framework == "torch":
    import net
    import torch

    model = net.load(str(folder / "net.safetensors")).double()
    given = torch.from_numpy(x)
    with torch.no_grad():
        outputs = [model(given)]
        torch.export.save(torch.export.export(model, (given,)), folder / "net.pt2")
        outputs.append(torch.export.load(folder / "net.pt2").module()(given))
else:
    import keras

    keras.backend.set_floatx("float64")
    import net

    model = net.load(str(folder / "net.safetensors"))
    given = np.moveaxis(x, 1, -1)
    model.save(folder / "net.keras")
    again = keras.models.load_model(folder / "net.keras")
    outputs = [each(given, training=False) for each in (model, again)]
np.savez(folder / "outputs.npz", *(np.asarray(each) for each in outputs))
