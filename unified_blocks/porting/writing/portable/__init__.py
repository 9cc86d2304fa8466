"""Networks as portable blocks, which run on every backend."""

from __future__ import annotations

from typing import Any

from unified_blocks.porting.families import load_families
from unified_blocks.porting.graph import Graph
from unified_blocks.porting.structure import Scope
from unified_blocks.porting.writing.portable.files import text_of
from unified_blocks.porting.writing.portable.vocabulary import PORTABLE
from unified_blocks.porting.writing.written import Written


def write(graph: Graph, scope: Scope, *, name: str, **options: Any) -> Written:
    """Write a network as a file of portable blocks.

    Args:
        graph: the network.
        scope: how it is divided into blocks.
        name: of its class.
        **options: there are none.

    Raises:
        UnsupportedError: for what portable blocks have no word for, all in one.
    """
    if options:
        raise TypeError(f"portable blocks take no options; got {', '.join(options)}")
    load_families(__name__)
    return text_of(graph, scope, name, PORTABLE.words(graph))
