"""The fourth backend keeps its promises; run by a pytest that finds it."""

from pytest_unified_blocks import BackendContract


class TestToyframe(BackendContract):
    name = "toyframe"
