"""The normalisations of this library as Gluon blocks."""

from __future__ import annotations

import unified_blocks as ub
from unified_blocks.layers.batch_norm import kept, rounded
from unified_blocks.types import Mixin
from unified_blocks_mxnet.compat import mx, nn


@ub.LayerNorm.native("mxnet")
class LayerNorm(ub.LayerNorm, nn.LayerNorm):
    def __init__(self, *, in_units=None, epsilon=1e-5, axes=1, dtype=None):
        nn.LayerNorm.__init__(self, epsilon=rounded(epsilon), in_channels=in_units or 0)
        self.axes = axes
        if axes > 1:  # Gluon's own has one
            self.gamma._shape = self.beta._shape = (0,) * axes
        self.cast(dtype)

    def infer_shape(self, X):
        if self.axes == 1:
            super().infer_shape(X)
        else:
            self.gamma.shape = self.beta.shape = X.shape[-self.axes :]

    def hybrid_forward(self, F, X, gamma, beta):
        if self.axes == 1:
            return super().hybrid_forward(F, X, gamma, beta)
        axes = tuple(range(-self.axes, 0))
        centred = X - F.np.mean(X, axis=axes, keepdims=True)
        variance = F.np.mean(F.np.square(centred), axis=axes, keepdims=True)
        first = of_last_axes(F, X, self.axes)
        gamma, beta = (sized(F, each, first) for each in (gamma, beta))
        return centred / F.np.sqrt(variance + self._epsilon) * gamma + beta


def sized(F, weight, like):
    """`weight`, whose size a graph that is made before it is known finds by that of `like`."""
    if F is not mx.sym or like is None:
        return weight
    zeros = F.zeros_like(like.as_nd_ndarray())
    return F.elemwise_add(weight.as_nd_ndarray(), zeros).as_np_ndarray()


def of_last_axes(F, X, axes):
    """The first numbers of a symbol along its last axes; None of a tensor."""
    if F is not mx.sym:
        return None
    rows = F.reshape(X.as_nd_ndarray(), shape=(-1, *(0,) * axes), reverse=True)
    return F.squeeze(F.slice_axis(rows, axis=0, begin=0, end=1), axis=0).as_np_ndarray()


class Norm(Mixin):
    """What norms of this library hold, where Gluon's own hold something else."""

    def hold(self, in_units, scale=True, center=True):
        """Have a weight, a bias or both, of the channels."""
        for name, wanted, start in (("weight", scale, "ones"), ("bias", center, "zeros")):
            if wanted:
                options = {"shape": (in_units or 0,), "init": start, "allow_deferred_init": True}
                setattr(self, name, self.params.get(name, **options))

    def infer_shape(self, X):
        channels = self.channels(X)
        for name, parameter in self._reg_params.items():
            if name in ("weight", "bias"):
                parameter.shape = (channels,)

    def channels(self, X):
        return X.shape[-1 if self.channels_last else 1]


@ub.RMSNorm.native("mxnet")
class RMSNorm(ub.RMSNorm, Norm, nn.HybridBlock):
    channels_last = True

    def __init__(self, *, in_units=None, epsilon=1e-6, dtype=None):
        nn.HybridBlock.__init__(self)
        self.epsilon = rounded(epsilon)
        self.hold(in_units, center=False)
        self.cast(dtype)

    def hybrid_forward(self, F, X, weight):
        square = F.np.mean(F.np.square(X), axis=-1, keepdims=True)
        weight = sized(F, weight, of_last_axes(F, X, 1))
        return X / F.np.sqrt(square + self.epsilon) * weight


class Grouped(Norm):
    """Gluon's norm over groups of channels, with a weight for each channel.

    Gluon's own has one for each group, which stays 1.
    """

    left_out = ("gamma", "beta")

    def __init__(self, groups, *, in_units, epsilon, scale, center, layout, dtype):
        nn.GroupNorm.__init__(self, groups, rounded(epsilon), center=False, scale=False)
        self.channels_last = layout == "channels_last"
        self.hold(in_units, scale, center)
        self.cast(dtype)

    def hybrid_forward(self, F, X, gamma, beta, weight=None, bias=None):
        first = F.np.moveaxis(X, -1, 1) if self.channels_last else X
        joined = F.npx.reshape(first, (-2, -2, -1))  # (n, c, space)
        Y = self.grouped(F, joined, gamma, beta)
        like = self.of_channels(F, joined)
        Y = Y if weight is None else Y * F.np.expand_dims(sized(F, weight, like), -1)
        Y = Y if bias is None else Y + F.np.expand_dims(sized(F, bias, like), -1)
        Y = F.npx.reshape_like(Y, first)
        return F.np.moveaxis(Y, 1, -1) if self.channels_last else Y

    def grouped(self, F, X, gamma, beta):
        arrays = (each.as_nd_ndarray() for each in (X, gamma, beta))
        Y = F.GroupNorm(*arrays, num_groups=self._num_groups, eps=self._epsilon)
        return Y.as_np_ndarray()

    def of_channels(self, F, X):
        """The first number of each channel of a symbol `(n, c, space)`; None of a tensor."""
        if F is not mx.sym:
            return None
        first = F.slice_axis(X.as_nd_ndarray(), axis=0, begin=0, end=1)
        first = F.slice_axis(first, axis=2, begin=0, end=1)
        return F.reshape(first, shape=(-1,)).as_np_ndarray()


@ub.GroupNorm.native("mxnet")
class GroupNorm(ub.GroupNorm, Grouped, nn.GroupNorm):
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
        options = {"epsilon": epsilon, "scale": scale, "center": center, "layout": layout}
        Grouped.__init__(self, groups, in_units=in_units, dtype=dtype, **options)

    def infer_shape(self, X):
        self.check_groups(self._num_groups, self.channels(X))
        super().infer_shape(X)


@ub.InstanceNorm.native("mxnet")
class InstanceNorm(ub.InstanceNorm, Grouped, nn.GroupNorm):
    def __init__(self, *, in_units=None, epsilon=1e-5, scale=True, center=True, layout, dtype=None):
        options = {"epsilon": epsilon, "scale": scale, "center": center, "layout": layout}
        Grouped.__init__(self, 1, in_units=in_units, dtype=dtype, **options)

    def grouped(self, F, X, gamma, beta):
        apart = F.npx.reshape(X, (-5, 1, -1))  # (n · c, 1, space)
        return F.npx.reshape_like(super().grouped(F, apart, gamma, beta), X)


@ub.BatchNorm.native("mxnet")
class BatchNorm(ub.BatchNorm, nn.BatchNorm):
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
        self.channels_last = layout == "channels_last"
        nn.BatchNorm.__init__(
            self,
            axis=-1 if self.channels_last else 1,
            momentum=kept(momentum),
            epsilon=rounded(epsilon),
            center=center,
            scale=scale,
            use_global_stats=use_global_stats,
            in_channels=in_units or 0,
        )
        # Gluon holds them all the same: at 1 and 0.
        unused = {"gamma": not scale, "beta": not center}
        self.left_out = tuple(name for name, without in unused.items() if without)
        self.cast(dtype)


@ub.LocalResponseNorm.native("mxnet")
class LocalResponseNorm(ub.LocalResponseNorm, nn.HybridBlock):
    def __init__(self, size, alpha=1e-4, beta=0.75, k=1.0, *, layout):
        nn.HybridBlock.__init__(self)
        self.size, self.k, self.alpha, self.beta = size, k, alpha / size, beta
        self.channels_last = layout == "channels_last"

    def hybrid_forward(self, F, X):
        square = F.np.square(F.np.moveaxis(X, -1, 1) if self.channels_last else X)
        plane = F.np.expand_dims(F.npx.reshape(square, (-2, -2, -1)), 1)  # (n, 1, c, space)
        total = F.Pooling(
            plane.as_nd_ndarray(),
            kernel=(self.size, 1),
            pad=(self.size // 2, 0),
            pool_type="sum",
        )
        if self.size % 2 == 0:  # there is one more before than after
            total = F.slice_axis(total, axis=2, begin=0, end=-1)
        total = F.npx.reshape_like(total.as_np_ndarray(), square)
        if self.channels_last:
            total = F.np.moveaxis(total, 1, -1)
        return X * (self.k + self.alpha * total) ** -self.beta
