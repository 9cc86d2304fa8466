"""The same work done by this library, by hand, and by others, to be timed in turn."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import unified_blocks as ub
from benchmarks.cells import Effort
from benchmarks.clock import in_turn
from benchmarks.native import by_hand
from benchmarks.subjects import agree, alike, array, dense_stack
from unified_blocks.types import Array

OURS, BY_HAND, BOOK = "ours", "by hand", "the book's"
KERAS, THINC = "Keras on PyTorch", "thinc's wrapper"
OTHERS = ("keras", "thinc")
"""The processes of the other libraries, which compute on PyTorch."""


@dataclass(frozen=True)
class Contest:
    """Calls that do the same work, by competitor; the first is the one written by hand."""

    calls: dict[str, Callable[[], Any]]
    finish: Callable[[], None] = lambda: None
    mode: Callable[[], AbstractContextManager[Any]] = field(default=nullcontext)

    def times(self, effort: Effort, precisely: bool = False) -> dict[str, Array]:
        """Seconds of a call of each, in pairs; see `in_turn`."""
        with self.mode():
            times = in_turn(list(self.calls.values()), effort, self.finish, precisely=precisely)
        return {label: times[:, i] for i, label in enumerate(self.calls)}


def mlp(framework: str, batch: int, units: int = 256) -> Contest:
    """A forward of a 20-256-10 MLP, or of one with another number of hidden units."""
    if framework in OTHERS:
        net = by_hand("torch").MLP(units, 10, 20)
        return against(framework, net, batch, lambda native: native.MLP(units, 10))
    native = by_hand(framework)
    ours = ub.MLP.on(framework)(units, 10, in_units=20)
    nets = {BY_HAND: native.MLP(units, 10, 20), OURS: ours, BOOK: native.BookMLP(units, 10)}
    return contest(framework, nets, batch)


def depth(framework: str, layers: int) -> Contest:
    """A forward of so many dense layers of 20 units one after the other, batch 2."""
    if framework in OTHERS:
        torch = by_hand("torch")
        net = torch.stack([torch.layer(20, 20) for _ in range(layers)])
        return against(framework, net, 2, lambda native: native.stack(layers, 20))
    native = by_hand(framework)
    ours, native_net, _ = dense_stack(framework, layers)
    book = native.BookSequential(*(native.book_layer(20) for _ in range(layers)))
    return contest(framework, {BY_HAND: native_net, OURS: ours, BOOK: book}, 2)


def contest(framework: str, nets: dict[str, Any], batch: int) -> Contest:
    """The nets of one framework, with the numbers of ours."""
    others = [net for label, net in nets.items() if label != OURS]
    x = alike(nets[OURS], others, array(batch, 20))
    calls = {label: lambda net=net: net(x) for label, net in nets.items()}
    return Contest(calls, ub.get_backend(framework).finish, by_hand(framework).inference)


def against(framework: str, net: Any, batch: int, make: Callable[[Any], Any]) -> Contest:
    """A model of PyTorch, and what another library makes of it."""
    array_x = array(batch, 20)
    x = ub.get_backend("torch").from_numpy(array_x)
    call: Callable[[], Any]
    if framework == "thinc":
        from thinc.api import PyTorchWrapper

        label, wrapped = THINC, PyTorchWrapper(net)
        call = lambda: wrapped.predict(array_x)  # noqa: E731  # it takes and gives arrays
    else:
        label, model = KERAS, make(by_hand("keras_on_torch"))
        model.build((batch, 20))
        model(x)
        numbers = [parameter.detach().numpy() for parameter in net.parameters()]
        model.set_weights([n.T for n in numbers])
        call = lambda: model(x)  # noqa: E731
    found = Contest({BY_HAND: lambda: net(x), label: call}, mode=by_hand("torch").inference)
    with found.mode():
        expected, other = net(x).numpy(), call()
    agree([expected, other if framework == "thinc" else other.numpy()], label)
    return found
