"""Each adapter keeps what a backend promises."""

from pytest_unified_blocks import BackendContract


class TestTorch(BackendContract):
    name = "torch"


class TestTensorFlow(BackendContract):
    name = "tensorflow"


class TestMXNet(BackendContract):
    name = "mxnet"
