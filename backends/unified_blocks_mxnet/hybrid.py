"""A forward in plain Python, as the `hybrid_forward` of a Gluon block."""

from __future__ import annotations

import functools
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from unified_blocks.errors import ForeignTensorError, UnifiedBlocksError, UnsupportedError
from unified_blocks_mxnet.compat import mx, nn


class Running(threading.local):
    """What is going on in this thread.

    Attributes:
        parameters: what Gluon gave to the blocks that are being called, by their `id`.
        control_flow: how many operations of control flow were put into graphs.
        legacy: whether a graph is being made for a thread without NumPy semantics.
    """

    def __init__(self) -> None:
        self.parameters: dict[int, dict[str, Any]] = {}
        self.control_flow = 0
        self.legacy = False

    def __reduce__(self) -> str:
        return "running"  # its name here: a class that is pickled by value refers to it


running = Running()


def hybrid_forward_of(forward: Callable[..., Any]) -> Callable[..., Any]:
    """The `hybrid_forward` for a portable forward."""

    @functools.wraps(forward)
    def hybrid_forward(self: Any, F: Any, *args: Any, **parameters: Any) -> Any:
        given = running.parameters
        before = given.get(id(self))
        given[id(self)] = parameters
        try:
            return forward(self, *args)
        except Exception as error:
            explained = unhybridizable(self, error) if F is mx.sym else None
            if explained is None:
                raise
            raise explained from error
        finally:
            if before is None:
                del given[id(self)]
            else:
                given[id(self)] = before

    return hybrid_forward


def forward_of(native: type[Any]) -> Callable[..., Any]:
    """The `forward` of a native class.

    Gluon calls it to run a block, eagerly or as a graph; a subclass calls it by `super().forward`
    for what its parent computes, as a part of that run.
    """

    def forward(self: Any, *args: Any) -> Any:
        if type(self).forward is forward:
            return run_graph(self, args) if self._active else nn.HybridBlock.forward(self, *args)
        F = mx.sym if isinstance(args[0], mx.sym.Symbol) else mx.nd
        return native.hybrid_forward(self, F, *args, **parameters_of(self))

    return forward


def run_graph(net: Any, args: tuple[Any, ...], named: Any = None) -> Any:
    """Gluon's own `forward` of a hybridized block, unless it needs a gradient that MXNet lacks.

    The error names the block `named`, or else `net`.

    Raises:
        UnsupportedError: when gradients are recorded and the graph has one.
    """
    before = running.control_flow
    try:
        if vars(net).get("_has_control_flow") and mx.autograd.is_recording():
            raise MXNetError("no gradient")
        output = nn.HybridBlock.forward(net, *args)
        if running.control_flow > before and mx.autograd.is_recording():
            raise MXNetError("no gradient")
        return output
    except MXNetError as error:
        if running.control_flow == before and not vars(net).get("_has_control_flow"):
            raise
        raise UnsupportedError(
            f"{type(named or net).__name__}: a hybridized block must be without ops.while_loop and "
            "ops.cond while gradients are recorded, because MXNet has none of them; got one that "
            "has: leave this block unhybridized for training"
        ) from error
    finally:
        if running.control_flow > before:
            vars(net)["_has_control_flow"] = True


def traced(net: Any, args: tuple[Any, ...]) -> Any:
    """The graph of `net` for who will use it without NumPy semantics."""
    before, running.legacy = running.legacy, True
    try:
        return nn.Block.__call__(net, *args)
    finally:
        running.legacy = before


def parameters_of(net: Any) -> dict[str, Any]:
    """A block's own parameters and constants, as tensors, or as symbols when in a graph."""
    given = running.parameters.get(id(net))
    if given is not None:
        return given
    return {name: parameter.data() for name, parameter in net._reg_params.items()}


def unhybridizable(net: Any, error: Exception) -> UnsupportedError | None:
    """The error for what a forward did to a symbol that symbols do not do, if that was it."""
    if isinstance(error, UnifiedBlocksError) or not (
        isinstance(error, mx.base.NotImplementedForSymbol) or "_Symbol" in str(error)
    ):
        return None
    frames = traceback.extract_tb(error.__traceback__)
    place = next((f for f in reversed(frames) if "mxnet" not in Path(f.filename).parts), frames[-1])
    remedy = next((words for cause, words in REMEDIES.items() if cause in str(error)), OTHERWISE)
    return UnsupportedError(
        f"{type(net).__name__}: a forward that is hybridized must do without the values and shapes "
        f"of tensors, which MXNet's symbols do not have; got `{place.line}` ({place.filename}, "
        f"line {place.lineno}: {error}); {remedy}"
    )


def legacy_tensor(net: Any) -> ForeignTensorError:
    """The error for an `mx.nd` array, which has no NumPy semantics."""
    return ForeignTensorError(
        f"{type(net).__name__} on MXNet must be given mx.np arrays; got a legacy mx.nd "
        "array: convert it with x.as_np_ndarray()"
    )


MXNetError = mx.base.MXNetError

OTHERWISE = (
    "use a function of ub.ops in its place, or leave this block, and any around it, unhybridized"
)
REMEDIES = {
    "__bool__": "use ub.ops.while_loop or ub.ops.cond, or leave this block, and any around it, "
    "unhybridized",
    "operand type(s) for @": "use ub.ops.matmul",
    "attribute 'shape'": "use ub.ops.reshape with -1 and ub.KEEP",
}
