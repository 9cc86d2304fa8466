"""Networks of others, read into typed nodes, and written as source code."""

from unified_blocks.porting.mxnet.reading import register

__all__ = ["register"]
