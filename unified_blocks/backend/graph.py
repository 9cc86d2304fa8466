"""`Graph`: a model that its framework runs as a graph."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

EAGER = "eager"
"""The name for running a model as it is, and not as a graph."""


class Graph(ABC):
    """A model as a function of its inputs, which the framework runs as a graph.

    Attributes:
        traces: how many graphs the framework has made for it.
    """

    traces: int = 0

    @abstractmethod
    def __call__(self, *inputs: Any) -> Any:
        """What `net(*inputs)` gives."""
