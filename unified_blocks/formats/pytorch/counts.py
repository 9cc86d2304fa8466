"""The arrays of a PyTorch state dict that do not affect what a model computes."""

from __future__ import annotations

NAME = "num_batches_tracked"
"""A batch norm counts its batches under this name; no other framework does."""


def is_count(name: str) -> bool:
    """Whether an array of this name is such a count, which another model may lack."""
    return name.rpartition(".")[2] == NAME
