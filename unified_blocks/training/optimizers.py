"""Optimizers by their field names, with one meaning on every backend.

The numbers are rounded to float32 before use, because Keras and MXNet always do so: a learning rate
of 0.1 is 0.10000000149 on all three. Otherwise training would differ by 1e-7.
"""

from __future__ import annotations

from dataclasses import dataclass

from unified_blocks.backend.training_step import Optimizer


@dataclass(frozen=True)
class SGD(Optimizer):
    """Stochastic gradient descent with momentum: `v = μ v + g`, `w = w - lr v`.

    Args:
        learning_rate: lr, above 0.
        momentum: μ, in [0, 1).

    Raises:
        ValueError: a number outside its range.
    """

    momentum: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.momentum < 1:
            raise ValueError(f"SGD: momentum must be in [0, 1); got momentum={self.momentum}")


@dataclass(frozen=True)
class Adam(Optimizer):
    """Adam: `w = w - lr √(1-β₂ᵗ)/(1-β₁ᵗ) m/(√v + ε)`, with the running means m and v.

    This is the form in which ε is added to the uncorrected `√v` (Kingma and Ba, "Adam: A Method
    for Stochastic Optimization", end of section 2, where it is called ε̂); Keras and MXNet
    compute it, and PyTorch's own Adam does when its ε is set anew at each step, as here.

    Args:
        learning_rate: lr, above 0. Default 0.001, as all three frameworks.
        beta_1, beta_2: decay of the running means of the gradient and of its square, in [0, 1).
        epsilon: ε, above 0. Default 1e-8, as PyTorch and MXNet (Keras has 1e-7).

    Raises:
        ValueError: a number outside its range.
    """

    learning_rate: float = 0.001
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("beta_1", "beta_2"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(
                    f"Adam: {name} must be in [0, 1); got {name}={getattr(self, name)}"
                )
        if not self.epsilon > 0:
            raise ValueError(f"Adam: epsilon must be above 0; got epsilon={self.epsilon}")
