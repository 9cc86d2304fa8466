"""Loops and branches of `ub.ops`, on MXNet arrays and symbols."""

from __future__ import annotations

from unified_blocks_mxnet.compat import mx, numpy_semantics
from unified_blocks_mxnet.hybrid import running


def while_loop(cond, body, state, max_iterations):
    if isinstance(state[0], mx.sym.Symbol):
        running.control_flow += 1
        return symbolic_while_loop(cond, body, state, max_iterations)
    for _ in range(max_iterations):
        if not cond(*state):
            break
        state = body(*state)
    return state


def cond(pred, true_fn, false_fn, operands):
    if isinstance(pred, mx.sym.Symbol):
        running.control_flow += 1
        return symbolic_cond(pred, true_fn, false_fn, operands)
    return true_fn(*operands) if pred else false_fn(*operands)


def symbolic_while_loop(cond, body, state, max_iterations):
    def legacy_cond(*values):
        with numpy_semantics():
            return cond(*to_numpy(values)).astype("float32").as_nd_ndarray()

    def legacy_body(*values):
        with numpy_semantics():
            return [], to_legacy(body(*to_numpy(values)))

    with mx.util.np_array(False):
        _, last = mx.sym.contrib.while_loop(
            legacy_cond, legacy_body, to_legacy(state), max_iterations
        )
    return to_numpy(last)


def symbolic_cond(pred, true_fn, false_fn, operands):
    def branch(function):
        def legacy_branch():
            with numpy_semantics():
                return function(*operands).as_nd_ndarray()

        return legacy_branch

    with mx.util.np_array(False):
        return mx.sym.contrib.cond(
            pred.astype("float32").as_nd_ndarray(), branch(true_fn), branch(false_fn)
        ).as_np_ndarray()


def to_numpy(symbols):
    return tuple(x.as_np_ndarray() for x in symbols)


def to_legacy(symbols):
    return [x.as_nd_ndarray() for x in symbols]
