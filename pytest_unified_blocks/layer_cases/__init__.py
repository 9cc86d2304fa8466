"""Every layer, with arguments that matter to what it computes; one module for each family."""

from __future__ import annotations

from pytest_unified_blocks.layer_cases.activations import ACTIVATIONS
from pytest_unified_blocks.layer_cases.attention import ATTENTION
from pytest_unified_blocks.layer_cases.case import LayerCase, Shape, made
from pytest_unified_blocks.layer_cases.general import CLASSES, GENERAL
from pytest_unified_blocks.layer_cases.images import CONVOLUTIONS
from pytest_unified_blocks.layer_cases.norms import NORMS
from pytest_unified_blocks.layer_cases.pooling import POOLING
from pytest_unified_blocks.layer_cases.recurrent import RECURRENT
from pytest_unified_blocks.layer_cases.resizing import RESIZING
from pytest_unified_blocks.layer_cases.transposed import TRANSPOSED
from unified_blocks.equivalence.matrix.cases import CASES, Case

BY_NAME: dict[str, Case] = {case.name: case for case in CASES}
"""The networks that the frameworks are compared on, by name."""

LAYERS: dict[str, LayerCase] = {
    **GENERAL,
    **ACTIVATIONS,
    **CONVOLUTIONS,
    **NORMS,
    **POOLING,
    **RESIZING,
    **ATTENTION,
    **RECURRENT,
    **TRANSPOSED,
}
"""The layers, by the name of the case."""

WITH_SHAPES: list[tuple[str, Shape]] = [
    (name, shape) for name, case in LAYERS.items() for shape in case.shapes
]
"""Each with each of its shapes."""

__all__ = ["BY_NAME", "CLASSES", "LAYERS", "WITH_SHAPES", "LayerCase", "made"]
