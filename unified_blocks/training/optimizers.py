"""Optimizers by their field names, with one meaning on every backend.

The numbers are rounded to float32 before use, because Keras and MXNet always do so: a learning rate
of 0.1 is 0.10000000149 on all three. Otherwise training would differ by 1e-7.

All parameters decay, biases too. A parameter that the loss does not depend on does not, and nothing
that is kept of it changes.
"""

from __future__ import annotations

from dataclasses import dataclass

from unified_blocks.backend.training_step import Optimizer


@dataclass(frozen=True)
class SGD(Optimizer):
    """Stochastic gradient descent: `v = μ v + g`, `w = w - lr v`.

    With Nesterov's momentum `w = w - lr (g + μ v)`, v being the new one (Sutskever et al., "On the
    importance of initialization and momentum in deep learning", in the form of PyTorch). Weight
    decay λ is added to the gradient first: `g = g + λ w`, the gradient of `λ/2 |w|²`.

    Args:
        learning_rate: lr, above 0.
        momentum: μ, in [0, 1).
        nesterov: whether the momentum is Nesterov's; it must then be above 0.
        weight_decay: λ, at least 0.

    Raises:
        ValueError: a number outside its range.

    Example::

        net = ub.build(ub.MLP(256, 10), (2, 20))
        trainer = ub.Trainer(net, ub.SGD(0.125, momentum=0.875), "cross_entropy")
        trainer.step(np.ones((2, 20), "float32"), np.array([3, 7]))  # ()
        sorted(ub.state(trainer))[0]  # 'optimizer.hidden.bias.velocity'
    """

    momentum: float = 0.0
    nesterov: bool = False
    weight_decay: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        self.must("momentum", "be in [0, 1)", 0 <= self.momentum < 1)
        self.must("nesterov", "be True or False", isinstance(self.nesterov, bool))
        if self.nesterov:
            self.must("momentum", "be above 0 with nesterov=True", self.momentum > 0)
        self.must("weight_decay", "be at least 0", self.weight_decay >= 0)

    @property
    def keeps(self) -> tuple[str, ...]:
        return ("velocity",) if self.momentum else ()


@dataclass(frozen=True)
class Adam(Optimizer):
    """Adam: `w = w - lr √(1-β₂ᵗ)/(1-β₁ᵗ) m/(√v + ε)`, with the running means m and v.

    `m = β₁ m + (1-β₁) g`, `v = β₂ v + (1-β₂) g²`. This is the form in which ε is added to the
    uncorrected `√v` (Kingma and Ba, "Adam: A Method for Stochastic Optimization", end of section 2,
    where it is called ε̂); Keras and MXNet compute it, and PyTorch's own Adam does when its ε is set
    anew at each step, as here. Weight decay λ is added to the gradient first: `g = g + λ w`.

    Args:
        learning_rate: lr, above 0. Default 0.001, as all three frameworks.
        beta_1, beta_2: decay of the running means of the gradient and of its square, in [0, 1).
        epsilon: ε, above 0. Default 1e-8, as PyTorch and MXNet (Keras has 1e-7).
        weight_decay: λ, at least 0. Keras' own Adam decays as `AdamW` does.

    Raises:
        ValueError: a number outside its range.

    Example::

        net = ub.build(ub.MLP(256, 10), (2, 20))
        trainer = ub.Trainer(net, ub.Adam(0.001), "cross_entropy")
        trainer.step(np.ones((2, 20), "float32"), np.array([3, 7]))  # ()
        sorted(ub.state(trainer))[0]  # 'optimizer.hidden.bias.mean'
    """

    learning_rate: float = 0.001
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8
    weight_decay: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        self.must("beta_1", "be in [0, 1)", 0 <= self.beta_1 < 1)
        self.must("beta_2", "be in [0, 1)", 0 <= self.beta_2 < 1)
        self.must("epsilon", "be above 0", self.epsilon > 0)
        self.must("weight_decay", "be at least 0", self.weight_decay >= 0)

    @property
    def keeps(self) -> tuple[str, ...]:
        return ("mean", "variance")


@dataclass(frozen=True)
class AdamW(Adam):
    """Adam whose weight decay λ is apart from the gradient: `w = w - lr λ w`, then Adam's update.

    Of "Decoupled Weight Decay Regularization" (Loshchilov and Hutter), with the decay scaled by
    the learning rate, as in PyTorch and Keras.

    Args:
        learning_rate, beta_1, beta_2, epsilon: as `Adam` takes them.
        weight_decay: λ, at least 0. Default 0.01, as PyTorch (Keras has 0.004).

    Raises:
        ValueError: a number outside its range.

    Example::

        net = ub.build(ub.MLP(256, 10), (2, 20))
        trainer = ub.Trainer(net, ub.AdamW(0.001, weight_decay=0.01), "cross_entropy")
        trainer.step(np.ones((2, 20), "float32"), np.array([3, 7]))  # ()
    """

    weight_decay: float = 0.01


@dataclass(frozen=True)
class RMSprop(Optimizer):
    """RMSprop: `v = ρ v + (1-ρ) g²`, `w = w - lr g/√(v + ε)`, v being 0 at first.

    Of Hinton's lecture 6e of "Neural Networks for Machine Learning", with ε inside the root, as in
    Keras and MXNet (PyTorch adds it to the root).

    Args:
        learning_rate: lr, above 0. Default 0.001, as Keras and MXNet (PyTorch has 0.01).
        rho: ρ, decay of the running mean, in [0, 1). Default 0.9, as Keras and MXNet (PyTorch has
            0.99).
        epsilon: ε, above 0. Default 1e-8, as PyTorch and MXNet (Keras has 1e-7).

    Raises:
        ValueError: a number outside its range.

    Example::

        net = ub.build(ub.MLP(256, 10), (2, 20))
        trainer = ub.Trainer(net, ub.RMSprop(0.001), "cross_entropy")
        trainer.step(np.ones((2, 20), "float32"), np.array([3, 7]))  # ()
        sorted(ub.state(trainer))[0]  # 'optimizer.hidden.bias.mean_of_squares'
    """

    learning_rate: float = 0.001
    rho: float = 0.9
    epsilon: float = 1e-8

    def __post_init__(self) -> None:
        super().__post_init__()
        self.must("rho", "be in [0, 1)", 0 <= self.rho < 1)
        self.must("epsilon", "be above 0", self.epsilon > 0)

    @property
    def keeps(self) -> tuple[str, ...]:
        return ("mean_of_squares",)


@dataclass(frozen=True)
class Adagrad(Optimizer):
    """Adagrad: `v = v + g²`, `w = w - lr g/√(v + ε)`, v being 0 at first.

    Of "Adaptive Subgradient Methods for Online Learning and Stochastic Optimization" (Duchi, Hazan
    and Singer), with ε inside the root, as in Keras and MXNet (PyTorch adds it to the root).

    Args:
        learning_rate: lr, above 0. Default 0.01, as PyTorch and MXNet (Keras has 0.001).
        epsilon: ε, above 0. Default 1e-7, as Keras and MXNet (PyTorch has 1e-10). Keras' v is 0.1
            at first.

    Raises:
        ValueError: a number outside its range.

    Example::

        net = ub.build(ub.MLP(256, 10), (2, 20))
        trainer = ub.Trainer(net, ub.Adagrad(0.01), "cross_entropy")
        trainer.step(np.ones((2, 20), "float32"), np.array([3, 7]))  # ()
        sorted(ub.state(trainer))[0]  # 'optimizer.hidden.bias.sum_of_squares'
    """

    learning_rate: float = 0.01
    epsilon: float = 1e-7

    def __post_init__(self) -> None:
        super().__post_init__()
        self.must("epsilon", "be above 0", self.epsilon > 0)

    @property
    def keeps(self) -> tuple[str, ...]:
        return ("sum_of_squares",)


KINDS = "ub.SGD(…), ub.Adam(…), ub.AdamW(…), ub.RMSprop(…) or ub.Adagrad(…)"
"""What an optimizer may be, in words."""
