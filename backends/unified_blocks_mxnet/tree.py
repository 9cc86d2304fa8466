"""The blocks inside a Gluon block."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def layers_of(net: Any) -> Iterator[tuple[str, Any]]:
    """`net` and every block inside it, each once with its path."""
    seen: set[int] = set()

    def walked(path: str, block: Any) -> Iterator[tuple[str, Any]]:
        if id(block) in seen:
            return
        seen.add(id(block))
        yield path, block
        for name, child in block._children.items():
            yield from walked(f"{path}.{name}" if path else name, child)

    return walked("", net)
