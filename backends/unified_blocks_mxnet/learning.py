"""Losses of Gluon on MXNet."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache, partial
from inspect import signature
from typing import Any

from unified_blocks import ops
from unified_blocks.training.data.batches import applied as spread
from unified_blocks.training.data.batches import check_names
from unified_blocks.training.losses import check_alike, check_loss, is_one_hot
from unified_blocks_mxnet.compat import mx, nn
from unified_blocks_mxnet.neural_ops import log_softmax
from unified_blocks_mxnet.semantics import LEGACY, NUMPY, call, semantics_of
from unified_blocks_mxnet.tree import layers_of

NONE: dict[str, Any] = {}


FEW = 100
"""Classes, up to which MXNet's log_softmax is as exact as ours: it adds them up one by one."""


class CrossEntropy(nn.HybridBlock):
    """The mean cross-entropy of logits and labels, or one-hot targets."""

    def __init__(self, classes, one_hot):
        super().__init__()
        self.classes, self.one_hot = classes, one_hot

    def hybrid_forward(self, F, output, y):
        return F.np.mean(self.of_each(F, output, y))

    def of_each(self, F, output, y):
        if self.classes > FEW:
            rows = log_softmax(output, -1)
        else:  # with a temperature MXNet computes it itself; oneDNN's is off by more
            rows = F.npx.log_softmax(output, axis=-1, temperature=1.0)
        if self.one_hot:
            return -F.np.sum(rows * y, axis=-1)
        picked = F.npx.pick(rows, y)
        # To a label that is no class pick() gives the nearest class: its loss is infinite instead.
        known = F.np.equal(F.np.clip(y, 0, self.classes - 1), y)
        return F.np.ones_like(picked) / known - 1 - picked


def of_classes(block_for, output, y):
    """What a block for so many classes, and for labels or one-hot targets, gives."""
    classes = output.shape[-1]
    if is_one_hot(output, y):
        return block_for(classes, True)(output, y.astype(output.dtype))
    return block_for(classes, False)(output, y)


def cross_entropy(output, y):
    return of_classes(CrossEntropy, output, y)


class Loss(nn.HybridBlock):
    """A loss of operations that symbols have too."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def hybrid_forward(self, F, output, y):
        return self.function(output, y)


def mse(output, y):
    check_alike("mse", output, y)
    return mx.np.square(output - y).mean()


def l1(output, y):
    check_alike("l1", output, y)
    return mx.np.abs(output - y).mean()


def huber(output, y):
    check_alike("huber", output, y)
    return ops.huber(output, y)


def binary_cross_entropy(output, y):
    check_alike("binary_cross_entropy", output, y)
    return ops.binary_cross_entropy(output, y)  # the gradient of Gluon's own is wrong at 0


LOSSES: dict[str, Callable[..., Any]] = {
    "sum": lambda output: output.sum(),
    "mean": lambda output: output.mean(),
    "mse": mse,
    "cross_entropy": cross_entropy,
    "l1": l1,
    "huber": huber,
    "binary_cross_entropy": binary_cross_entropy,
}


def in_graphs(loss: str) -> Callable[..., Any]:
    """The same function for many calls: its operations take longer to begin than to compute."""

    @cache
    def graph(*classes):
        block = CrossEntropy(*classes) if classes else Loss(getattr(ops, loss))
        block.hybridize(static_alloc=True, static_shape=True)
        return block

    def of_numbers(output, y):
        check_alike(loss, output, y)
        return graph()(output, y)

    return partial(of_classes, graph) if loss == "cross_entropy" else of_numbers


LONG = ("cross_entropy", "huber", "binary_cross_entropy")
"""The losses of many operations."""


def loss_function(loss: str | Callable[..., Any]) -> Callable[..., Any]:
    return either_way(loss) if callable(loss) else LOSSES[check_loss(loss)]


def either_way(loss: Callable[..., Any]) -> Callable[..., Any]:
    """`loss`, which may be one of legacy arrays, on those of `mx.np`."""

    def function(*tensors):
        try:
            return loss(*tensors)
        except (AttributeError, TypeError):
            try:
                value = LEGACY.call(loss, *tensors)
            except Exception:  # it is wrong both ways, and the first is the one to tell of
                value = None
            if value is None:
                raise
        return value.reshape(()) if value.size == 1 else value

    return function


def caller(net: Any) -> Callable[..., Any]:
    """See `Backend.caller`: `net` itself, if it is one for `mx.np` arrays."""
    return net if semantics_of(net) is NUMPY else partial(call, net)


def forward_of(net: Any) -> Callable[..., Any]:
    """See `Backend.forward_of`."""
    hybrid = getattr(type(net), "hybrid_forward", None)
    if hybrid in (None, mx.gluon.HybridBlock.hybrid_forward):
        forward: Callable[..., Any] = net.forward
        return forward
    # One that was made of a portable forward is known by the parameters of that.
    written = hasattr(hybrid, "__wrapped__")
    return net.hybrid_forward if written else partial(net.hybrid_forward, mx.nd)


def applied(call: Callable[..., Any], x: Any, net: Any) -> Any:
    """`call`, which computes what `net` does, of inputs: of one, or of several.

    Gluon takes none by name: those of a dict are put in the order of what computes them.
    """
    return spread(call, in_order(net, x) if isinstance(x, dict) else x)


def in_order(net: Any, inputs: dict[str, Any]) -> list[Any]:
    """Inputs by name as they are to be given one after the other.

    Raises:
        TypeError: for a name that is unknown, or an input that is missing.
    """
    forward = forward_of(net)
    own = [name for name in signature(forward).parameters if name in net._reg_params]
    check_names(net, partial(forward, **dict.fromkeys(own)), inputs)
    known = signature(forward).parameters
    last = max(list(known).index(name) for name in inputs)
    return [inputs.get(name, known[name].default) for name in list(known)[: last + 1]]


@contextmanager
def keeping_places(net: Any) -> Iterator[None]:
    """Let max pooling keep where the largest are, inside a record of what infers.

    In float32 MXNet keeps that in training only, and its gradient is wrong without, in a graph too:
    so the blocks are run as they are.
    """
    blocks = [block for _, block in layers_of(net)]
    pools = [each for each in blocks if getattr(each, "_kwargs", NONE).get("pool_type") == "max"]
    active = [each for each in blocks if pools and getattr(each, "_active", False)]
    with ExitStack() as hooks:
        for pool in pools:
            before, after = (partial(_train, mode) for mode in (True, False))
            hooks.enter_context(pool.register_forward_pre_hook(before))
            hooks.enter_context(pool.register_forward_hook(after))
        for block in active:
            block._active = False
            hooks.callback(setattr, block, "_active", True)
        yield


def _train(mode: bool, *call: Any) -> None:
    mx.autograd.set_training(mode)
