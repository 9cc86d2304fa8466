"""A forward in plain Python, inside a TensorFlow graph."""

from __future__ import annotations

import ast
import functools
import inspect
import textwrap
import types
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import tensorflow as tf

from unified_blocks.errors import UnifiedBlocksError, UnsupportedError


def call_of(forward: Callable[..., Any]) -> Callable[..., Any]:
    """The `call` of a Keras layer for a portable forward.

    Called eagerly it is the forward itself; traced it is the forward converted by AutoGraph, so
    that `if`, `for` and `while` on tensors become part of the graph.
    """

    signature = inspect.signature(forward)
    parameters = list(signature.parameters.values())
    takes_training = "training" in signature.parameters

    @functools.wraps(forward)
    def call(self: Any, *args: Any, training: Any = None, **kwargs: Any) -> Any:
        if takes_training:
            kwargs["training"] = training
        if tf.executing_eagerly():
            return forward(self, *args, **kwargs)
        graph = tf.compat.v1.get_default_graph()
        before = len(graph.get_operations())
        try:
            output = in_graph(forward)(self, *args, **kwargs)
        except (ValueError, TypeError, NotImplementedError) as error:
            if (refused := refusal(type(self), error)) is None:
                raise
            raise refused from error
        if any(map(is_unbounded, graph.get_operations()[before:])):
            return tf.nest.map_structure(functools.partial(forward_only, type(self)), output)
        return output

    if not takes_training:  # else `fit` would run the layers inside in inference mode
        training = inspect.Parameter("training", inspect.Parameter.KEYWORD_ONLY, default=None)
        after = bool(parameters) and parameters[-1].kind is inspect.Parameter.VAR_KEYWORD
        parameters.insert(len(parameters) - after, training)
    vars(call)["__signature__"] = signature.replace(parameters=parameters)
    vars(call)["is_portable"] = True
    return call


ONE_RETURN = (
    "return once, at the end: give a variable its value in each branch (an `if` that ends in "
    "`return` needs an `else`, not an `elif`)"
)
REMEDIES = {
    "must also have a return statement": ONE_RETURN,
    "return statement cannot be placed": "leave the loop by its condition, and return after it",
    "must also be initialized": "give it a value before the `if`, or in each branch",
    "TF condition": "make the condition a part of a `while`, or use ub.ops.while_loop",
    "before the loop, but": "keep its shape and dtype in each turn",
    "in the main branch": "give it the same dtype in each branch",
}
"""What to do when AutoGraph refuses control flow, by what it says; the first that fits."""


def refusal(block: type[Any], error: Exception) -> UnsupportedError | None:
    """The error for control flow that cannot be in a graph as it is written, if that was it."""
    if isinstance(error, UnifiedBlocksError):
        return None
    said = [
        (line.strip().rstrip(".?"), remedy)
        for cause, remedy in REMEDIES.items()
        for line in str(error).splitlines()
        if cause in line
    ]
    if not said:
        return None
    words, remedy = said[0]
    return UnsupportedError(
        f"{block.__name__}: in a graph, each way through an `if` or a loop on a tensor must give "
        f"the same variables, of one dtype; TensorFlow says: {words}. To cure it, {remedy}; or do "
        "without a graph (run_eagerly=True)"
    )


@functools.cache
def in_graph(forward: Callable[..., Any]) -> Callable[..., Any]:
    """`forward` converted by AutoGraph; as it is when its source cannot be had."""
    try:
        inspect.getsource(forward)
    except OSError:  # typed into an interpreter: without control flow on tensors it works as it is
        return without_source(forward)
    converted: Callable[..., Any] = tf.autograph.to_graph(forward)
    return converted


def without_source(forward: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(forward)
    def traced(self: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return forward(self, *args, **kwargs)
        except tf.errors.OperatorNotAllowedInGraphError as error:
            raise UnsupportedError(
                f"{type(self).__name__}: a forward with control flow on tensors must have a source "
                "that can be read to become a graph; got one that has none: put the class into a "
                "file, or use ub.ops.while_loop and ub.ops.cond"
            ) from error

    return traced


def is_unbounded(operation: tf.Operation) -> bool:
    """Whether an operation of a graph is a loop without a maximum of iterations."""
    if operation.type not in ("While", "StatelessWhile"):
        return False
    return bool(tf.get_static_value(operation.inputs[1]) == -1)  # how TensorFlow says "none"


def forward_only(block: type[Any], output: Any) -> Any:
    """`output`, whose gradient is an error when XLA compiles it."""

    def guarded(y: Any) -> tuple[Any, Callable[[Any], Any]]:
        def gradient(upstream: Any) -> Any:
            if tf.__internal__.get_enclosing_xla_context() is not None:
                raise UnsupportedError(
                    f"{block.__name__}: a loop must have a fixed maximum of iterations for XLA to "
                    "compile its gradient; got a `while` on a tensor: use "
                    "ub.ops.while_loop(…, max_iterations=…), or compile without XLA"
                )
            return upstream

        return tf.identity(y), gradient

    return tf.custom_gradient(guarded)(output)


LIBRARIES = ("unified_blocks", "tensorflow", "keras", "numpy")
"""Whose functions are not looked into for a `while`."""


@functools.cache
def has_while(cls: Any) -> bool:
    """Whether a portable forward has a `while`, or a function that it names has.

    Whether one runs on a tensor shows only when it runs, and Keras decides before that whether
    XLA may compile a model.
    """
    seen: set[types.FunctionType] = set()
    unvisited: list[Any] = [cls.call]
    while unvisited:
        function = unvisited.pop()
        function = getattr(function, "__func__", function)  # of a static or class method
        if not isinstance(function, types.FunctionType) or function in seen:
            continue
        seen.add(function)
        if (function.__module__ or "").partition(".")[0] in LIBRARIES:
            continue
        if any(isinstance(node, ast.While) for node in ast.walk(tree_of(function))):
            return True
        unvisited += named_in(function, cls)
    return False


def tree_of(function: types.FunctionType) -> ast.AST:
    """The syntax of a function itself, without what it wraps; empty when there is no source."""
    try:
        return ast.parse(textwrap.dedent(inspect.getsource(function.__code__)))
    except (OSError, SyntaxError):  # without one, or a lambda in the middle of a line
        return ast.Module([], [])


def named_in(function: types.FunctionType, cls: type[Any]) -> Iterator[Any]:
    """What the names in a function may stand for: methods of `cls`, and what it sees outside."""
    for cell in function.__closure__ or ():
        with suppress(ValueError):  # not yet filled
            yield cell.cell_contents
    outside = [function.__globals__.get(name) for name in function.__code__.co_names]
    yield from outside
    for name in function.__code__.co_names:
        yield from (vars(base)[name] for base in cls.__mro__ if name in vars(base))
        yield from (getattr(m, name, None) for m in outside if isinstance(m, types.ModuleType))
