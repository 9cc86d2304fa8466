"""The data in a pickle, read without running anything that the pickle names.

A pickle is a program for a small stack machine. This is such a machine, for the opcodes of the
protocols 2 to 5 that dictionaries, lists, tuples, strings and numbers need. A global is only a name
here, and calling one calls a function of this module, if it has one. All other opcodes are refused.
"""

from __future__ import annotations

import pickletools
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unified_blocks.errors import FileFormatError

MOST_OPERATIONS = 500_000
"""A tensor takes about 30, so this allows 16,000 tensors, and takes a second or two."""

_ALWAYS = 50_000
_BYTES_PER_OPERATION = 8  # of the file: one may take 100 bytes of memory

REMEDY = "save it anew with torch.save(model.state_dict(), path)"


@dataclass(frozen=True)
class Global:
    """A class or function that the pickle names."""

    name: str


class Attributed(dict[Any, Any]):
    """A dictionary with attributes: an `OrderedDict`, whose `_metadata` PyTorch saves."""

    def __init__(self) -> None:
        super().__init__()
        self.attributes: dict[Any, Any] = {}


class Unpickler:
    """The stack machine; subclasses define what globals and persistent ids mean.

    Args:
        path: the file, for messages.
        data: the bytes that hold the pickle, perhaps among others.
        size: that of the whole file, by which the number of operations is bounded.
    """

    functions: Mapping[str, Callable[[tuple[Any, ...]], Any]] = {}
    """The functions that stand for the globals that may be called, by name."""

    names: frozenset[str] = frozenset()
    """The globals that may be arguments, which stay names."""

    def __init__(self, path: Path, data: memoryview, size: int) -> None:
        self.path, self.data, self.position = path, data, 0
        self.most = min(MOST_OPERATIONS, _ALWAYS + size // _BYTES_PER_OPERATION)
        self.operations = 0
        self.stack: list[Any] = []
        self.marked: list[list[Any]] = []
        self.memo: dict[int, Any] = {}

    def persistent(self, identity: tuple[Any, ...]) -> Any:
        """What the persistent id `identity` stands for."""
        raise self.refuse("there must be no persistent id", identity)

    def load(self, start: int = 0) -> Any:
        """The value of the pickle at `start`; `position` is then where it ends."""
        self.position = start
        self.stack, self.marked, self.memo = [], [], {}
        try:
            while (opcode := self._number("<B")) != STOP:
                action = ACTIONS.get(opcode)
                if action is None:
                    raise self._refusal(opcode)
                action(self)
                self.operations += 1
                if self.operations > self.most:
                    raise FileFormatError(
                        f"{self.path}: a state dict must be a pickle of at most "
                        f"{self.most:,} operations, from the size of the file; got more; {REMEDY}"
                    )
            return self.stack.pop()
        except (struct.error, IndexError, KeyError, UnicodeDecodeError) as error:
            raise FileFormatError(
                f"{self.path}: a pickle must be whole; got one that is damaged before byte "
                f"{self.position} ({type(error).__name__}: {error}); fetch or save it again"
            ) from error

    def refuse(self, rule: str, received: Any) -> FileFormatError:
        """An error about the value `received`, of which it shows only the type: it may be huge."""
        if isinstance(received, Global):
            received = f"{received.name!r:.200}"
        elif not isinstance(received, int | str):
            received = f"a {type(received).__name__}"
        return FileFormatError(
            f"{self.path}: {rule}; got {received!s:.200} before byte {self.position}; {REMEDY}"
        )

    def _refusal(self, opcode: int) -> FileFormatError:
        names = {ord(op.code): op.name for op in pickletools.opcodes}
        name = names.get(opcode, f"{opcode:#04x}, which no pickle has,")
        return FileFormatError(
            f"{self.path}: a state dict must be a pickle of dictionaries, lists, strings, numbers "
            f"and tensors, of protocol 2 to 5; got the opcode {name} at byte {self.position - 1}; "
            f"{REMEDY}"
        )

    def _number(self, layout: str) -> Any:
        (number,) = struct.unpack_from(layout, self.data, self.position)
        self.position += struct.calcsize(layout)
        return number

    def _take(self, count: int) -> bytes:
        end = self.position + count
        if end > len(self.data):
            raise IndexError(f"{count} bytes were announced, {len(self.data) - self.position} left")
        taken = bytes(self.data[self.position : end])
        self.position = end
        return taken

    def _line(self) -> str:
        found = bytes(self.data[self.position : self.position + 256]).find(b"\n")
        if found < 0:
            raise IndexError("a name without an end")
        line = self._take(found + 1)
        return line[:-1].decode("utf-8")

    def _since_mark(self) -> list[Any]:
        items = self.stack
        self.stack = self.marked.pop()
        return items

    def check_protocol(self) -> None:
        if (protocol := self._number("<B")) not in PROTOCOLS:
            raise self.refuse("a state dict must be a pickle of protocol 2 to 5", protocol)

    def mark(self) -> None:
        self.marked.append(self.stack)
        self.stack = []

    def push_global(self) -> None:
        self._name(self._line(), self._line())

    def push_stacked_global(self) -> None:
        name, module = self.stack.pop(), self.stack.pop()
        if type(name) is not str or type(module) is not str:
            raise self.refuse("the name of a global must be a string", name)
        self._name(module, name)

    def _name(self, module: str, name: str) -> None:
        named = Global(f"{module}.{name}")
        if named.name not in self.functions and named.name not in self.names:
            raise self.refuse(
                "a state dict must name nothing but tensors and dictionaries, and what it names is "
                "never loaded",
                named,
            )
        self.stack.append(named)

    def call(self) -> None:
        arguments, called = self.stack.pop(), self.stack.pop()
        if type(called) is not Global or called.name not in self.functions:
            raise self.refuse("a state dict must call only what rebuilds tensors", called)
        if type(arguments) is not tuple:
            raise self.refuse("arguments must be a tuple", arguments)
        self.stack.append(self.functions[called.name](arguments))

    def build(self) -> None:
        state, built = self.stack.pop(), self.stack[-1]
        if type(built) is not Attributed or not isinstance(state, dict):
            raise self.refuse("what has attributes must be a dictionary", built)
        built.attributes.update(state)

    def append(self, items: list[Any]) -> None:
        target = self.stack[-1]
        if type(target) is not list:
            raise self.refuse("what is appended to must be a list", target)
        target.extend(items)

    def set_items(self, items: list[Any]) -> None:
        target = self.stack[-1]
        if not isinstance(target, dict):
            raise self.refuse("what is given items must be a dictionary", target)
        if len(items) % 2:
            raise self.refuse("a dictionary must have a value for each key", items)
        for key, value in zip(items[::2], items[1::2], strict=True):
            if type(key) is not str and type(key) is not int:  # a tuple may take forever to hash
                raise self.refuse("a key must be a string or a whole number", key)
            target[key] = value

    def push_persistent(self) -> None:
        identity = self.stack.pop()
        if type(identity) is not tuple:
            raise self.refuse("a persistent id must be a tuple", identity)
        self.stack.append(self.persistent(identity))

    def push_string(self, length: str = "<I") -> None:
        self.stack.append(self._take(self._number(length)).decode("utf-8"))

    def memoize(self) -> None:
        self.memo[len(self.memo)] = self.stack[-1]

    def push_long(self) -> None:
        self.stack.append(int.from_bytes(self._take(self._number("<B")), "little", signed=True))

    def push_marked(self) -> None:
        items = tuple(self._since_mark())
        self.stack.append(items)

    def push_tuple(self, count: int) -> None:
        if len(self.stack) < count:
            raise IndexError("too little on the stack for a tuple")
        self.stack[-count:] = [tuple(self.stack[-count:])]


def _pushes(make: Callable[[], Any]) -> Callable[[Unpickler], None]:
    return lambda machine: machine.stack.append(make())


def _number(layout: str) -> Callable[[Unpickler], None]:
    return lambda machine: machine.stack.append(machine._number(layout))


def _remembers(layout: str) -> Callable[[Unpickler], None]:
    def act(machine: Unpickler) -> None:
        machine.memo[machine._number(layout)] = machine.stack[-1]

    return act


def _recalls(layout: str) -> Callable[[Unpickler], None]:
    return lambda machine: machine.stack.append(machine.memo[machine._number(layout)])


STOP = ord(".")
PROTOCOLS = (2, 3, 4, 5)
_BY_NAME: dict[str, Callable[[Unpickler], None]] = {
    "PROTO": Unpickler.check_protocol,
    "FRAME": lambda machine: machine._number("<Q"),  # a length, for readers of streams
    "MARK": Unpickler.mark,
    "NONE": _pushes(lambda: None),
    "NEWTRUE": _pushes(lambda: True),
    "NEWFALSE": _pushes(lambda: False),
    "EMPTY_DICT": _pushes(dict),
    "EMPTY_LIST": _pushes(list),
    "EMPTY_TUPLE": _pushes(tuple),
    "BININT": _number("<i"),
    "BININT1": _number("<B"),
    "BININT2": _number("<H"),
    "BINFLOAT": _number(">d"),
    "LONG1": Unpickler.push_long,
    "BINUNICODE": Unpickler.push_string,
    "SHORT_BINUNICODE": lambda machine: machine.push_string("<B"),
    "TUPLE": Unpickler.push_marked,
    "TUPLE1": lambda machine: machine.push_tuple(1),
    "TUPLE2": lambda machine: machine.push_tuple(2),
    "TUPLE3": lambda machine: machine.push_tuple(3),
    "APPEND": lambda machine: machine.append([machine.stack.pop()]),
    "APPENDS": lambda machine: machine.append(machine._since_mark()),
    "SETITEM": lambda machine: machine.set_items([machine.stack.pop(-2), machine.stack.pop()]),
    "SETITEMS": lambda machine: machine.set_items(machine._since_mark()),
    "BINPUT": _remembers("<B"),
    "LONG_BINPUT": _remembers("<I"),
    "MEMOIZE": Unpickler.memoize,
    "BINGET": _recalls("<B"),
    "LONG_BINGET": _recalls("<I"),
    "GLOBAL": Unpickler.push_global,
    "STACK_GLOBAL": Unpickler.push_stacked_global,
    "REDUCE": Unpickler.call,
    "BUILD": Unpickler.build,
    "BINPERSID": Unpickler.push_persistent,
}
ACTIONS = {ord(op.code): _BY_NAME[op.name] for op in pickletools.opcodes if op.name in _BY_NAME}
