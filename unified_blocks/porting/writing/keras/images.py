"""Functions on images that a source of Keras defines where it needs them."""

from __future__ import annotations

IMAGES = {
    "spread": '''def spread(x: KerasTensor, strides: tuple[int, ...]) -> KerasTensor:
    """An image `(n, *space, c)` with zeros between its pixels."""
    for axis, step in enumerate(strides, 1):
        shape = x.shape
        pads = [(0, 0)] * (axis + 1) + [(0, step - 1)]
        pads += [(0, 0)] * (len(shape) - axis - 1)
        x = ops.pad(ops.expand_dims(x, axis + 1), pads)
        x = ops.reshape(x, (-1, *shape[1:axis], shape[axis] * step, *shape[axis + 1 :]))
        x = x[(slice(None),) * axis + (slice(0, shape[axis] * step - step + 1),)]
    return x''',
    "resized": '''def resized(
    x: KerasTensor, size: tuple[int, int], align_corners: bool = False
) -> KerasTensor:
    """An image `(n, h, w, c)` of another size, linear between its pixels."""
    for axis, m, rule in ((1, size[0], "ih,nhwc->niwc"), (2, size[1], "iw,nhwc->nhic")):
        n = x.shape[axis]
        at = (ops.arange(m, dtype=x.dtype) + 0.5) * (n / m) - 0.5
        if align_corners:
            at = ops.arange(m, dtype=x.dtype) * ((n - 1) / max(m - 1, 1))
        at = ops.expand_dims(ops.clip(at, 0, n - 1), 1)
        shares = ops.relu(1 - ops.abs(at - ops.arange(n, dtype=x.dtype)))
        x = ops.einsum(rule, shares, x)
    return x''',
    "response_norm": '''def response_norm(
    x: KerasTensor, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
) -> KerasTensor:
    """`x / (k + alpha / size * sum(x ** 2)) ** beta`, summed over `size` channels."""
    pads = [(0, 0)] * (len(x.shape) - 1) + [(size // 2, (size - 1) // 2)]
    squares = ops.pad(ops.square(x), pads)
    total = squares[..., : x.shape[-1]]
    for i in range(1, size):
        total = total + squares[..., i : i + x.shape[-1]]
    return x * (k + alpha / size * total) ** -beta''',
    "pad_edges": '''def pad_edges(x: KerasTensor, widths: tuple[Any, ...]) -> KerasTensor:
    """More of the first and last, before and after, on each axis."""
    for axis, (before, after) in enumerate(widths):
        if before or after:
            n = x.shape[axis]
            places = ops.clip(ops.arange(-before, n + after), 0, n - 1)
            x = ops.take(x, places, axis=axis)
    return x''',
    "quotient": '''def quotient(x: KerasTensor, y: KerasTensor) -> KerasTensor:
    """Whole numbers divided, cut towards zero."""
    return ops.sign(x) * ops.sign(y) * ops.floor_divide(ops.abs(x), ops.abs(y))''',
    "gather_nd": '''def gather_nd(x: KerasTensor, places: KerasTensor) -> KerasTensor:
    """`x[places[0], places[1], ...]`."""
    count, place = places.shape[0], places[0]
    for i in range(1, count):
        place = place * x.shape[i] + places[i]
    return ops.take(ops.reshape(x, (-1, *x.shape[count:])), place, axis=0)''',
}
"""The text of each, by name."""
