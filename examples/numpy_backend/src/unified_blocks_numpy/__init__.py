"""The tape as a backend of Unified Blocks."""

from unified_blocks_numpy.backend import TapeBackend

BACKEND = TapeBackend()

from unified_blocks_numpy import layers as layers  # noqa: E402  # they register with the backend
from unified_blocks_numpy import ops as ops  # noqa: E402
