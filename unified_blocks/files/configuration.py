"""The configuration of a block in a file, and a block made from a configuration.

The configuration of a block is its class and its constructor's arguments. Blocks among these have
their own configurations; one that occurs twice is made once. In JSON:

| value                                | JSON                                    |
|--------------------------------------|-----------------------------------------|
| None, a bool, int, str, finite float | itself                                  |
| a float that is not finite           | `{"float": "nan"}`, `"inf"` or `"-inf"` |
| a list                               | a list                                  |
| a tuple                              | `{"tuple": [...]}`                      |
| a dict                               | `{"dict": [[key, value], ...]}`         |
| a block                              | `{"block": "module:qualname", ...}`     |
| the same block again                 | `{"same": number}`                      |

A block has a `number`, counted from 0, `arguments` (a list), `keywords` (an object), and the
default `dtype` that it was made with.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from unified_blocks.backend.registry import load_backend
from unified_blocks.block import Block, arguments_of, portable_class
from unified_blocks.block.arguments import Arguments
from unified_blocks.block.construction import check_dtype
from unified_blocks.block.names import find, lasting_name_of
from unified_blocks.block.remaking import check_unchanged
from unified_blocks.block.rules import widest
from unified_blocks.dtypes import FLOAT_DTYPES, MIXED_DTYPES
from unified_blocks.errors import FileFormatError, UnsupportedError
from unified_blocks.layouts import LAYOUTS

DEEPEST = 100
"""Nesting in a file is at most this deep."""


def configuration_of(net: Block) -> dict[str, Any]:
    """The configuration of `net`, ready for JSON.

    Raises:
        StateMismatchError: when the block was changed by hand after it was made.
        UnsupportedError: for an argument that JSON cannot hold (a function, a native layer, an
            array), or a class that has no lasting name.
    """
    check_unchanged(net)
    numbers: dict[int, int] = {}

    def written(value: Any, path: str) -> Any:
        if isinstance(value, np.generic):
            value = value.item()
        if value is None or type(value) in (bool, int, str):
            return value
        if type(value) is float:
            return value if math.isfinite(value) else {"float": str(value)}
        if type(value) in (list, tuple):
            items = [written(item, f"{path}[{i}]") for i, item in enumerate(value)]
            return items if type(value) is list else {"tuple": items}
        if type(value) is dict:
            return {
                "dict": [
                    [written(key, f"{path} key"), written(item, f"{path}[{key!r}]")]
                    for key, item in value.items()
                ]
            }
        if isinstance(value, Block):
            return block(value, path)
        raise UnsupportedError(
            f"{type(net).__name__}: in a file the arguments of a block must be numbers, strings, "
            "None, blocks of this library, and lists, tuples and dicts of these; got "
            f"{path or 'an argument'} of type {type(value).__module__}.{type(value).__qualname__}: "
            "write a block class that makes it in its constructor, or keep ub.state(net) instead"
        )

    def block(value: Block, path: str) -> dict[str, Any]:
        if id(value) in numbers:
            return {"same": numbers[id(value)]}
        numbers[id(value)] = number = len(numbers)
        arguments = arguments_of(value)
        name = lasting_name_of(portable_class(type(value)))
        inside = f"{path}.{type(value).__name__}" if path else type(value).__name__
        return {
            "block": name,
            "number": number,
            "arguments": [
                written(item, f"{inside}({i})") for i, item in enumerate(arguments.positional)
            ],
            "keywords": {
                key: written(item, f"{inside}({key}=)") for key, item in arguments.keywords.items()
            },
            "dtype": arguments.dtype,
            "layout": arguments.layout,
        }

    return block(net, "")


def block_from(configuration: Any, backend: str, largest: int) -> Any:
    """The block with that configuration, on a backend; its numbers are new.

    Args:
        configuration: from a file, so it may be anything.
        backend: the name of a backend.
        largest: the largest size of an array in the file, and so the widest that a layer can be.

    Raises:
        UnknownBlockError: a class that was not defined.
        UnsupportedError: a policy of Keras, on another framework.
        FileFormatError: when it is not what `configuration_of` gives, or the class refuses the
            arguments.
    """
    made: dict[int, Any] = {}

    def read(value: Any, depth: int) -> Any:
        if depth > DEEPEST:
            raise _damaged(f"nesting deeper than {DEEPEST}")
        if value is None or isinstance(value, bool | int | float | str):
            return value
        if isinstance(value, list):
            return [read(item, depth + 1) for item in value]
        match value:
            case {"float": "nan" | "inf" | "-inf" as text}:
                return float(text)
            case {"tuple": list(items)}:
                return tuple(read(item, depth + 1) for item in items)
            case {"dict": list(pairs)} if all(
                isinstance(pair, list) and len(pair) == 2 for pair in pairs
            ):
                return {
                    _hashable(read(key, depth + 1)): read(item, depth + 1) for key, item in pairs
                }
            case {"same": int(number)} if number in made:
                return made[number]
            case {
                "block": str(name),
                "number": int(number),
                "arguments": list(items),
                "keywords": dict(keywords),
                "dtype": str(dtype),
            } if (
                number not in made
                and dtype in (*FLOAT_DTYPES, *MIXED_DTYPES)
                and (layout := value.get("layout", LAYOUTS[0])) in LAYOUTS
            ):  # older files have no layout
                arguments = Arguments(*read_all(items, keywords, depth), dtype, layout)
                check_dtype(load_backend(backend), arguments.chosen_dtype)
                made[number] = make(name, arguments)
                return made[number]
        raise _damaged(repr(value)[:100])

    def read_all(
        items: list[Any], keywords: dict[str, Any], depth: int
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        return (
            tuple(read(item, depth + 1) for item in items),
            {key: read(item, depth + 1) for key, item in keywords.items()},
        )

    def make(name: str, arguments: Arguments) -> Any:
        native: Callable[..., Any] = find(name).on(backend)
        token = widest.set(largest)
        try:
            return arguments.make(native)
        except Exception as error:  # a constructor can refuse what it is given in any way
            raise FileFormatError(
                f"a block must be made again with the arguments in its file; got an error from "
                f"{name}, {type(error).__name__}: {error}: the file is damaged, or the class has "
                "changed since"
            ) from error
        finally:
            widest.reset(token)

    net = read(configuration, 0)
    if not isinstance(net, Block):
        raise _damaged(repr(configuration)[:100])
    return net


def _hashable(key: Any) -> Any:
    if not isinstance(key, bool | int | float | str | tuple | None):
        raise _damaged(f"a key {key!r}"[:100])
    return key


def _damaged(what: str) -> FileFormatError:
    return FileFormatError(
        f"the configuration in a file must be one that ub.save wrote; got {what}: the file is "
        "damaged, or was made by something else"
    )
