"""The deliberate mistakes, each one line of an adapter, a layer or a block, and how it is caught.

Each class of mistake is one that people make: the differences between the tabs of the book's
chapter, and what goes wrong when models are moved from one framework to another.
"""

from __future__ import annotations

from testbed.mutants.table.attention import ATTENTION
from testbed.mutants.table.axes import AXES
from testbed.mutants.table.blocks import CONSTANTS, FIXED_AND_NEST
from testbed.mutants.table.comparing import COMPARING
from testbed.mutants.table.compiling import COMPILING
from testbed.mutants.table.convolutions import CONVOLUTIONS
from testbed.mutants.table.files import FILES
from testbed.mutants.table.layers import DENSE, OTHER_LAYERS
from testbed.mutants.table.layouts import LAYOUTS
from testbed.mutants.table.learning import LEARNING
from testbed.mutants.table.models import MODELS
from testbed.mutants.table.mutant import Mutant
from testbed.mutants.table.norms import NORMS
from testbed.mutants.table.optimizers import LOSSES, OPTIMIZERS
from testbed.mutants.table.padding import PADDING
from testbed.mutants.table.pooling import POOLS
from testbed.mutants.table.recurrent import RECURRENT
from testbed.mutants.table.runs import RUNS
from testbed.mutants.table.steps import STEPS
from testbed.mutants.table.transfers import TRANSFERS
from testbed.mutants.table.watching import WATCHING

__all__ = ["MUTANTS", "Mutant"]

MUTANTS = (
    *FIXED_AND_NEST,
    *CONSTANTS,
    *DENSE,
    *OTHER_LAYERS,
    *CONVOLUTIONS,
    *POOLS,
    *NORMS,
    *ATTENTION,
    *AXES,
    *RECURRENT,
    *MODELS,
    *FILES,
    *LEARNING,
    *OPTIMIZERS,
    *LOSSES,
    *STEPS,
    *RUNS,
    *LAYOUTS,
    *TRANSFERS,
    *COMPARING,
    *PADDING,
    *COMPILING,
    *WATCHING,
)
