"""Control flow on tensors in each place where a forward can have it, eagerly and compiled.

TensorFlow converts the source of a forward for a graph; none of these may escape it.
"""

import functools

import numpy as np
import pytest

import unified_blocks as ub
from testbed import halving
from testbed.common import normal, run
from unified_blocks import ops

halved = halving.halved
X = normal(3, 6, dtype="float64")


def twice(forward):
    @functools.wraps(forward)
    def decorated(self, X):
        if ops.sum(X) > 0:
            X = 2 * X
        return forward(self, X)

    return decorated


class Decorated(ub.Block):
    @twice
    def forward(self, X):
        while ops.sum(ops.abs(X)) > 1:
            X = X / 2
        return X


def closed_over(limit):
    class Closure(ub.Block):
        def forward(self, X):
            def is_large(H):
                return ops.sum(ops.abs(H)) > limit

            while is_large(X):
                X = X / 2
            return X

    return Closure


class Function(ub.Block):
    def forward(self, X):
        return halved(X)


class OfAModule(ub.Block):
    def forward(self, X):
        return halving.halved(X)


class Method(ub.Block):
    def forward(self, X):
        return self.shrunk(X)

    def shrunk(self, X):
        while self.is_large(X):
            X = X / 2
        return X

    @staticmethod
    def is_large(X):
        return ops.sum(ops.abs(X)) > 1


class Parent(Method):
    def forward(self, X):
        X = super().forward(X)
        if ops.sum(X) > 0:
            X = -X
        return super().forward(4 * X)


absolute = lambda X: X if ops.sum(X) > 0 else -X  # noqa: E731


class Lambda(ub.Block):
    def forward(self, X):
        return absolute(X)


class Loops(ub.Block):
    """A `while` inside a `for`, with `break` and `continue`."""

    def forward(self, X):
        for i in range(3):
            if i == 1:
                continue
            while ops.sum(ops.abs(X)) > 1:
                X = X / 2
                if ops.max(ops.abs(X)) < 1 and not ops.sum(X) > 5:
                    break
            X = 3 * X
        return X


class Returns(ub.Block):
    def forward(self, X):
        if ops.sum(X) > 100:
            return X
        if ops.sum(X) > 0:
            return 2 * X
        else:  # noqa: RET505  # as many write it
            return -X


def shrink(x, limit=1):
    while np.abs(x).sum() > limit:
        x = x / 2
    return x


def looped(x):
    for _ in range(2):
        while np.abs(x).sum() > 1:
            x = x / 2
            if np.abs(x).max() < 1 and not x.sum() > 5:
                break
        x = 3 * x
    return x


CASES = {
    "decorated": (Decorated, lambda x: shrink(2 * x if x.sum() > 0 else x)),
    "closure": (closed_over(3), lambda x: shrink(x, 3)),
    "function of another module": (Function, shrink),
    "method": (Method, shrink),
    "super": (Parent, lambda x: shrink(-4 * np.sign(x.sum()) * shrink(x))),
    "lambda": (Lambda, lambda x: x * np.sign(x.sum())),
    "loops": (Loops, looped),
    "returns": (Returns, lambda x: 2 * x if x.sum() > 0 else -x),
}


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("how", ["eager", "compiled"])
@pytest.mark.parametrize("where", CASES)
@pytest.mark.filterwarnings("ignore:The .grad attribute")  # read by torch's compiler
def test_control_flow_on_tensors(backend_name, where, how, sign):
    cls, expected = CASES[where]
    x = sign * X
    call = net = cls()
    if how == "compiled" and backend_name == "torch":
        import torch

        torch.compiler.reset()
        call = torch.compile(net, backend="eager")
    elif how == "compiled" and backend_name == "tensorflow":
        import tensorflow as tf

        call = tf.function(net)
    elif how == "compiled":
        net.hybridize()
        with pytest.raises(ub.UnsupportedError, match=r"ub\.ops\.while_loop or ub\.ops\.cond"):
            run(net, x)
        return
    found = ub.to_numpy(call(ub.from_numpy(x)))
    np.testing.assert_allclose(found, expected(x), rtol=1e-12)


@pytest.mark.parametrize("where", [*CASES, "module"])
def test_keras_chooses_no_xla_for_a_while_wherever_it_is(backend_name, where):
    if backend_name != "tensorflow":
        pytest.skip("for TensorFlow")
    net = OfAModule() if where == "module" else CASES[where][0]()
    assert net.supports_jit == (where in ("lambda", "returns"))


class Elif(ub.Block):
    def forward(self, X):
        if ops.sum(X) > 100:
            return X
        elif ops.sum(X) > 0:  # noqa: RET505  # what it is about
            return 2 * X
        return -X


class NoReturn(ub.Block):
    def forward(self, X):
        if ops.sum(X) > 0:
            return 2 * X
        elif ops.sum(X) < 0:  # noqa: RET505  # the same
            return -X
        return None


class ReturnInALoop(ub.Block):
    def forward(self, X):
        while ops.sum(ops.abs(X)) > 1:
            if ops.sum(X) > 100:
                return X
            X = X / 2
        return X


class Unset(ub.Block):
    def forward(self, X):
        if ops.sum(ops.abs(X)) > 0:
            Y = 2 * X
        return Y


class BreakInFor(ub.Block):
    def forward(self, X):
        for _ in range(3):
            if ops.sum(X) > 100:
                break
            X = 2 * X
        return X


class Growing(ub.Block):
    def forward(self, X):
        while ops.sum(ops.abs(X)) > 1:
            X = ops.concat([X, X], axis=0) / 8
        return X


class TwoTypes(ub.Block):
    def forward(self, X):
        return ops.astype(X, "float32") if ops.sum(ops.abs(X)) > 0 else X


class OfAMethod(ub.Block):
    def forward(self, X):
        return self.chosen(X)

    chosen = Elif.forward


class Around(ub.Block):
    def __init__(self):
        super().__init__()
        self.inner = Elif()

    def forward(self, X):
        return self.inner(X)


REFUSED = {
    Elif: r"Elif: .*must also have a return statement.*an `else`, not an `elif`",
    NoReturn: "NoReturn: .*return once",
    ReturnInALoop: "ReturnInALoop: .*return statement cannot be placed.*return after it",
    Unset: "Unset: .*'Y' must also be initialized in the else branch.*before the `if`",
    BreakInFor: r"BreakInFor: .*TF condition.*a `while`, or use ub\.ops\.while_loop",
    Growing: "Growing: .*'X' has shape.*keep its shape",
    TwoTypes: "TwoTypes: .*has dtype float32 in the main branch.*the same dtype",
    OfAMethod: "OfAMethod: .*must also have a return statement",
    Around: "Elif: .*must also have a return statement",
}


@pytest.mark.parametrize("cls", REFUSED)
def test_what_cannot_be_a_graph_is_explained(backend_name, cls):
    if backend_name != "tensorflow":
        pytest.skip("for TensorFlow")
    import tensorflow as tf

    net = cls()
    run(net, X)  # eagerly it can
    with pytest.raises(ub.UnsupportedError, match=REFUSED[cls]):
        tf.function(net)(tf.constant(X))


def test_an_error_of_the_author_s_own_stays_as_it_is(backend_name):
    if backend_name != "tensorflow":
        pytest.skip("for TensorFlow")
    import tensorflow as tf

    class Strict(ub.Block):
        def forward(self, X):
            raise ValueError(f"the input must be of shape (3, 4); got {tuple(X.shape)}")

    with pytest.raises(ValueError, match=r"of shape \(3, 4\); got \(3, 6\)"):
        tf.function(Strict())(tf.constant(X))
