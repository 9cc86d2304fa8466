"""Files of Keras, written by hand."""

from __future__ import annotations

import numpy as np
import pytest

from unified_blocks.formats.stored import Stored

h5py = pytest.importorskip("h5py", reason="h5py is not installed")


def stored(name, array, kind=None):
    return Stored(name, array.shape, array.dtype.name, lambda: array, kind=kind)


def some(*shape, dtype="float32"):
    return np.random.default_rng(len(shape)).normal(size=shape).astype(dtype)


LAYERS = {
    "Dense": {"weight": (2, 3), "bias": (2,)},
    "Embedding": {"weight": (5, 3)},
    "LayerNorm": {"weight": (4,), "bias": (4,)},
    "BatchNorm": dict.fromkeys(("weight", "bias", "running_mean", "running_var"), (4,)),
    "Conv1D": {"weight": (2, 3, 4), "bias": (2,)},
    "Conv2D": {"weight": (2, 3, 4, 5), "bias": (2,)},
    "Conv3D": {"weight": (2, 3, 4, 5, 6), "bias": (2,)},
    "Conv1DTranspose": {"weight": (2, 3, 4), "bias": (3,)},
    "Conv2DTranspose": {"weight": (2, 3, 4, 5), "bias": (3,)},
    "Conv3DTranspose": {"weight": (2, 3, 4, 5, 6), "bias": (3,)},
}


def handmade(path, layers, **options):
    """A file with these arrays, by path and name of the layer."""
    with h5py.File(path, "w", **options) as file:
        for (place, name), arrays in layers.items():
            group = file.create_group(f"{place}/vars")
            if name is not None:
                group.attrs["name"] = name
            for number, array in enumerate(arrays):
                group[str(number)] = array
    return path
