"""The normalisations of this library as PyTorch modules."""

# The bases of PyTorch's own lazy classes do not agree on their attributes.
# mypy: disable-error-code="misc"

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn.modules.lazy import LazyModuleMixin
from torch.nn.parameter import is_lazy

import unified_blocks as ub
from unified_blocks.layers.batch_norm import kept, rounded
from unified_blocks.types import Mixin
from unified_blocks_torch.images import in_layout
from unified_blocks_torch.layers import weight_and_bias


def starting(own, in_units):
    """The constructor of PyTorch's own, or of one that waits for its first input."""
    return own.__init__ if in_units is not None else LazyModuleMixin.__init__


class Norm(Mixin):
    """What the normalisations add to PyTorch's: weight and bias apart, of a size to be found."""

    cls_to_become: Any = None  # stay what it is after the first call
    channels_last = False

    def hold(self, in_units, scale=True, center=True, dtype=None):
        """Have a weight, a bias or both; of an unknown size they are made by the first call."""
        for name, wanted in (("weight", scale), ("bias", center)):
            if wanted:
                setattr(self, name, parameter(in_units, dtype))
        self.reset_parameters()

    def initialize_parameters(self, X):
        size = self.size_of(X)
        lazy = [t for t in (*self.parameters(False), *self.buffers(False)) if is_lazy(t)]
        if lazy:
            with torch.no_grad():
                for tensor in lazy:
                    tensor.materialize(size)
                self.reset_parameters()

    def reset_parameters(self):
        if not self.has_uninitialized_params():
            for name, tensor in self.named_parameters(recurse=False):
                nn.init.constant_(tensor, 0.0 if name == "bias" else 1.0)

    def size_of(self, X):
        """The shape of the weight for this input; noted where PyTorch's own has it."""
        raise NotImplementedError

    def channels(self, X):
        return X.shape[-1 if self.channels_last else 1]


def parameter(size, dtype) -> Any:
    """A parameter of that size; None when it is not known yet."""
    if size is None:
        return nn.UninitializedParameter(dtype=dtype)  # type: ignore[call-arg]
    return nn.Parameter(torch.empty(size, dtype=dtype))


@ub.LayerNorm.native("torch")
class LayerNorm(ub.LayerNorm, Norm, LazyModuleMixin, nn.LayerNorm):
    def __init__(self, *, in_units=None, epsilon=1e-5, axes=1, dtype=None):
        starting(nn.LayerNorm, in_units)(self, in_units or 0, rounded(epsilon), False)
        self.axes, self.elementwise_affine = axes, True
        self.hold(in_units, dtype=dtype)

    def size_of(self, X):
        self.normalized_shape = tuple(X.shape[-self.axes :])
        return self.normalized_shape


@ub.RMSNorm.native("torch")
class RMSNorm(ub.RMSNorm, Norm, LazyModuleMixin, nn.RMSNorm):
    def __init__(self, *, in_units=None, epsilon=1e-6, dtype=None):
        starting(nn.RMSNorm, in_units)(self, in_units or 0, rounded(epsilon), False)
        self.elementwise_affine = True
        self.hold(in_units, center=False, dtype=dtype)

    def size_of(self, X):
        self.normalized_shape = (X.shape[-1],)
        return self.normalized_shape


@ub.GroupNorm.native("torch")
class GroupNorm(ub.GroupNorm, Norm, LazyModuleMixin, nn.GroupNorm):
    def __init__(
        self,
        groups,
        *,
        in_units=None,
        epsilon=1e-5,
        scale=True,
        center=True,
        layout,
        dtype=None,
    ):
        starting(nn.GroupNorm, in_units)(self, groups, in_units or 0, rounded(epsilon), False)
        self.affine = scale or center
        self.channels_last = layout == "channels_last"
        self.hold(in_units, scale, center, dtype)

    def size_of(self, X):
        self.num_channels = self.channels(X)
        self.check_groups(self.num_groups, self.num_channels)
        return (self.num_channels,)

    def normalised(self, X):
        # Not PyTorch's own forward, which refuses one number for each group.
        weight, bias = weight_and_bias(self)
        if weight is None and bias is not None:  # PyTorch 2.13 has no gradient of that
            Y = torch.group_norm(X, self.num_groups, None, None, self.eps)
            return Y + bias.view(-1, *(1,) * (X.dim() - 2))
        return torch.group_norm(X, self.num_groups, weight, bias, self.eps)

    forward: Any = in_layout(normalised)


@ub.InstanceNorm.native("torch")
class InstanceNorm(ub.InstanceNorm, Norm, LazyModuleMixin, nn.GroupNorm):
    def __init__(self, *, in_units=None, epsilon=1e-5, scale=True, center=True, layout, dtype=None):
        groups = in_units or 1
        starting(nn.GroupNorm, in_units)(self, groups, groups, rounded(epsilon), False)
        self.affine = scale or center
        self.channels_last = layout == "channels_last"
        self.hold(in_units, scale, center, dtype)

    def size_of(self, X):
        self.num_groups = self.num_channels = self.channels(X)
        return (self.num_channels,)

    normalised = GroupNorm.normalised
    forward: Any = in_layout(normalised)


@ub.BatchNorm.native("torch")
class BatchNorm(ub.BatchNorm, Norm, nn.LazyBatchNorm1d):
    momentum: float | None
    # Stay a BatchNorm after the first call: PyTorch's own keeps the unbiased variance.
    cls_to_become = None  # type: ignore[assignment]

    def __init__(
        self,
        *,
        in_units=None,
        epsilon=1e-5,
        momentum=0.1,
        scale=True,
        center=True,
        use_global_stats=False,
        layout,
        dtype=None,
    ):
        options: Any = {"eps": rounded(epsilon), "momentum": 1 - kept(momentum), "dtype": dtype}
        if in_units is None:
            nn.LazyBatchNorm1d.__init__(self, affine=False, **options)
        else:
            nn.BatchNorm1d.__init__(self, in_units, affine=False, **options)
        self.affine = scale or center
        self.use_global_stats = use_global_stats
        self.channels_last = layout == "channels_last"
        self.hold(in_units, scale, center, dtype)

    def size_of(self, X):
        self.num_features = self.channels(X)
        return (self.num_features,)

    def reset_parameters(self):
        if not self.has_uninitialized_params():
            self.reset_running_stats()
            super().reset_parameters()

    def normalised(self, X):
        held: Any = self._buffers  # where a longer search finds the attributes, too
        mean, kept = held["running_mean"], held["running_var"]
        training = self.training and not self.use_global_stats
        momentum = 0.0 if self.momentum is None else self.momentum
        var, excess = kept, 0.0
        if training:
            batches = self.num_batches_tracked
            if batches is not None:
                batches.add_(1)
                if self.momentum is None:  # the mean over all batches: `update_bn` asks for it
                    momentum = 1 / float(batches)
            # PyTorch adds the unbiased variance to what is kept, count / (count - 1) times as much
            # as is added here; of one value it has none.
            count = X.numel() // len(mean)
            excess = 1 / (count - 1) if count > 1 else 0.0
            var = torch.add(kept, kept, alpha=excess)
        weight, bias = weight_and_bias(self)
        Y = torch.batch_norm(X, weight, bias, mean, var, training, momentum, self.eps, True)
        if training and momentum:
            if count > 1:
                kept.zero_().add_(var, alpha=1 / (1 + excess))
            else:
                kept.mul_(1 - momentum)
        return Y

    forward: Any = in_layout(normalised)


@ub.LocalResponseNorm.native("torch")
class LocalResponseNorm(ub.LocalResponseNorm, nn.LocalResponseNorm):
    def __init__(self, size, alpha=1e-4, beta=0.75, k=1.0, *, layout):
        nn.LocalResponseNorm.__init__(self, size, alpha, beta, k)
        self.channels_last = layout == "channels_last"

    forward: Any = in_layout(nn.LocalResponseNorm.forward)
