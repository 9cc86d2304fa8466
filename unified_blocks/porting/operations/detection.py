"""Boxes around what is seen, and regions of images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from unified_blocks.porting.operations.operation import Given, Operation, Same
from unified_blocks.types import Array, Shape


def corners_of(boxes: Array, form: str) -> Array:
    """Boxes as left, top, right and bottom.

    Args:
        boxes: `(…, 4)`.
        form: `"corner"`, as they are wanted; `"center"`: x and y of the middle, width and height.
    """
    if form == "corner":
        return boxes
    middle, half = boxes[..., :2], boxes[..., 2:] / 2
    return np.concatenate([middle - half, middle + half], -1)


def centers_of(boxes: Array, form: str) -> Array:
    """Boxes as x and y of the middle, width and height; the other way round."""
    if form == "center":
        return boxes
    low, high = boxes[..., :2], boxes[..., 2:]
    return np.concatenate([(low + high) / 2, high - low], -1)


def overlaps(first: Array, second: Array) -> Array:
    """The common area of two boxes by that of both: `(m, n)`, of corners `(m, 4)` and `(n, 4)`."""
    a, b = first[:, None], second[None]
    sides = np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2])
    common = np.maximum(sides, 0).prod(-1)
    areas = [np.maximum(box[..., 2:] - box[..., :2], 0).prod(-1) for box in (a, b)]
    union = areas[0] + areas[1] - common
    return np.asarray(common / np.where(union == 0, 1, union))


@dataclass(frozen=True)
class BoxDecode(Operation):
    """Boxes, as corners, of what a network says about its anchors.

    The middle of a box is that of its anchor and `offset · scale · size`; its size is
    `exp(offset · scale) · size`. Takes the offsets `(n, boxes, 4)`, and anchors `(1, boxes, 4)`.

    Attributes:
        scales: of the four offsets.
        form: of the anchors: `"corner"` or `"center"`.
        limit: of what the exponential is taken; None without one.
    """

    scales: tuple[float, float, float, float]
    form: str
    limit: float | None = None

    def infer(self, *inputs: Any) -> Given:
        x, anchors = inputs
        if x.shape[-1] != 4 or anchors.shape != (1, *x.shape[1:]):
            raise ValueError(f"anchors of {anchors.shape} for {x.shape}")
        return [(x.shape, x.dtype)]

    def compute(self, *arrays: Array) -> Array:
        x, anchors = arrays
        x, anchors = x * np.asarray(self.scales, x.dtype), centers_of(anchors, self.form)
        middle = anchors[..., :2] + x[..., :2] * anchors[..., 2:]
        grown = x[..., 2:] if self.limit is None else np.minimum(x[..., 2:], self.limit)
        half = np.exp(grown) * anchors[..., 2:] / 2
        return np.concatenate([middle - half, middle + half], -1)


@dataclass(frozen=True)
class BoxOverlap(Operation):
    """The common area of each two boxes, by that of both. Takes `(…, 4)` and `(…, 4)`.

    Attributes:
        form: of the boxes: `"corner"` or `"center"`.
    """

    form: str

    def infer(self, *inputs: Any) -> Given:
        first, second = inputs
        if first.shape[-1] != 4 or second.shape[-1] != 4:
            raise ValueError(f"boxes of {first.shape} and {second.shape}")
        return [((*first.shape[:-1], *second.shape[:-1]), first.dtype)]

    def compute(self, *arrays: Array) -> Array:
        first, second = (corners_of(boxes, self.form) for boxes in arrays)
        found = overlaps(first.reshape(-1, 4), second.reshape(-1, 4))
        return found.reshape(*first.shape[:-1], *second.shape[:-1])


@dataclass(frozen=True)
class BoxSuppression(Same):
    """Boxes without those that overlap with one of a larger score, the largest first.

    Takes `(…, boxes, numbers)`: a row for each box. Gives as many rows; those that are left over
    are all -1.

    Attributes:
        overlap: the share of both areas above which the box of the smaller score goes.
        least: the score above which a box counts.
        most: how many boxes are looked at, those of the largest scores; None for all.
        box: where the four numbers of the box begin in a row.
        score: where its score is.
        label: where its class is; only boxes of one class suppress each other. None without.
        background: the class that is no thing; None without.
        form: of the boxes: `"corner"` or `"center"`.
        new_form: of the boxes that are given. A box with a negative first number stays as it is.
        across: whether boxes of two classes suppress each other, too.
    """

    overlap: float
    least: float
    most: int | None
    box: int
    score: int
    label: int | None
    background: int | None
    form: str
    new_form: str
    across: bool = False

    def compute(self, *arrays: Array) -> Array:
        (x,) = arrays
        found = np.full_like(x, -1)
        for place in np.ndindex(x.shape[:-2]):
            rows = self._left(x[place])
            found[place][: len(rows)] = rows
        return found

    def _left(self, rows: Array) -> Array:
        """The rows of one image that are left, in order."""
        counts = rows[:, self.score] > self.least
        if self.background is not None and self.label is not None:
            counts &= rows[:, self.label] != self.background
        rows = rows[counts]
        rows = rows[np.argsort(-rows[:, self.score], kind="stable")][: self.most]
        boxes = rows[:, self.box : self.box + 4]
        both = overlaps(*(corners_of(boxes, self.form),) * 2) > self.overlap
        if self.label is not None and not self.across:
            both &= rows[:, None, self.label] == rows[None, :, self.label]
        left = np.ones(len(rows), bool)
        for i in range(len(rows)):
            if left[i]:
                left[i + 1 :] &= ~both[i, i + 1 :]
        rows = rows[left]
        if self.new_form != self.form:
            boxes = rows[:, self.box : self.box + 4]
            turned = (corners_of if self.new_form == "corner" else centers_of)(boxes, self.form)
            rows[:, self.box : self.box + 4] = np.where(boxes[:, :1] < 0, boxes, turned)
        return rows


@dataclass(frozen=True)
class RoiAlign(Operation):
    """The mean of points of each part of some regions of images, between pixels.

    Takes images `(n, c, h, w)` and regions `(regions, 5)`: the place of the image in the batch, and
    left, top, right and bottom.

    Attributes:
        size: into how many parts a region is divided, `(h, w)`.
        scale: of the images, by that of which the regions are told.
        samples: points of each part, along each axis; None for as many as it has pixels.
        aligned: whether the middle of a pixel is half a pixel after its place.
    """

    size: Shape
    scale: float
    samples: int | None
    aligned: bool = False

    def infer(self, *inputs: Any) -> Given:
        x, regions = inputs
        return [((regions.shape[0], x.shape[1], *self.size), x.dtype)]

    def compute(self, *arrays: Array) -> Array:
        x, regions = arrays
        made = np.zeros((len(regions), x.shape[1], *self.size), x.dtype)
        for i, (place, *box) in enumerate(regions):
            made[i] = self._part(x[int(place)], np.asarray(box))
        return made

    def _part(self, image: Array, box: Array) -> Array:
        start, end = np.split(box * self.scale - (0.5 if self.aligned else 0), 2)
        lengths = end - start if self.aligned else np.maximum(end - start, 1)
        along = []
        for axis, parts in ((1, self.size[0]), (0, self.size[1])):  # the box has x before y
            step = lengths[axis] / parts
            count = self.samples or max(int(np.ceil(step)), 0)
            points = np.arange(parts)[:, None] + (np.arange(count) + 0.5) / count
            along.append(_shares(start[axis] + points * step, image.shape[2 - axis]).mean(1))
        return np.asarray(np.einsum("chw,ih,jw->cij", image, *along))


def _shares(at: Array, n: int) -> Array:
    """The share of each of `n` pixels in points between them: `(*at.shape, n)`."""
    inside = (at >= -1) & (at <= n)
    distance = np.abs(np.clip(at, 0, n - 1)[..., None] - np.arange(n))
    return np.where(inside[..., None], np.maximum(1 - distance, 0), 0)
