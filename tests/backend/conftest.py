"""What the tests of tensors share."""

import numpy as np
import pytest

import unified_blocks as ub
from testbed.common import HERE


@pytest.fixture
def without_gpus(monkeypatch):
    """Without them TensorFlow puts new tensors on the CPU."""
    if "tensorflow" in HERE:
        backend = ub.backend_of(ub.from_numpy(np.zeros(1), "tensorflow"))
        monkeypatch.setattr(backend, "devices", lambda: ["cpu"])
