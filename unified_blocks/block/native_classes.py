"""Which class of a framework a block class gets: one table for each backend."""

from __future__ import annotations

import threading
from typing import Any

from unified_blocks.backend import Backend
from unified_blocks.block.origin import Native


class NativeClasses:
    """The native classes of one backend, by block class."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._written: dict[type[Any], type[Any]] = {}  # by hand
        self._made: dict[type[Any], type[Any]] = {}  # here, when first asked for
        self._portable: dict[type[Any], type[Any]] = {}  # the same, though there is a written one
        self._lock = threading.RLock()

    def add(self, portable: type[Any], native: type[Any]) -> None:
        """Register a native class of `portable` that was written by hand; completed in place.

        Raises:
            TypeError: when its bases are not the block class and then a class of the framework.
        """
        backend = self._backend
        if native.__bases__[0] is not portable or not issubclass(native, backend.layer_class):
            bases = ", ".join(base.__name__ for base in native.__bases__)
            raise TypeError(
                f"a native class of {portable.__name__} on {backend.title} must extend "
                f"{portable.__name__} first, and then a class of {backend.title}; got "
                f"{native.__name__}({bases})"
            )
        with self._lock:
            self._written[portable] = self._complete(native, portable, is_made=False)
            for cls in [cls for cls in self._made if issubclass(cls, portable)]:
                del self._made[cls]  # made without it

    def get(self, portable: type[Any]) -> type[Any]:
        """The native class of `portable`.

        Raises:
            TypeError: when there is none and none can be made.
        """
        native = self._written.get(portable) or self._made.get(portable)
        if native is not None:
            return native
        if portable._native is not None:
            if portable._native.backend is self._backend:
                return portable
            raise TypeError(
                f"{portable.__name__} extends a native class of {portable._native.backend.title}; "
                f"it has no class on {self._backend.title}: extend the block class instead"
            )
        with self._lock:
            if portable not in self._made:
                self._made[portable] = self._made_of(portable, portable.__qualname__)
            return self._made[portable]

    def from_portable(self, portable: type[Any]) -> type[Any]:
        """The native class of `portable` as it is without any that was written for it by hand.

        Raises:
            TypeError: when the block has no `forward`.
        """
        if portable not in self._written:
            return self.get(portable)
        with self._lock:
            if portable not in self._portable:
                name = f"{portable.__qualname__}.portable"
                self._portable[portable] = self._made_of(portable, name)
            return self._portable[portable]

    def _made_of(self, portable: type[Any], bound_as: str) -> type[Any]:
        made = self._make(portable)
        made.__qualname__ = bound_as  # so it is called in files of Keras
        made = self._complete(made, portable, is_made=True)
        made.__qualname__ = f"{portable.__qualname__}._portable_on.{self._backend.name}"
        return made

    def _make(self, portable: type[Any]) -> type[Any]:
        written = [cls for cls in portable.__mro__[1:] if cls in self._written]
        if not written and getattr(portable, "forward", None) is None:
            raise TypeError(
                f"{portable.__name__} has no forward and no native class on backend "
                f"{self._backend.name!r}: define forward(self, X), or make a block that has one"
            )
        base = self._written[written[0]] if written else self._backend.base_class
        names = {
            "__module__": portable.__module__,
            "__doc__": portable.__doc__,
            "_native": Native(self._backend, portable, is_made=True),
        }
        return type(portable.__name__, (portable, base), names)

    def _complete(self, native: type[Any], portable: type[Any], is_made: bool) -> type[Any]:
        native = self._backend.bind(native)
        native._native = Native(self._backend, portable, is_made)
        return native


class PortableNames:
    """The names of the classes that are made here: `MLP._portable_on.torch`.

    Pickle finds a class by such a path of attributes, which begins at a module.
    """

    def __init__(self, block: Any = None) -> None:
        self._block = block

    def __get__(self, instance: Any, owner: type[Any]) -> PortableNames:
        return PortableNames(owner)

    def __getattr__(self, backend: str) -> Any:
        if backend.startswith("_"):
            raise AttributeError(backend)
        return self._block.on(backend, portable=True)


_tables: dict[Backend, NativeClasses] = {}


def native_classes(backend: Backend) -> NativeClasses:
    """The table of a backend: always the same one."""
    return _tables.get(backend) or _tables.setdefault(backend, NativeClasses(backend))
