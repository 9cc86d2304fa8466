"""How a mistake is planted: one function of the library, with one line of its source changed.

The function keeps its identity and gets other code, so that whatever holds it, a class, a table of
losses, a decorator, makes the mistake. The model that is right runs on the same framework, often
through the same function: it is spared, by giving the function its own code while that model runs.
"""

from __future__ import annotations
import __future__

import importlib
import inspect
import linecache
import textwrap
from contextlib import ExitStack, contextmanager
from types import CodeType, FunctionType
from unittest.mock import patch

import unified_blocks as ub


def function_called(name):
    """The function `"module:Class.method"`, without what decorators put around it."""
    module, _, path = name.partition(":")
    found = importlib.import_module(module)
    for part in path.split("."):
        found = vars(found)[part]
    found = inspect.unwrap(getattr(found, "fget", found))
    assert isinstance(found, FunctionType), name
    return found


def changed(function, old, new) -> CodeType:
    """The code of `function` with `old`, which occurs once in its source, replaced by `new`."""
    source = textwrap.dedent(inspect.getsource(function))
    assert source.count(old) == 1, f"{old!r} is {source.count(old)} times in {function}"
    lines = source.replace(old, new).splitlines(keepends=True)
    while lines[0].startswith("@"):
        del lines[0]
    free = function.__code__.co_freevars
    text = f"def outer({', '.join(free)}):\n" + textwrap.indent("".join(lines), "    ")
    text += f"\n    return {function.__name__}\n"
    file = f"<{function.__qualname__} with {new}>"
    # AutoGraph and torch.compile ask for the source of what they convert.
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    namespace = {}
    flags = __future__.annotations.compiler_flag
    exec(compile(text, file, "exec", flags, dont_inherit=True), namespace)
    code = namespace["outer"](*free).__code__
    assert code.co_freevars == free, "the change must leave the names from outside as they are"
    return code


@contextmanager
def planted(mutant, backend_name, spared=None):
    """Inside the `with`, the mistake is made by all models but `spared`."""
    function = function_called(mutant.function)
    right, wrong = function.__code__, changed(function, mutant.old, mutant.new)

    def sparing(method, net_of=lambda first: first):
        def called(first, *args, **named):
            if net_of(first) is not spared:
                return method(first, *args, **named)
            before, function.__code__ = function.__code__, right  # one of these may call another
            try:
                return method(first, *args, **named)
            finally:
                function.__code__ = before

        return called

    backend = ub.get_backend(backend_name)
    with ExitStack() as stack:
        for name in ("run", "variables", "value_and_grad", "training_step"):
            stack.enter_context(patch.object(backend, name, sparing(getattr(backend, name))))
        if ".recurrent:" in mutant.function and backend_name == "tensorflow":
            import tensorflow as tf  # it has made a graph of the function as it was

            tf.config.run_functions_eagerly(True)
            stack.callback(tf.config.run_functions_eagerly, False)
        step = sparing(ub.Trainer.step, lambda trainer: trainer.net)
        stack.enter_context(patch.object(ub.Trainer, "step", step))
        function.__code__ = wrong
        stack.callback(setattr, function, "__code__", right)
        yield
