"""The backend keeps the promises of every backend."""

from pytest_unified_blocks import BackendContract


class TestNumpyTape(BackendContract):
    name = "numpy_tape"
