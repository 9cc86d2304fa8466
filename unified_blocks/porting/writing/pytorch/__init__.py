"""Networks as PyTorch's own modules."""

from __future__ import annotations

from typing import Any

from unified_blocks.porting.families import load_families
from unified_blocks.porting.graph import Graph
from unified_blocks.porting.structure import Scope
from unified_blocks.porting.writing.pytorch.files import text_of
from unified_blocks.porting.writing.pytorch.vocabulary import PYTORCH
from unified_blocks.porting.writing.written import Written


def write(graph: Graph, scope: Scope, *, name: str, **options: Any) -> Written:
    """Write a network as a file of PyTorch.

    Args:
        graph: the network.
        scope: how it is divided into blocks.
        name: of its class.
        **options: there are none.

    Raises:
        UnsupportedError: for what PyTorch has no word for, all in one.
    """
    if options:
        raise TypeError(f"PyTorch takes no options; got {', '.join(options)}")
    load_families(__name__)
    return text_of(graph, scope, name, PYTORCH.words(graph))
