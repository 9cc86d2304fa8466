"""The interface that a framework's adapter implements, and the registry of the adapters."""

from unified_blocks.backend.backend import Backend, Channels, Listener
from unified_blocks.backend.events import EventWriter
from unified_blocks.backend.graph import EAGER, Graph
from unified_blocks.backend.group import Alone, Group
from unified_blocks.backend.traces import Evaluation, Trace
from unified_blocks.backend.training_step import (
    PLAIN,
    Batch,
    Clip,
    Loss,
    Optimizer,
    ParameterGroup,
    Slot,
    StepOptions,
    TrainingStep,
)
from unified_blocks.backend.variable import Role, Shape, Variable

__all__ = [
    "EAGER",
    "PLAIN",
    "Alone",
    "Backend",
    "Batch",
    "Channels",
    "Clip",
    "Evaluation",
    "EventWriter",
    "Graph",
    "Group",
    "Listener",
    "Loss",
    "Optimizer",
    "ParameterGroup",
    "Role",
    "Shape",
    "Slot",
    "StepOptions",
    "Trace",
    "TrainingStep",
    "Variable",
]
