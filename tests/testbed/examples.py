"""The examples in docstrings: found, run, and held to what their comments say.

An example stands below `Example::`, a program with `np` and `ub`. A comment behind an expression
that is a Python literal tells what the expression gives: a tuple of whole numbers the shape of a
tensor, a list its numbers, rounded to the digits that are written.
"""

import ast
import inspect
import io
import itertools
import linecache
import re
import textwrap
import tokenize
from contextlib import redirect_stdout
from decimal import Decimal

import numpy as np

import unified_blocks as ub
from unified_blocks import errors, layers, ops

NAMES = {
    **{f"ub.{name}": getattr(ub, name) for name in ub.__all__},
    **{f"ops.{name}": getattr(ops, name) for name in ops.__all__},
    **{
        f"layers.{name}": getattr(layers, name) for name in layers.__all__ if name not in ub.__all__
    },
    **{
        f"errors.{name}": error
        for name, error in inspect.getmembers(errors, inspect.isclass)
        if error.__module__ == errors.__name__ and name not in ub.__all__
    },
    **{f"porting.{name}": getattr(ub.porting, name) for name in ub.porting.__all__},
    "Comparison.to_html": ub.Comparison.to_html,
}
"""Everything that a user may name."""
NUMBER = re.compile(r"\d+(?:\.\d+)?(?:e[+-]?\d+)?")
_runs = itertools.count(1)


def example_of(thing):
    """The example in the docstring of a class, a function, a module or a constant; or None.

    A class without a docstring has none, whatever that of its base says.
    """
    text = inspect.cleandoc(thing.__doc__ or "") + "\n"
    found = re.search(r"^Example::\n\n((?: {4}.*\n|\n)+)", text, re.M)
    return textwrap.dedent(found[1]).strip() + "\n" if found else None


def run(code, name):
    """Run an example as a module of its own.

    Returns:
        Whether it shows something at its end, a value or a text, and where a comment says
        something else than what it gives, in sentences.
    """
    file = f"<example of {name}>"
    linecache.cache[file] = (len(code), None, code.splitlines(True), file)  # for its tracebacks
    scope = {"__name__": f"example_{next(_runs)}", "np": np, "ub": ub}
    comments, wrong, value = comments_in(code), [], None
    with redirect_stdout(io.StringIO()) as printed:
        for statement in ast.parse(code).body:
            value, silent = None, printed.tell()
            if isinstance(statement, ast.Expr):
                value = eval(compile(ast.Expression(statement.value), file, "eval"), scope)
                wrong += differences(value, comments.get(statement.end_lineno, ""))
            else:
                exec(compile(ast.Module([statement], []), file, "exec"), scope)
    return value is not None or printed.tell() > silent, wrong


def comments_in(code):
    """The comments of a program by line, without the sign."""
    tokens = tokenize.generate_tokens(io.StringIO(code).readline)
    return {
        token.start[0]: token.string.removeprefix("# ")
        for token in tokens
        if token.type == tokenize.COMMENT
    }


def differences(value, comment):
    """What a comment says wrong about a value: one sentence, or none."""
    if not re.match(r"[\[({'\"\d-]|True\b|False\b", comment):
        return []  # words
    try:
        wanted = ast.literal_eval(comment)
    except (SyntaxError, ValueError):
        return [f"# {comment}: neither words nor a literal"]
    if agrees(value, wanted, tolerance(comment)):
        return []
    return [f"# {comment}: got {getattr(value, 'shape', '')} {value!r}"]


def tolerance(comment):
    """Half of the last digit that is written; next to nothing of whole numbers."""
    last = min((Decimal(n).as_tuple().exponent for n in NUMBER.findall(comment)), default=0)
    return 0.500001 * 10.0**last if last < 0 else 1e-5


def agrees(value, wanted, atol):
    if isinstance(wanted, tuple) and hasattr(value, "shape"):
        return tuple(value.shape) == wanted
    if isinstance(wanted, tuple | list) and isinstance(value, tuple | list):
        pairs = zip(value, wanted, strict=False)
        return len(value) == len(wanted) and all(agrees(a, b, atol) for a, b in pairs)
    if isinstance(wanted, str | dict):
        return value == wanted
    numbers = value if isinstance(value, int | float | np.generic) else ub.to_numpy(value)
    numbers, wanted = np.asarray(numbers), np.asarray(wanted)
    same_kind = (numbers.dtype.kind == "b") == (wanted.dtype.kind == "b")
    alike = same_kind and numbers.shape == wanted.shape
    return bool(alike and np.allclose(numbers.astype(float), wanted, rtol=0, atol=atol))
