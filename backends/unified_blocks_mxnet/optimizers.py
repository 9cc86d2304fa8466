"""MXNet's optimizers, brought to the formulas of `unified_blocks.training.optimizers`."""

from __future__ import annotations

from typing import Any

from unified_blocks.backend import Optimizer
from unified_blocks.training.optimizers import KINDS, SGD, Adagrad, Adam, AdamW, RMSprop
from unified_blocks_mxnet.compat import mx


class DecayApart:
    """An optimizer whose weight decay MXNet's own update knows nothing of."""

    def _get_wd(self, index):
        return 0.0

    def decay(self, index):
        """The weight decay of a parameter."""
        return super()._get_wd(index)  # type: ignore[misc]


class Nesterov(DecayApart, mx.optimizer.NAG):
    """SGD with Nesterov's momentum: MXNet's own is another formula when the weights decay."""

    def update_multi_precision(self, index, weight, grad, state):
        if decay := self.decay(index):
            grad = grad + weight * decay
        super().update_multi_precision(index, weight, grad, state)


class FreeSGD(DecayApart, mx.optimizer.NAG):
    """SGD whose velocity is free of the learning rate, which may change: `v = μ v + g`.

    MXNet's own hold `-lr v`.
    """

    nesterov = False

    def update_multi_precision(self, index, weight, grad, state):
        self._update_count(index)
        grad = grad.tostype("default")
        if decay := self.decay(index):
            grad = grad + weight * decay
        if state is not None:
            state[:] = state * self.momentum + grad
            grad = state * self.momentum + grad if self.nesterov else state
        weight -= grad * self._get_lr(index)


class DecoupledAdam(DecayApart, mx.optimizer.Adam):
    """AdamW, which MXNet 1.9.1 lacks."""

    def update_multi_precision(self, index, weight, grad, state):
        if decay := self.decay(index):
            weight *= 1 - self._get_lr(index) * decay
        super().update_multi_precision(index, weight, grad, state)


class RMSProp(mx.optimizer.RMSProp):
    """RMSprop for weights of any dtype: what MXNet's own keeps is float32."""

    def create_state(self, index, weight):
        return tuple(each.astype(weight.dtype) for each in super().create_state(index, weight))


class AdaGrad(mx.optimizer.AdaGrad):
    """Adagrad for weights of any dtype: what MXNet's own keeps is float32."""

    def create_state(self, index, weight):
        return super().create_state(index, weight).astype(weight.dtype)


def remembering(optimizer: type[Any]) -> type[Any]:
    """An optimizer of MXNet's that tells what it keeps of each parameter, by number.

    MXNet makes that at the first step; `given` is what it then starts from. `settings` has those
    parameters that are updated in another way.
    """

    class Remembering(optimizer):
        def __init__(self, *args, **kwargs):
            self.kept, self.given, self.settings = {}, {}, {}
            super().__init__(*args, **kwargs)

        def _get_lrs(self, indices):
            rates = super()._get_lrs(indices)
            return [
                self.settings[i].rate(rate) if i in self.settings else rate
                for i, rate in zip(indices, rates, strict=True)
            ]

        def _get_wds(self, indices):
            found = super()._get_wds(indices)
            decays = [self.settings[i].decay if i in self.settings else None for i in indices]
            return [f if d is None else d for f, d in zip(found, decays, strict=True)]

        def create_state(self, index, weight):
            state = super().create_state(index, weight)
            self.kept[index] = state if isinstance(state, tuple) else (state,)
            for place, array in self.given.pop(index, {}).items():
                self.kept[index][place][:] = array
            return state

        def read(self, index, place):
            """An array of what is kept, or None."""
            if index in self.kept:
                return self.kept[index][place].asnumpy()
            return self.given.get(index, {}).get(place)

        def write(self, index, place, array):
            if index in self.kept:
                self.kept[index][place][:] = array
            else:
                self.given.setdefault(index, {})[place] = array

    return Remembering


RememberingSGD = remembering(mx.optimizer.SGD)
RememberingNesterov = remembering(Nesterov)
RememberingFreeSGD = remembering(FreeSGD)
RememberingAdam = remembering(mx.optimizer.Adam)
RememberingAdamW = remembering(DecoupledAdam)
RememberingRMSProp = remembering(RMSProp)
RememberingAdaGrad = remembering(AdaGrad)


def make_optimizer(
    optimizer: Optimizer, count: int = 0, free: bool = False
) -> mx.optimizer.Optimizer:
    """MXNet's own optimizer, with the hyper-parameters that every backend uses.

    Args:
        count: how many steps were done.
        free: whether what it keeps is to be free of the learning rate.
    """
    start = {"begin_num_update": count}
    # An update that is "lazy" leaves the rows out of which a sparse gradient has nothing.
    whole = {"lazy_update": False, **start}
    match optimizer.rounded():
        case SGD(lr, momentum, nesterov, decay) if free:
            made = RememberingFreeSGD(momentum, learning_rate=lr, wd=decay, **start)
            made.nesterov = nesterov
            return made
        case SGD(lr, momentum, True, decay):
            return RememberingNesterov(momentum, learning_rate=lr, wd=decay, **start)
        case SGD(lr, momentum, _, decay):
            return RememberingSGD(momentum, learning_rate=lr, wd=decay, **whole)
        case AdamW(lr, beta_1, beta_2, epsilon, decay):
            return RememberingAdamW(lr, beta_1, beta_2, epsilon, wd=decay, **whole)
        case Adam(lr, beta_1, beta_2, epsilon, decay):
            return RememberingAdam(lr, beta_1, beta_2, epsilon, wd=decay, **whole)
        case RMSprop(lr, rho, epsilon):
            return RememberingRMSProp(lr, rho, epsilon=epsilon, **start)
        case Adagrad(lr, epsilon):
            return RememberingAdaGrad(epsilon, learning_rate=lr, **start)
    raise TypeError(f"optimizer must be {KINDS}; got {optimizer!r}")
