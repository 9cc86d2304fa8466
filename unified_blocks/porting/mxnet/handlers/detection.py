"""Boxes: anchors, what a network says about them, and those that are left."""

from __future__ import annotations

import itertools
import math

import numpy as np

from unified_blocks.porting.graph import Value, constant
from unified_blocks.porting.mxnet.reading import Reading, register
from unified_blocks.porting.operations.detection import (
    BoxDecode,
    BoxOverlap,
    BoxSuppression,
    RoiAlign,
)


def form_of(read: Reading, option: str, default: str = "corner") -> str:
    """How the four numbers of a box are meant."""
    form = str(read.text(option, default))
    if form not in ("corner", "center"):
        raise read.refused(f"{option} must be corner or center; got {form}")
    return form


@register("_contrib_box_nms", "_contrib_box_non_maximum_suppression")
def box_nms(read: Reading) -> Value:
    most, label = read.integer("topk", -1), read.integer("id_index", -1)
    background = read.integer("background_id", -1)
    if most == 0:
        raise read.refused("topk=0")
    operation = BoxSuppression(
        overlap=read.number("overlap_thresh", 0.5),
        least=read.number("valid_thresh", 0.0),
        most=most if most > 0 else None,
        box=read.integer("coord_start", 2),
        score=read.integer("score_index", 1),
        label=label if label >= 0 else None,
        background=background if background >= 0 else None,
        form=form_of(read, "in_format"),
        new_form=form_of(read, "out_format"),
        across=read.flag("force_suppress", False),
    )
    return read.add(operation, *read.inputs)


@register("_contrib_box_decode")
def box_decode(read: Reading) -> Value:
    first, second, third, fourth = (read.number(f"std{i}", 1.0) for i in range(4))
    limit, form = read.number("clip", -1.0), form_of(read, "format", "center")
    scales = (first, second, third, fourth)
    return read.add(BoxDecode(scales, form, limit if limit > 0 else None), *read.inputs)


@register("_contrib_box_iou")
def box_iou(read: Reading) -> Value:
    return read.add(BoxOverlap(form_of(read, "format")), *read.inputs)


@register("_contrib_MultiBoxPrior")
def multi_box_prior(read: Reading) -> Value:
    """Anchors as corners, at each pixel: a constant of the size of an image."""
    (x,) = read.inputs
    h, w = x.shape[2:]
    sizes, ratios = _numbers(read, "sizes", (1.0,)), _numbers(read, "ratios", (1.0,))
    steps, offsets = _numbers(read, "steps", (-1.0, -1.0)), _numbers(read, "offsets", (0.5, 0.5))
    step_h, step_w = (s if s > 0 else 1 / n for s, n in zip(steps, (h, w), strict=True))
    root = math.sqrt(ratios[0])
    halves = [(s * h / w * root / 2, s / root / 2) for s in sizes]
    for ratio in ratios[1:]:
        root = math.sqrt(ratio)
        halves.append((sizes[0] * h / w * root / 2, sizes[0] / root / 2))
    anchors = [
        ((j + offsets[1]) * step_w - half_w, (i + offsets[0]) * step_h - half_h,
         (j + offsets[1]) * step_w + half_w, (i + offsets[0]) * step_h + half_h)
        for i, j, (half_w, half_h) in itertools.product(range(h), range(w), halves)
    ]  # fmt: skip
    boxes = np.asarray(anchors)[None]
    if read.flag("clip", False):
        boxes = boxes.clip(0, 1)
    return constant(boxes, x.dtype, read.name)


def _numbers(read: Reading, option: str, default: tuple[float, ...]) -> tuple[float, ...]:
    value = read.read(option, default)
    return tuple(map(float, value)) if isinstance(value, list | tuple) else (float(value),)


@register("_contrib_ROIAlign")
def roi_align(read: Reading) -> Value:
    if read.flag("position_sensitive", False):
        raise read.refused("position_sensitive=True")
    samples = read.integer("sample_ratio", -1)
    operation = RoiAlign(
        read.sizes("pooled_size", 2),
        read.number("spatial_scale"),
        samples if samples > 0 else None,
        read.flag("aligned", False),
    )
    return read.add(operation, *read.inputs)
