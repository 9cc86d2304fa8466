"""What of a model does not exist yet is made by its first batch."""

from __future__ import annotations

from typing import Any

from unified_blocks.backend.tensors import backend_of
from unified_blocks.models.variables import all_variables
from unified_blocks.training.data.source import Source
from unified_blocks.training.watching.outputs import output_of


def is_built(net: Any) -> bool:
    """Whether all parameters of a model exist.

    A model that shows none is not: those of a layer of a kind unknown here come with its first
    call.
    """
    variables = all_variables(net, "fit")
    return bool(variables) and all(v.is_built for v in variables)


def build_by(net: Any, source: Source) -> None:
    """Make the parameters of `net` exist, unless they do, by its first batch."""
    if not is_built(net):
        infer(net, source.first()[0])


def infer(net: Any, x: Any) -> Any:
    """The output for one batch, in inference mode: of a tensor, or of several."""
    return output_of(backend_of(net), net, x)
