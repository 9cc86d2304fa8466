"""Operators of MXNet on images and boxes, with their options."""

import numpy as np

from testbed.mxnet_nodes import Array, Between, one

IMAGE = (2, 4, 5, 7)

IMAGES = [
    *(
        one("Deconvolution", IMAGE, Array((4, 3, 3, 2)), kernel=(3, 2), num_filter=3, **options)
        for options in (
            {},
            {"stride": (2, 3), "pad": (1, 1), "adj": (1, 2)},
            {"stride": (2, 2), "target_shape": (10, 14)},
            {"stride": (2, 2), "target_shape": (9, 13), "pad": (5, 5)},
            {"dilate": (2, 1), "layout": "NCHW", "workspace": 512},
        )
    ),
    one(
        *("Deconvolution", IMAGE, Array((4, 3, 3, 3)), Array((6,))),
        kernel=(3, 3),
        num_filter=6,
        num_group=2,
        no_bias=False,
        stride=(2, 1),
    ),
    one("Deconvolution", (2, 3, 5), Array((3, 2, 4)), kernel=(4,), num_filter=2, stride=(2,)),
    one(
        *("_contrib_ModulatedDeformableConvolution", IMAGE, Between(-2, 2, (2, 18, 5, 7))),
        *(Between(0, 1, (2, 9, 5, 7)), Array((3, 4, 3, 3)), Array((3,))),
        kernel=(3, 3),
        num_filter=3,
        pad=(1, 1),
    ),
    one(
        *("_contrib_ModulatedDeformableConvolution", IMAGE, Between(-9, 9, (2, 24, 4, 3))),
        *(Between(-1, 1, (2, 12, 4, 3)), Array((4, 2, 3, 2))),
        kernel=(3, 2),
        num_filter=4,
        stride=(2, 3),
        dilate=(1, 2),
        pad=(2, 1),
        num_group=2,
        num_deformable_group=2,
        no_bias=True,
        im2col_step=32,
    ),
    one("UpSampling", IMAGE, scale=2, sample_type="nearest", num_args=1),
    one("UpSampling", (1, 2, 4, 4), (1, 3, 2, 2), scale=2, sample_type="nearest", num_args=2),
    one(
        *("UpSampling", (1, 2, 4, 4), (1, 2, 2, 2), (1, 2, 8, 8)),
        scale=2,
        sample_type="nearest",
        num_args=3,
        multi_input_mode="sum",
    ),
    *(
        one(
            *("UpSampling", IMAGE, Array((4, 1, 2 * scale - scale % 2, 2 * scale - scale % 2))),
            scale=scale,
            sample_type="bilinear",
            num_args=2,
            num_filter=4,
        )
        for scale in (2, 3)
    ),
    one("_contrib_BilinearResize2D", IMAGE, height=9, width=3),
    one("_contrib_BilinearResize2D", IMAGE, height=1, width=14),
    one("_contrib_BilinearResize2D", IMAGE, scale_height=2, scale_width=1.5),
    one("_contrib_BilinearResize2D", IMAGE, height=9, width=3, align_corners=False),
    one("_contrib_BilinearResize2D", IMAGE, (1, 2, 8, 3), mode="like"),
    *(
        one("_contrib_BilinearResize2D", (1, 2, 5, 6), mode=mode, scale_height=2, scale_width=2)
        for mode in ("odd_scale", "to_even_down", "to_even_up", "to_odd_down", "to_odd_up")
    ),
    one("_contrib_AdaptiveAvgPooling2D", IMAGE, output_size=(3, 2)),
    one("_contrib_AdaptiveAvgPooling2D", IMAGE, output_size=3),
    one("_contrib_AdaptiveAvgPooling2D", IMAGE),
    one("InstanceNorm", IMAGE, Array((4,)), Array((4,))),
    one("InstanceNorm", (2, 4, 6), Array((4,)), Array((4,)), eps=0.01),
    one("GroupNorm", IMAGE, Array((2,)), Array((2,)), num_groups=2),
    one("GroupNorm", IMAGE, Array((1,)), Array((1,)), eps=0.01),
    one("LRN", IMAGE, nsize=3),
    one("LRN", IMAGE, nsize=5, alpha=0.5, beta=0.5, knorm=1),
]

rng = np.random.default_rng(7)
BOXES = np.sort(rng.uniform(0, 1, (2, 2, 12, 2)), 1).transpose(0, 2, 1, 3).reshape(2, 12, 4)
ROWS = np.concatenate([rng.integers(0, 3, (2, 12, 1)), rng.normal(size=(2, 12, 1)), BOXES], -1)
CENTERED = np.abs(ROWS)
REGIONS = np.array([[0.0, 1, 2, 9, 8], [1, -3, 0, 30, 5], [0, 4, 4, 4.5, 4.5]])

DETECTION = [
    *(
        one("_contrib_box_nms", ROWS, **options)
        for options in (
            {"coord_start": 2, "score_index": 1, "overlap_thresh": 0.2},
            {"id_index": 0, "overlap_thresh": 0.1, "valid_thresh": -0.5},
            {"id_index": 0, "overlap_thresh": 0.1, "force_suppress": True, "topk": 4},
            {"id_index": 0, "background_id": 1, "overlap_thresh": 0.3, "out_format": "center"},
            {"valid_thresh": 9},
        )
    ),
    one("_contrib_box_nms", CENTERED, in_format="center", overlap_thresh=0.3),
    one("_contrib_box_nms", CENTERED, in_format="center", out_format="corner", topk=8),
    one("_contrib_box_non_maximum_suppression", ROWS[0]),
    one("_contrib_box_decode", BOXES, BOXES[:1]),
    one("_contrib_box_decode", BOXES, BOXES[:1], format="corner", std0=0.1, std2=0.2, clip=0.5),
    one("_contrib_box_iou", BOXES[0], BOXES[1]),
    one("_contrib_box_iou", BOXES[0], BOXES[1, :5], format="center"),
    one("_contrib_MultiBoxPrior", IMAGE),
    one("_contrib_MultiBoxPrior", IMAGE, sizes=(0.3, 0.5), ratios=(1, 2, 0.5), clip=True),
    one("_contrib_MultiBoxPrior", IMAGE, sizes="0.3", steps=(0.1, 0.2), offsets=(0.25, 0.75)),
    *(
        one("_contrib_ROIAlign", IMAGE, REGIONS, pooled_size=(2, 3), spatial_scale=0.5, **options)
        for options in ({}, {"sample_ratio": 2}, {"sample_ratio": 2, "aligned": True})
    ),
]
