"""Every operation: how it is called, on what, and what it means in NumPy."""

from op_case import OpCase
from ops_elementwise import ELEMENTWISE
from ops_neural import NEURAL
from ops_reductions import REDUCTIONS
from ops_shapes import SHAPES

__all__ = ["OPS", "OpCase"]

OPS = [*ELEMENTWISE, *REDUCTIONS, *SHAPES, *NEURAL]
