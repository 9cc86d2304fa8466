"""Functions on boxes that a source of Keras defines where it needs them."""

from __future__ import annotations

AS_CORNERS = '''def as_corners(boxes: KerasTensor, form: str) -> KerasTensor:
    """Boxes as left, top, right, bottom; of x, y, width, height if form is "center"."""
    if form == "corner":
        return boxes
    middle, half = boxes[..., :2], boxes[..., 2:] / 2
    return ops.concatenate([middle - half, middle + half], -1)'''

AS_CENTERS = '''def as_centers(boxes: KerasTensor, form: str) -> KerasTensor:
    """Boxes as x, y, width, height; of left, top, right, bottom if form is "corner"."""
    if form == "center":
        return boxes
    low, high = boxes[..., :2], boxes[..., 2:]
    return ops.concatenate([(low + high) / 2, high - low], -1)'''

OVERLAPS = '''def overlaps(
    first: KerasTensor, second: KerasTensor, form: str = "corner"
) -> KerasTensor:
    """The common area of boxes (..., m, 4), (..., n, 4) by that of both: (..., m, n)."""
    a = ops.expand_dims(as_corners(first, form), -2)
    b = ops.expand_dims(as_corners(second, form), -3)
    low = ops.maximum(a[..., :2], b[..., :2])
    high = ops.minimum(a[..., 2:], b[..., 2:])
    common = ops.prod(ops.relu(high - low), -1)
    areas = [ops.prod(ops.relu(box[..., 2:] - box[..., :2]), -1) for box in (a, b)]
    union = areas[0] + areas[1] - common
    return common / ops.where(union == 0, ops.ones_like(union), union)'''

DECODED = '''def decoded(
    x: KerasTensor,
    anchors: KerasTensor,
    scales: tuple[float, ...] = (1.0, 1.0, 1.0, 1.0),
    form: str = "center",
    limit: float | None = None,
) -> KerasTensor:
    """Boxes, as corners, of offsets from anchors: (n, boxes, 4)."""
    x, anchors = x * ops.convert_to_tensor(scales, x.dtype), as_centers(anchors, form)
    middle = anchors[..., :2] + x[..., :2] * anchors[..., 2:]
    grown = x[..., 2:] if limit is None else ops.minimum(x[..., 2:], limit)
    half = ops.exp(grown) * anchors[..., 2:] / 2
    return ops.concatenate([middle - half, middle + half], -1)'''

SUPPRESSION = '''@keras.saving.register_keras_serializable("ported")
class BoxSuppression(layers.Layer):
    """Rows (..., boxes, numbers) without the boxes that overlap with one of a larger score.

    The largest come first; rows that are left over are -1. Only scores above `least`
    count, and the `most` largest of them; with a `label`, boxes suppress those of their
    own class only.
    """

    def __init__(
        self,
        overlap: float,
        least: float,
        most: int | None = None,
        box: int = 2,
        score: int = 1,
        label: int | None = None,
        form: str = "corner",
        new_form: str = "corner",
        background: tuple[int, int] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.overlap, self.least, self.most = overlap, least, most
        self.box, self.score, self.label = box, score, label
        self.form, self.new_form, self.background = form, new_form, background

    def call(self, x: KerasTensor) -> KerasTensor:
        counts = x[..., self.score] > self.least
        if self.background is not None:
            place, number = self.background
            counts = ops.logical_and(counts, x[..., place] != number)
        scores = ops.where(counts, x[..., self.score], ops.cast(-float("inf"), x.dtype))
        order = ops.argsort(-scores, axis=-1)[..., : self.most]
        left = ops.take_along_axis(counts, order, axis=-1)
        rows = ops.take_along_axis(x, ops.expand_dims(order, -1), axis=-2)
        boxes = rows[..., self.box : self.box + 4]
        both = overlaps(boxes, boxes, self.form) > self.overlap
        if self.label is not None:
            label = rows[..., self.label]
            same = ops.expand_dims(label, -1) == ops.expand_dims(label, -2)
            both = ops.logical_and(both, same)
        count = rows.shape[-2]
        places = ops.arange(count)

        def step(i: KerasTensor, left: KerasTensor) -> KerasTensor:
            """What is left removes those after it."""
            after = ops.logical_and(ops.take(both, i, axis=-2), places > i)
            gone = ops.logical_and(after, ops.take(left, [i], axis=-1))
            return ops.logical_and(left, ops.logical_not(gone))

        left = ops.fori_loop(0, count, step, left)
        if self.new_form != self.form:
            change = as_corners if self.new_form == "corner" else as_centers
            turned = ops.where(boxes[..., :1] < 0, boxes, change(boxes, self.form))
            parts = [rows[..., : self.box], turned, rows[..., self.box + 4 :]]
            rows = ops.concatenate(parts, -1)
        rows = ops.where(ops.expand_dims(left, -1), rows, ops.cast(-1, x.dtype))
        first = ops.argsort(ops.cast(ops.logical_not(left), "int32"), axis=-1)
        rows = ops.take_along_axis(rows, ops.expand_dims(first, -1), axis=-2)
        pads = [(0, 0)] * (len(x.shape) - 2) + [(0, x.shape[-2] - count), (0, 0)]
        return ops.pad(rows, pads, constant_values=-1)

    def compute_output_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return shape

    def get_config(self) -> dict[str, Any]:
        names = ["overlap", "least", "most", "box", "score", "label", "form"]
        names += ["new_form", "background"]
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}'''

SHARES = '''def shares(at: KerasTensor, size: int) -> KerasTensor:
    """The share of each of `size` pixels in points between them: (..., size)."""
    inside = ops.cast(ops.logical_and(at >= -1, at <= size), at.dtype)
    pixels = ops.arange(size, dtype=at.dtype)
    distance = ops.abs(ops.expand_dims(ops.clip(at, 0, size - 1), -1) - pixels)
    return ops.relu(1 - distance) * ops.expand_dims(inside, -1)'''

ALIGNED = '''def aligned(
    x: KerasTensor,
    regions: KerasTensor,
    size: tuple[int, int],
    scale: float,
    samples: int,
    half_pixel: bool = False,
) -> KerasTensor:
    """The mean of points of each part of regions (place, left, top, right, bottom)."""
    boxes = regions[:, 1:] * scale - (0.5 if half_pixel else 0.0)
    start, lengths = boxes[:, :2], boxes[:, 2:] - boxes[:, :2]
    if not half_pixel:
        lengths = ops.maximum(lengths, 1)
    along = []
    for i, parts, pixels in ((1, size[0], x.shape[1]), (0, size[1], x.shape[2])):
        at = (ops.arange(parts * samples, dtype=x.dtype) + 0.5) / (parts * samples)
        points = start[:, i : i + 1] + lengths[:, i : i + 1] * at
        each = ops.reshape(shares(points, pixels), (-1, parts, samples, pixels))
        along.append(ops.mean(each, 2))
    images = ops.take(x, ops.cast(regions[:, 0], "int32"), axis=0)
    return ops.einsum("nhwc,nih,njw->nijc", images, *along)'''

BOXES = {
    "as_corners": AS_CORNERS,
    "as_centers": AS_CENTERS,
    "overlaps": OVERLAPS,
    "decoded": DECODED,
    "BoxSuppression": SUPPRESSION,
    "shares": SHARES,
    "aligned": ALIGNED,
}
"""The text of each, by name."""
