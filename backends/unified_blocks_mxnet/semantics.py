"""With or without NumPy semantics: which arrays a Gluon net computes with, and how it is called.

MXNet has two kinds of arrays. Those of `mx.np` may have the shapes `()` and `(0, 3)`; a thread is
set to them by `mx.npx.set_np()` or by a scope, and only then do their operations work. Those of
`mx.nd` are older, and most Gluon networks were made for them. A net computes with one kind: its
layers choose their operations, and its parameters become arrays, as the thread was set.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

from unified_blocks.block import Block
from unified_blocks.errors import UnsupportedError
from unified_blocks_mxnet.compat import has_numpy_semantics, mx, nn, numpy_semantics
from unified_blocks_mxnet.tree import layers_of


class Semantics:
    """How the nets of one kind are called; there are two, `NUMPY` and `LEGACY`."""

    def __init__(self, scope: Callable[[], Any], kind: type[Any], other: type[Any]) -> None:
        self.scope, self.kind, self.other = scope, kind, other

    def taken(self, value: Any) -> Any:
        """`value`, the arrays in it as arrays of this kind, in the same memory."""
        if type(value) is self.other:
            return value.as_np_ndarray() if self is NUMPY else value.as_nd_ndarray()
        if isinstance(value, dict):
            return type(value)((key, self.taken(item)) for key, item in value.items())
        if isinstance(value, list | tuple):
            items = [self.taken(item) for item in value]
            return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)
        return value

    def call(self, net: Callable[..., Any], *inputs: Any) -> Any:
        """The output of `net`, which computes with this kind, as arrays of the kind of `inputs`."""
        with self.scope():
            output = net(*self.taken(inputs))
        return LEGACY.taken(output) if has_legacy(inputs) else NUMPY.taken(output)


@contextmanager
def legacy_semantics() -> Iterator[None]:
    """Neither NumPy arrays nor NumPy shapes inside the `with`, whatever the thread is set to."""
    with mx.util.np_array(False), mx.util.np_shape(False):
        yield


NUMPY = Semantics(numpy_semantics, mx.np.ndarray, mx.nd.NDArray)
LEGACY = Semantics(legacy_semantics, mx.nd.NDArray, mx.np.ndarray)


class Open:
    """Of what may be of either kind: as the thread is set if that works, or else the other way.

    A net is when its layers work both ways, and it has no parameters yet: the first call makes
    them, and with them it is of one kind.
    """

    scope = nullcontext

    def call(self, net: Callable[..., Any], *inputs: Any) -> Any:
        first, second = (NUMPY, LEGACY) if has_numpy_semantics() else (LEGACY, NUMPY)
        before = begun(net)
        try:
            return first.call(net, *inputs)
        except Exception as error:
            forget(before)
            try:
                return second.call(net, *inputs)
            except Exception:  # it is wrong both ways, and the first is the one to tell of
                forget(before)
            raise error


OPEN = Open()


def semantics_of(net: Any) -> Semantics | Open:
    """The kind of `net`, a block or a function; `OPEN` as long as nothing tells it."""
    return next((kind for _, _, kind in signs(net)), OPEN)


def call(net: Callable[..., Any], *inputs: Any) -> Any:
    """The output of `net`, called as it is to be, as arrays of the kind of `inputs`.

    Raises:
        UnsupportedError: when it fails, and parts of it are of different kinds.
    """
    try:
        return semantics_of(net).call(net, *inputs)
    except Exception as error:
        if explained := mixture(net, error):
            raise explained from error
        raise


def mixture(net: Any, error: Exception) -> UnsupportedError | None:
    """The error for a net that failed with `error` and has parts of both kinds, if it has."""
    if isinstance(error, UnsupportedError):
        return None
    found: dict[Any, str] = {}
    for path, block, kind in signs(net):
        found.setdefault(kind, f"{path or 'the net itself'} ({type(block).__name__})")
    if len(found) < 2:
        return None
    return UnsupportedError(
        f"{type(net).__name__}: all parts of a Gluon net must have NumPy semantics, or none of "
        f"them; got {found[LEGACY]} without and {found[NUMPY]} with them: call mxnet.npx.set_np() "
        "before the net is made"
    )


def signs(net: Any) -> Iterator[tuple[str, Any, Semantics]]:
    """The blocks in `net` that tell which kind they are of, with their paths."""
    if isinstance(net, nn.Block):
        for path, block in layers_of(net):
            if (kind := sign(block)) is not None:
                yield path, block, kind


def sign(block: Any) -> Semantics | None:
    """The kind of one block, without those inside it, if anything tells it."""
    if isinstance(block, Block) or is_decorated(type(block).__call__):
        return NUMPY
    if isinstance(block, CONVOLUTION):  # it has the name of its operation from when it was made
        return LEGACY if block._op_name[0].isupper() else NUMPY
    for parameter in block._reg_params.values():
        if parameter._data:
            return kind_of(parameter._data[0])
    graph = getattr(block, "_cached_graph", ())  # of a block that is hybridized, or was a file
    return kind_of(graph[1]) if graph else None


CONVOLUTION: Any = nn.Conv1D.__base__
"""Gluon's class of all its convolutions."""

DECORATED = mx.util.use_np_array(lambda: None).__code__
"""The code of each method of a class with the decorator `use_np`."""


def is_decorated(function: Any) -> bool:
    while function is not None:
        if getattr(function, "__code__", None) is DECORATED:
            return True
        function = getattr(function, "__wrapped__", None)
    return False


def kind_of(value: Any) -> Semantics:
    """The kind of an array or a symbol."""
    return NUMPY if isinstance(value, mx.np.ndarray | mx.sym.numpy._Symbol) else LEGACY


def has_legacy(value: Any) -> bool:
    """Whether there is a legacy array in `value`."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        return any(map(has_legacy, value))
    return type(value) is mx.nd.NDArray


Begun = Sequence[tuple[Any, dict[str, Any]]]
"""The parameters that do not exist yet, and the blocks without a graph, with what they hold."""


def begun(net: Any) -> Begun:
    if not isinstance(net, nn.Block):
        return ()
    blocks = [block for _, block in layers_of(net)]
    unmade = [p for block in blocks for p in block._reg_params.values() if p._data is None]
    return [(each, dict(vars(each))) for each in unmade] + [
        (block, {"_cached_graph": (), "_cached_op": None, "_cached_op_args": []})
        for block in blocks
        if not getattr(block, "_cached_graph", True)
    ]


def forget(before: Begun) -> None:
    """Put back what a call that failed has made."""
    for each, held in before:
        each.__dict__.update(held)
