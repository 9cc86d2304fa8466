"""Which class of a framework a block class gets."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, TypeVar

from unified_blocks.block import Block

if TYPE_CHECKING:
    from unified_blocks.backend import Backend

BlockClass = TypeVar("BlockClass", bound="type[Block]")


class NativeClasses:
    """The native classes of one backend, by block class; made when first asked for."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._classes: dict[type[Block], type[Any]] = {}
        self._lock = threading.RLock()

    def add(self, native: BlockClass) -> BlockClass:
        """Register a hand-written native class: of its first base, in place."""
        portable = native.__bases__[0]
        with self._lock:
            self._classes[portable] = _mark(self._backend.bind(native), portable, self._backend)
        return native

    def get(self, portable: type[Block]) -> type[Any]:
        """The native class of `portable`.

        Raises:
            TypeError: when there is none and none can be made.
        """
        native = self._classes.get(portable)
        if native is not None:
            return native
        if portable._block_backend is self._backend:
            return portable
        if portable._block_backend is not None:
            raise TypeError(
                f"{portable.__name__} extends a native class of {portable._block_backend.title}; "
                f"on {self._backend.title} there is none: extend the block class instead"
            )
        with self._lock:
            if portable not in self._classes:
                self._classes[portable] = self._make(portable)
            return self._classes[portable]

    def _make(self, portable: type[Block]) -> type[Any]:
        ancestors = [cls for cls in portable.__mro__[1:] if cls in self._classes]
        if not ancestors and getattr(portable, "forward", None) is None:
            raise TypeError(
                f"{portable.__name__} has no forward and no native class on backend "
                f"{self._backend.name!r}: define forward(self, X), or make a block that has one"
            )
        base = self._classes[ancestors[0]] if ancestors else self._backend.base_class
        names = {"__module__": portable.__module__, "__doc__": portable.__doc__}
        made = type(portable.__name__, (portable, base), names)
        made.__qualname__ = portable.__qualname__
        return _mark(self._backend.bind(made), portable, self._backend)


def _mark(native: type[Any], portable: type[Block], backend: Backend) -> type[Any]:
    native._block_backend = backend
    native._portable = portable
    return native
