"""A convolution whose windows see points between pixels, where a source of Keras needs it."""

from __future__ import annotations

DEFORMED = '''def deformed(
    x: KerasTensor,
    moved: KerasTensor,
    scaled: KerasTensor,
    weight: KerasTensor,
    bias: KerasTensor | None = None,
    strides: tuple[int, int] = (1, 1),
    padding: tuple[int, int] = (0, 0),
    dilation: tuple[int, int] = (1, 1),
    groups: int = 1,
    parts: int = 1,
) -> KerasTensor:
    """A convolution of (n, c, h, w), of which each point of a window is moved and multiplied.

    Points are moved by (n, parts * points * 2, h, w), down and to the right, and
    multiplied by (n, parts * points, h, w).
    """
    (_, c, *size), (_, _, *out) = x.shape, moved.shape
    f, _, *kernel = weight.shape
    points, pixels = kernel[0] * kernel[1], out[0] * out[1]
    down, right = (
        ops.arange(k, dtype=x.dtype)[:, None] * dilation[i]
        + ops.arange(out[i], dtype=x.dtype) * strides[i]
        - padding[i]
        for i, k in enumerate(kernel)
    )
    moved = ops.reshape(moved, (-1, parts, *kernel, 2, *out))
    y = moved[:, :, :, :, 0] + down[:, None, :, None]
    z = moved[:, :, :, :, 1] + right[None, :, None, :]
    images = ops.reshape(x, (-1, parts, c // parts, size[0] * size[1]))
    seen: KerasTensor = 0
    for row in (ops.floor(y), ops.floor(y) + 1):
        for column in (ops.floor(z), ops.floor(z) + 1):
            high = ops.logical_and(row >= 0, row < size[0])
            inside = ops.logical_and(
                high, ops.logical_and(column >= 0, column < size[1])
            )
            share = (1 - ops.abs(y - row)) * (1 - ops.abs(z - column))
            share = ops.reshape(
                share * ops.cast(inside, x.dtype), (-1, parts, 1, points * pixels)
            )
            place = ops.clip(row, 0, size[0] - 1) * size[1] + ops.clip(
                column, 0, size[1] - 1
            )
            place = ops.reshape(
                ops.cast(place, "int32"), (-1, parts, 1, points * pixels)
            )
            seen = seen + ops.take_along_axis(images, place, axis=3) * share
    seen = seen * ops.reshape(scaled, (-1, parts, 1, points * pixels))
    seen = ops.reshape(seen, (-1, groups, c // groups * points, pixels))
    y = ops.matmul(ops.reshape(weight, (groups, f // groups, -1)), seen)
    y = ops.reshape(y, (-1, f, *out))
    return y if bias is None else y + ops.reshape(bias, (-1, 1, 1))'''
