"""The arrays of Toyframe, which has them from another package, as frameworks on XLA do."""

import numpy as np


class Tensor(np.ndarray):
    """The framework's own array."""


def tensor(array):
    return np.asarray(array).view(Tensor)
