"""The interface that a framework's adapter implements, and the registry of the adapters."""

from unified_blocks.backend.backend import Backend, Channels, Listener
from unified_blocks.backend.graph import EAGER, Graph
from unified_blocks.backend.traces import Evaluation, Trace
from unified_blocks.backend.training_step import Loss, Optimizer, Slot, TrainingStep
from unified_blocks.backend.variable import Role, Shape, Variable

__all__ = [
    "EAGER",
    "Backend",
    "Channels",
    "Evaluation",
    "Graph",
    "Listener",
    "Loss",
    "Optimizer",
    "Role",
    "Shape",
    "Slot",
    "Trace",
    "TrainingStep",
    "Variable",
]
