"""A symbol, computed: what each of its nodes gives, in one dtype, and the gradients."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from unified_blocks.backend import Evaluation
from unified_blocks.errors import UnsupportedError
from unified_blocks.types import Array
from unified_blocks_mxnet.compat import mx
from unified_blocks_mxnet.semantics import LEGACY, NUMPY

FLOATS = ("float16", "float32", "float64")


def evaluate(
    graph: str,
    arrays: Mapping[str, Array],
    inputs: Mapping[str, Array],
    dtype: str = "float64",
    weights: Sequence[Array] | None = None,
) -> Evaluation:
    """Compute a symbol; see `Backend.evaluate`."""
    content = json.loads(graph)
    numpy = any(node["op"].startswith(("_np", "_np_")) for node in content["nodes"])
    kind = NUMPY if numpy else LEGACY
    with kind.scope():
        try:
            return computed(retyped(content, dtype), {**arrays, **inputs}, dtype, weights, kind)
        except mx.base.MXNetError as error:
            lines = [line.strip() for line in str(error).splitlines() if "File " not in line]
            raise UnsupportedError(
                f"to be computed, a graph must be one that MXNet {mx.__version__} can run in "
                f"{dtype}; got {' '.join(lines[1:] or lines)}: compute it in float32, or cut it "
                "before what fails"
            ) from error


def retyped(content: Any, dtype: str) -> str:
    """The JSON of a symbol whose nodes make floating numbers of this dtype alone."""
    for node in content["nodes"]:
        for options in (node.get(key) or {} for key in ("param", "attr", "attrs")):
            if node["op"] == "RNN" and "p" in options:
                options["p"] = "0"  # its gradients have a mask even where nothing is left out
            if options.get("dtype") in FLOATS:
                options["dtype"] = dtype
            options.pop("__dtype__", None)  # of an argument, which is given
    return json.dumps(content)


def computed(
    graph: str,
    given: Mapping[str, Array],
    dtype: str,
    weights: Sequence[Array] | None,
    kind: Any,
) -> Evaluation:
    symbol = mx.sym.load_json(graph)
    inside = symbol.get_internals()
    made = [each for each in inside if each.list_inputs() != [each.name]]
    heads = [symbol] if len(symbol) == 1 else list(symbol)
    whole = mx.sym.Group([*heads, *made])
    run = mx.nd.CachedOp(whole.as_np_ndarray() if kind is NUMPY else whole)
    names = whole.list_inputs()
    tensors = [tensor(given[name], dtype, kind) for name in names]
    if weights is None:
        with mx.autograd.pause(), mx.autograd.predict_mode():
            outputs = run(*tensors)
        return Evaluation(dict(named(made, outputs[len(heads) :])), {})
    counted = set(whole.list_auxiliary_states())
    asked = {
        name: each
        for name, each in zip(names, tensors, strict=True)
        if np.dtype(each.dtype).name == dtype and name not in counted
    }
    for each in asked.values():
        each.attach_grad()
    with mx.autograd.record(train_mode=False):
        outputs = run(*tensors)
    mx.autograd.backward(
        list(outputs[: len(heads)]),
        [tensor(each, dtype, kind) for each in weights],
        train_mode=False,
    )
    return Evaluation(
        dict(named(made, outputs[len(heads) :])),
        {name: each.grad.asnumpy() for name, each in asked.items()},
    )


def tensor(array: Array, dtype: str, kind: Any) -> Any:
    wanted = dtype if np.issubdtype(array.dtype, np.floating) else array.dtype
    return kind.taken(mx.nd.array(array, dtype=wanted) if array.shape else scalar(array, wanted))


def scalar(array: Array, dtype: Any) -> Any:
    with NUMPY.scope():
        return mx.np.array(array, dtype=dtype)


def named(made: Sequence[Any], outputs: Sequence[Any]) -> Iterator[tuple[str, Array]]:
    """The outputs under the names of their nodes, without those of which there are two."""
    counts = Counter(each.name for each in made)
    numbers: Counter[str] = Counter()
    for each, output in zip(made, outputs, strict=True):
        yield (
            each.name if counts[each.name] == 1 else f"{each.name}.{numbers[each.name]}",
            output.asnumpy(),
        )
        numbers[each.name] += 1
