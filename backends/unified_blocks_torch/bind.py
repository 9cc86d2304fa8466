"""How a block class becomes an `nn.Module`."""

from __future__ import annotations

from types import FunctionType
from typing import Any

import torch
from torch import Tensor, nn

from unified_blocks.block import Block
from unified_blocks.block.arguments import give
from unified_blocks.block.attributes import add_constant, hold, note_change
from unified_blocks.block.calls import clearer_error, foreign_tensor
from unified_blocks.block.constants import Constant
from unified_blocks.block.construction import construct, written_for
from unified_blocks.block.containers import CONTAINERS, Attribute
from unified_blocks.block.pickling import reduce_by_block
from unified_blocks.errors import UnsupportedError
from unified_blocks_torch.containers import Holder, as_module
from unified_blocks_torch.quantization import become_own, is_built
from unified_blocks_torch.tracing import is_leaf, recorded

PLAIN = (bool, int, float, str, type(None))
NOTHING = object()

NONE: dict[str, Any] = {}

# What `nn.Module.__call__` runs when `Module.compile` was not used: so a call has as many frames as
# one of a module without ours.
call_module = nn.Module._call_impl
set_attribute = nn.Module.__setattr__

OF_EVERY_MODULE = {name for name in vars(nn.Module()) if name.startswith("_")} | {"__dict__"}
"""PyTorch's own attributes of every module, which it sets itself when it replicates one."""


def bind(native: Any) -> Any:
    """Complete a class that extends a block class and `nn.Module`; see `Backend.bind`."""
    bind_constructor(native)
    methods = dict(vars(TorchBlock), __call__=with_own_code(TorchBlock.__call__))
    ours = methods.pop("__setattr__")
    give(native, methods)
    minding = (
        cls for cls in native.__mro__ if issubclass(cls, Block) or cls in written_for(native)
    )
    if not any("__setattr__" in vars(cls) for cls in minding):
        native.__setattr__ = ours  # else one that it extends, MySequential, minds more
    return native


def with_own_code(function: Any) -> Any:
    """A copy of `function` for one class: torch.compile counts recompilations by code object."""
    code = function.__code__.replace()
    return FunctionType(code, globals(), function.__name__, function.__defaults__)


def bind_constructor(native: Any) -> None:
    """Complete the constructor; see `Backend.extend`."""
    construct(native, lambda name: getattr(torch, name))


class TorchBlock:
    """The methods that a native class gets beside those of its `nn.Module`."""

    def __call__(self: Any, X: Any = NOTHING, /, *others: Any, **named: Any) -> Any:
        try:
            if type(X) is Tensor and not others and not named:  # nearly every call
                if self._compiled_call_impl is None:
                    return call_module(self, X)
                return nn.Module.__call__(self, X)
            args = others if X is NOTHING else (X, *others)
            for value in (*args, *named.values()):
                # A forward of operations alone would take any framework's.
                if (
                    type(value) is not Tensor
                    and type(value) not in PLAIN
                    and (foreign := foreign_tensor(self, self._native.backend, value))
                ):
                    raise foreign
            if is_leaf(self, X):
                return recorded(self, args, named)
            return nn.Module.__call__(self, *args, **named)
        except Exception as error:
            inputs = (*(() if X is NOTHING else (X,)), *others, *named.values())
            clearer = clearer_error(self, self._native.backend, inputs, error)
            if clearer is error:
                raise
            raise clearer from error

    def __setattr__(self: Any, name: str, value: Any) -> None:
        if isinstance(value, Constant):
            add_constant(self, name, value)
            return
        if name in OF_EVERY_MODULE or "_is_replica" in vars(self):  # a replica is only called
            set_attribute(self, name, value)
            return
        if name == "qconfig" and become_own(self, value):
            note_change(self, name)
        if type(value) not in PLAIN:
            value = hold(self, name, value)
            if isinstance(value, CONTAINERS):
                value = as_module(value, Attribute(self, name))
        held = vars(self).get("_modules", NONE).get(name)
        if isinstance(held, Holder) and not isinstance(value, nn.Module):
            del self._modules[name]  # PyTorch puts nothing else in the place of a module
        set_attribute(self, name, value)

    def __reduce_ex__(self: Any, protocol: Any) -> tuple[Any, ...]:
        return reduce_by_block(self, protocol)

    def __prepare_scriptable__(self: Any) -> Any:
        """What `torch.jit.script` asks a module for before it reads its source."""
        raise UnsupportedError(
            f"{type(self).__name__}: torch.jit.script must be given modules whose source is "
            "TorchScript; got a block, whose source is Python for every framework: use "
            "torch.jit.trace(net, x), torch.export or torch.compile"
        )

    def _replicate_for_data_parallel(self: Any) -> Any:
        if not is_built(self):
            lazy: Any = super(Block, self)
            return lazy._replicate_for_data_parallel()
        # A layer that was lazy stays of its class, whose own method refuses.
        return nn.Module._replicate_for_data_parallel(self)
