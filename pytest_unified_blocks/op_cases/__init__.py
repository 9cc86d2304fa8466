"""The test cases of the operations: a call, its arguments, and its meaning in NumPy."""

from pytest_unified_blocks.op_cases.case import OpCase
from pytest_unified_blocks.op_cases.elementwise import ELEMENTWISE
from pytest_unified_blocks.op_cases.images import IMAGES
from pytest_unified_blocks.op_cases.neural import NEURAL
from pytest_unified_blocks.op_cases.reductions import REDUCTIONS
from pytest_unified_blocks.op_cases.shapes import SHAPES

__all__ = ["OPS", "OpCase"]

OPS = [*ELEMENTWISE, *REDUCTIONS, *SHAPES, *NEURAL, *IMAGES]
