"""The name of each block class that a file can hold: `module:qualname`.

A class is entered when it is defined. A name in a file is looked up here and nowhere else: nothing
is imported because a file says so.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from unified_blocks.errors import DuplicateBlockError, UnknownBlockError, UnsupportedError

_classes: dict[str, type[Any]] = {}

_MAKING = ("enter", "__init_subclass__", "__new__")
"""The names of the functions that run while a class is made, a metaclass' among them."""


def block_name(cls: type[Any]) -> str:
    """The name of a block class; for one of this library, the package stands for the module."""
    module: str = cls.__module__
    package = __name__.partition(".")[0]
    return f"{package if module.startswith(f'{package}.') else module}:{cls.__qualname__}"


def enter(cls: type[Any]) -> None:
    """Enter a class under its name; one defined inside a function has none.

    Raises:
        DuplicateBlockError: (a `ValueError`) when another class of that name was defined before.
            A class that is defined anew, by a reload or in an interactive session, takes the
            place of the old one. A copy, which unpickling makes, leaves it to the original.
    """
    name = block_name(cls)
    if "<locals>" in name or (name in _classes and is_copy(cls)):
        return
    if name in _classes and _is_first_run(cls.__module__):
        raise DuplicateBlockError(
            f"the name of a block class must be unique, because files refer to it; got a second "
            f"{name}: give one of them another name"
        )
    _classes[name] = cls


def find(name: str) -> type[Any]:
    """The class of that name.

    Raises:
        UnknownBlockError: (a `LookupError`) when none was defined; it names what to import.
    """
    if name in _classes:
        return _classes[name]
    import difflib

    module = name.partition(":")[0]
    close = difflib.get_close_matches(name, _classes, n=1)
    hint = f" (a similar one is {close[0]})" if close else ""
    if module == "__main__":
        remedy = "define it in this program, too, or in a module that both import"
    elif module in sys.modules:
        remedy = f"the module {module} is imported, but defines no such block"
    else:
        remedy = f"import {module} first"
    raise UnknownBlockError(
        f"a block must be of a class that was defined before its file is read; got {name!r}"
        f"{hint}: {remedy}"
    )


def lasting_name_of(cls: type[Any]) -> str:
    """The name under which `find` finds the class.

    Raises:
        UnsupportedError: when it was defined inside a function, or another class has its name.
    """
    name = block_name(cls)
    if _classes.get(name) is not cls:
        raise UnsupportedError(
            f"a block in a file must be of a class that its name leads to; got {name}, which "
            + ("was defined inside a function" if "<locals>" in name else "was defined anew")
            + ": define it at the top level of a module, or keep ub.state(net) instead"
        )
    return name


def is_copy(cls: type[Any]) -> bool:
    """Whether a class that is just being made is made by other code than that of its module.

    So are the copies that cloudpickle and dill make of the classes of a program.
    """
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_name in _MAKING:
        frame = frame.f_back
    return frame.f_globals.get("__name__") != cls.__module__


def _is_first_run(module: str) -> bool:
    """Whether the module runs for the first time: neither reloaded nor an interactive session."""
    if module not in sys.modules:
        return True  # a class made by hand: nothing is run
    found = sys.modules[module]
    spec = getattr(found, "__spec__", None)
    if spec is None or module == "__main__":  # a program has a file, a session has none
        return Path(getattr(found, "__file__", "")).is_file()
    return bool(getattr(spec, "_initializing", False))
