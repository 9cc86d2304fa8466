"""Operators of MXNet with their options: each is read, computed, and compared with MXNet."""

import numpy as np

from testbed.image_cases import DETECTION, IMAGE, IMAGES
from testbed.mxnet_nodes import Array, Between, one

VECTORS = (3, 6)
POSITIVE = Between(0.5, 2.0, (2, 3))
UNIT = Between(-0.9, 0.9, (2, 3))
HALVES = np.array([-2.5, -1.5, -0.7, -0.5, 0.0, 0.3, 0.5, 1.5, 2.5])
SIGNS = np.array([[-1.0, 0.0, 2.0], [0.0, 3.0, -2.0]])
OTHERS = np.array([[1.0, 0.0, 2.0], [-1.0, 0.0, -2.0]])


ZOO = [
    one("Convolution", IMAGE, Array((6, 4, 3, 2)), kernel=(3, 2), num_filter=6, no_bias=True),
    one(
        *("Convolution", IMAGE, Array((6, 2, 3, 3)), Array((6,))),
        kernel=(3, 3),
        num_filter=6,
        num_group=2,
        stride=(2, 1),
        pad=(1, 1),
        dilate=(1, 2),
        workspace=1024,
        cudnn_tune="off",
    ),
    one("FullyConnected", IMAGE, Array((3, 140)), Array((3,)), num_hidden=3),
    one("FullyConnected", IMAGE, Array((3, 7)), num_hidden=3, no_bias=True, flatten=False),
    *(
        one("Activation", IMAGE, act_type=kind)
        for kind in ("relu", "sigmoid", "tanh", "softrelu", "softsign")
    ),
    one("BatchNorm", IMAGE, *[Array((4,), 0.2)] * 4),
    one("BatchNorm", IMAGE, *[Array((4,), 0.2)] * 4, fix_gamma=False, eps=2e-5, momentum=0.8),
    one("BatchNorm", IMAGE, *[Array((7,), 0.2)] * 4, axis=-1, use_global_stats=1),
    one("_contrib_SyncBatchNorm", IMAGE, *[Array((4,), 0.2)] * 4, key="a", ndev=2),
    one("Flatten", IMAGE),
    one("flatten", VECTORS),
    one("Dropout", IMAGE, p=0.3),
    one("clip", IMAGE, a_min=-0.5, a_max=0.25),
    one("Concat", IMAGE, (2, 1, 5, 7), num_args=2),
    one("concat", IMAGE, IMAGE, IMAGE, num_args=3, dim=-1),
    one("add_n", IMAGE, IMAGE, IMAGE, num_args=3),
    one("ElementWiseSum", IMAGE, num_args=1),
    one("elemwise_add", IMAGE, IMAGE),
    *(
        one("Pooling", IMAGE, kernel=(3, 4), stride=(2, 3), pad=(1, 1), **options)
        for options in (
            {"pool_type": "max"},
            {"pool_type": "max", "pooling_convention": "full"},
            {"pool_type": "avg"},
            {"pool_type": "avg", "count_include_pad": False},
            {"pool_type": "avg", "pooling_convention": "full"},
            {"pool_type": "sum"},
            {"pool_type": "lp", "p_value": 2},
            {"pool_type": "lp", "p_value": 1},
        )
    ),
    *(
        one("Pooling", IMAGE, kernel=(3, 3), global_pool=True, pool_type=kind, p_value=2)
        for kind in ("max", "avg", "sum", "lp")
    ),
]

ACTIVATIONS = [
    one("LeakyReLU", IMAGE),
    one("LeakyReLU", IMAGE, act_type="leaky", slope=0.1),
    one("LeakyReLU", IMAGE, Array((4,)), act_type="prelu", slope=0.1),
    one("LeakyReLU", IMAGE, Array((1,)), act_type="prelu"),
    one("LeakyReLU", VECTORS, Array((6,)), act_type="prelu"),
    one("LeakyReLU", IMAGE, act_type="elu", slope=0.7),
    one("LeakyReLU", IMAGE, act_type="selu"),
    one("LeakyReLU", IMAGE, act_type="gelu"),
    one("LeakyReLU", IMAGE, act_type="rrelu", lower_bound=0.1, upper_bound=0.5),
    one("hard_sigmoid", Between(-5, 5, VECTORS)),
    one("hard_sigmoid", Between(-5, 5, VECTORS), alpha=0.3, beta=0.25),
    one("softmax", IMAGE),
    one("softmax", IMAGE, axis=1, temperature=2.5),
    one("log_softmax", IMAGE, axis=-2),
    one("log_softmax", IMAGE, axis=1, temperature=0.5, dtype="None"),
    one("softmin", IMAGE, axis=1),
    one("SoftmaxActivation", IMAGE),
    one("SoftmaxActivation", VECTORS),
    one("SoftmaxActivation", IMAGE, mode="channel"),
]

HEADS = [
    one("SoftmaxOutput", VECTORS, (3,), grad_scale=0.5, use_ignore=True, normalization="valid"),
    one("SoftmaxOutput", IMAGE, (2, 4, 5)),
    one("SoftmaxOutput", IMAGE, (2, 5, 7), multi_output=True, ignore_label=255),
    one("SoftmaxOutput", IMAGE, (2, 4, 5), preserve_shape=True, smooth_alpha=0.1),
    one("Softmax", VECTORS, (3,), out_grad=0),
    one("LinearRegressionOutput", VECTORS, VECTORS, grad_scale=2),
    one("MAERegressionOutput", VECTORS, VECTORS),
    one("LogisticRegressionOutput", VECTORS, VECTORS),
    one("SVMOutput", VECTORS, (3,), margin=2, regularization_coefficient=0.5, use_linear=1),
    one("MakeLoss", VECTORS, grad_scale=2, normalization="batch", valid_thresh=0.1),
    one("make_loss", VECTORS),
    one("BlockGrad", VECTORS),
    one("stop_gradient", VECTORS),
    one("identity", VECTORS),
    one("_copy", VECTORS),
]

ARITHMETIC = [
    *(
        one(name, POSITIVE)
        for name in ("log", "sqrt", "log1p", "log2", "log10", "rsqrt", "reciprocal")
    ),
    *(
        one(name, UNIT)
        for name in (
            *("relu", "sigmoid", "tanh", "softsign", "exp", "square", "abs", "negative", "sin"),
            *("cos", "tan", "sinh", "cosh", "arcsin", "arccos", "arctan", "erf", "expm1", "sign"),
        )
    ),
    *(one(name, HALVES) for name in ("floor", "ceil", "round", "rint", "trunc", "fix")),
    one("_contrib_sign_ste", SIGNS),
    one("logical_not", SIGNS),
    *(
        one(f"{first}_{name}", IMAGE, IMAGE)
        for first, name in (("elemwise", "sub"), ("elemwise", "mul"), ("elemwise", "div"))
    ),
    *(
        one(name, POSITIVE, Between(0.5, 2.0, (2, 3)))
        for name in (
            *("_sub", "_minus", "_Minus", "_mul", "_Mul", "_div", "_Div", "_maximum", "_Maximum"),
            *("_minimum", "_Minimum", "_power", "_Power", "_mod", "_Mod", "_hypot", "_Hypot"),
            *("_plus", "_Plus", "_add", "_sparse_elemwise_add"),
        )
    ),
    *(
        one(f"broadcast_{name}", Between(0.5, 2.0, (2, 3, 1)), Between(0.5, 2.0, (1, 3, 4)))
        for name in (
            *("add", "plus", "sub", "minus", "mul", "div", "maximum", "minimum", "power", "mod"),
            "hypot",
        )
    ),
    one("broadcast_mod", (3, 4), Between(-2, 2, (3, 4))),
    *(
        one(name, SIGNS, OTHERS)
        for name in (
            *("_equal", "_not_equal", "_greater", "_greater_equal", "_lesser", "_lesser_equal"),
            *("_Equal", "_Not_Equal", "_Greater", "_Greater_Equal", "_Lesser", "_Lesser_Equal"),
            *("_logical_and", "_logical_or", "_logical_xor", "_Logical_And", "_Logical_Or"),
            *("_Logical_Xor", "broadcast_equal", "broadcast_not_equal", "broadcast_greater"),
            *("broadcast_greater_equal", "broadcast_lesser", "broadcast_lesser_equal"),
            *("broadcast_logical_and", "broadcast_logical_or", "broadcast_logical_xor"),
        )
    ),
    *(
        one(name, Between(0.5, 3.0, (2, 3)), scalar=1.3)
        for name in (
            *("_plus_scalar", "_minus_scalar", "_rminus_scalar", "_mul_scalar", "_div_scalar"),
            *("_rdiv_scalar", "_power_scalar", "_rpower_scalar", "_maximum_scalar", "_mod_scalar"),
            *("_minimum_scalar", "_rmod_scalar", "_PlusScalar", "_MinusScalar", "_RMinusScalar"),
            *("_MulScalar", "_DivScalar", "_RDivScalar", "_PowerScalar", "_RPowerScalar"),
            *("_MaximumScalar", "_MinimumScalar", "_ModScalar", "_RModScalar"),
        )
    ),
    *(
        one(name, SIGNS, scalar=2.0)
        for name in (
            *("_equal_scalar", "_not_equal_scalar", "_greater_scalar", "_greater_equal_scalar"),
            *("_lesser_scalar", "_lesser_equal_scalar", "_EqualScalar", "_NotEqualScalar"),
            *("_GreaterScalar", "_GreaterEqualScalar", "_LesserScalar", "_LesserEqualScalar"),
            *("_logical_and_scalar", "_logical_or_scalar", "_logical_xor_scalar"),
            *("_LogicalAndScalar", "_LogicalOrScalar", "_LogicalXorScalar"),
        )
    ),
    *(one(f"_logical_{name}_scalar", SIGNS, scalar=0.0) for name in ("and", "or", "xor")),
    one("_mod_scalar", (3, 4), scalar=-0.7),
    one("_plus_scalar", np.arange(3, dtype="int32"), scalar=2, is_int=True),
    one("smooth_l1", (3, 4), scalar=1.5),
    one("smooth_l1", (3, 4)),
    one("Cast", HALVES, dtype="int32"),
    one("cast", np.arange(3, dtype="int32"), dtype="float64"),
    one("amp_cast", HALVES, dtype="float32"),
    one("where", SIGNS, (2, 3), (2, 3)),
    one("ones_like", VECTORS),
    one("zeros_like", VECTORS),
    one("_contrib_div_sqrt_dim", IMAGE),
]

SHAPES = [
    *(
        one("Reshape", (2, 3, 4, 5), shape=codes)
        for codes in (
            *((6, 20), (0, -1), (-1, 0, 0, 5), (0, 0, -1), (-2,), (0, -2), (-3, 0, 0), (-3, -3)),
            *(
                (0, -3, 5),
                (-4, 1, 2, 0, 4, 5),
                (-4, 1, -1, -2),
                (0, 0, -4, -1, 2, 0),
                (0, 0, 0, 5, 1),
            ),
            *((-2, 1, 1), (4, 0, 2, 5), (0, -1, 5)),
        )
    ),
    *(
        one("reshape", (8, 3, 3, 4, 4), shape=codes, reverse=True)
        for codes in ((-1, 0, 0), (0, -1, 0, 0), (-3, 0, 0, 0), (-1, 0), (0, 0, -3, 0))
    ),
    one("Reshape", (2, 3, 4), target_shape=(0, 4)),
    one("Reshape", (2, 3, 4), target_shape=(0, 12), keep_highest=True),
    one("Reshape", (2, 3, 4), target_shape=(3, 0, 2)),
    one("reshape_like", (2, 6), (3, 4)),
    one("transpose", IMAGE),
    one("transpose", IMAGE, axes=(0, 2, 3, 1)),
    one("SwapAxis", IMAGE, dim1=1, dim2=3),
    one("swapaxes", IMAGE, dim1=1, dim2=2),
    one("expand_dims", IMAGE, axis=1),
    one("expand_dims", IMAGE, axis=-1),
    one("squeeze", (1, 3, 1, 2)),
    one("squeeze", (1, 3, 1, 2), axis=2),
    one("squeeze", (1, 3, 1, 2), axis=(0, -2)),
    one("squeeze", (3, 2)),
    one("squeeze", (1, 1)),
    one("broadcast_to", (1, 3, 1), shape=(2, 0, 4)),
    one("broadcast_axis", (1, 3, 1), axis=(0, 2), size=(2, 4)),
    one("broadcast_axes", (1, 3, 1), axis=2, size=4),
    one("broadcast_like", (1, 3, 1), (2, 3, 4)),
    one("broadcast_like", (1, 3, 1), (7, 4), lhs_axes=(0, -1), rhs_axes=(0, 1)),
    one("depth_to_space", (2, 8, 3, 2), block_size=2),
    one("space_to_depth", (2, 2, 6, 4), block_size=2),
]

SLICES = [
    one("slice", IMAGE, begin=(0, 1), end=(2, 3)),
    one("slice", IMAGE, begin="(None, 1, None, -5)", end="(None, 3, -1, None)", step=(1, 1, 2, 3)),
    one("slice", IMAGE, begin="(None,)", end="(None,)", step="(-1,)"),
    one("slice", IMAGE, begin="(1, 3)", end="(None, 0)", step="(None, -2)"),
    one("crop", IMAGE, begin=(0, 1), end=(2, 30)),
    one("slice_axis", IMAGE, axis=1, begin=1, end="None"),
    one("slice_axis", IMAGE, axis=-1, begin=-3, end=-1),
    one("slice_axis", IMAGE, axis=2, begin=0, end=5),
    one("slice_like", IMAGE, (1, 2, 3, 4)),
    one("slice_like", IMAGE, (1, 2, 3, 4), axes=(2, -1)),
    one("SliceChannel", IMAGE, num_outputs=2, outputs=2),
    one("SliceChannel", IMAGE, num_outputs=4, squeeze_axis=True, outputs=4),
    one("split", IMAGE, num_outputs=5, axis=-2, squeeze_axis=1, outputs=5),
    one("split", IMAGE, num_outputs=1),
    one("_split_v2", IMAGE, indices="(0, 1, 3)", axis=-1, sections=0, outputs=3),
    one("_split_v2", IMAGE, indices="()", axis=1, sections=2, outputs=2),
    one("stack", VECTORS, VECTORS, num_args=2),
    one("stack", VECTORS, VECTORS, VECTORS, num_args=3, axis=-1),
    one("tile", VECTORS, reps=(2, 3)),
    one("tile", VECTORS, reps=(2,)),
    one("tile", VECTORS, reps=(2, 1, 3)),
    one("repeat", VECTORS, repeats=2, axis=1),
    one("reverse", IMAGE, axis=(1, 3)),
    one("flip", IMAGE, axis=2),
    one("Pad", IMAGE, mode="constant", pad_width=(0, 0, 0, 0, 1, 2, 3, 0), constant_value=0.5),
    one("Pad", IMAGE, mode="edge", pad_width=(0, 0, 0, 0, 1, 2, 3, 0)),
    one("pad", IMAGE, mode="reflect", pad_width=(0, 0, 0, 0, 1, 2, 3, 0)),
    one("Pad", (2, 3, 4, 5, 6), mode="edge", pad_width=(0, 0, 0, 0, 1, 2, 3, 0, 1, 1)),
    one("Crop", IMAGE, h_w=(3, 4), offset=(1, 2), num_args=1),
    one("Crop", IMAGE, h_w=(3, 4), center_crop=True, num_args=1),
    one("Crop", IMAGE, (2, 1, 2, 3), offset=(1, 2), num_args=2),
    one("Crop", IMAGE, (2, 1, 2, 3), center_crop=1, num_args=2),
]

REDUCTIONS = [
    *(
        one(name, (2, 3, 4), **options)
        for name in ("sum", "mean", "max", "min", "prod")
        for options in (
            {},
            {"axis": "()"},
            {"axis": 1},
            {"axis": (0, -1), "keepdims": True},
            {"axis": (1,), "exclude": True},
            {"keepdims": 1},
        )
    ),
    one("sum_axis", (2, 3), axis=1),
    one("max_axis", (2, 3), axis=1),
    one("min_axis", (2, 3), axis=0),
    one("norm", (2, 3, 4)),
    one("norm", (2, 3, 4), ord=1, axis=1),
    one("norm", (2, 3, 4), ord=2, axis=(1, 2), keepdims=True),
    *(one("L2Normalization", IMAGE, mode=mode) for mode in ("instance", "channel", "spatial")),
    one("L2Normalization", VECTORS, eps=0.5),
    *(
        one(name, (2, 3, 4), **options)
        for name in ("argmax", "argmin")
        for options in ({"axis": 1}, {"axis": -1, "keepdims": True}, {})
    ),
    one("argmax_channel", VECTORS),
    one("sort", VECTORS),
    one("sort", VECTORS, axis=0, is_ascend=False),
    one("sort", VECTORS, axis="None"),
    one("argsort", VECTORS),
    one("argsort", VECTORS, axis=0, is_ascend=0, dtype="int32"),
    one("topk", VECTORS, k=2),
    one("topk", VECTORS, k=2, axis=0, ret_typ="value", is_ascend=True),
    one("topk", VECTORS, k=3, ret_typ="both", dtype="int64", outputs=2),
    one("dot", (2, 3), (3, 4)),
    one("dot", (3, 2), (4, 3), transpose_a=True, transpose_b=True),
    one("dot", (2, 5, 3), (3, 4)),
    one("batch_dot", (2, 3, 5), (2, 5, 4)),
    one("batch_dot", (2, 5, 3), (2, 4, 5), transpose_a=True, transpose_b=True),
]

GATHERS = [
    one("take", (4, 3), np.array([[0.0, 2.0], [7.0, -1.0]])),
    one("take", (4, 3), np.array([0, 2], "int32"), axis=1),
    one("take", (4, 3), np.array([5.0, -1.0]), axis=-1, mode="wrap"),
    one("pick", (4, 3), np.array([0.0, 2.0, 9.0, -4.0])),
    one("pick", (4, 3), np.array([0.0, 2.0, 1.0]), axis=0, keepdims=True),
    one("pick", (4, 3), np.array([[0.0], [2.0], [1.0], [5.0]]), mode="wrap"),
    one("gather_nd", (4, 3, 2), np.array([[0.0, 3.0, 1.0], [2.0, 0.0, 1.0]])),
    one("one_hot", np.array([[0.0, 2.0], [5.0, 1.0]]), depth=4),
    one("one_hot", np.array([0.0, 2.0]), depth=3, on_value=0.9, off_value=0.05, dtype="float64"),
]

CREATION = [
    one("_zeros", shape=(2, 3)),
    one("_ones", shape=(2, 3), dtype="float64", ctx="cpu(0)"),
    one("_full", shape=(2, 3), value=0.5),
    one("_arange", start=2, stop=9, step=2.5),
    one("_arange", start=0, stop=4, repeat=2, dtype="int32"),
    one("_eye", N=3, M=4, k=1),
    one("shape_array", (3, 4)),
    one("size_array", (3, 4)),
    one("_contrib_arange_like", (3, 4), axis=1),
    one("_contrib_arange_like", (3, 4), start=2, step=0.5),
]

CASES = [
    *(*ZOO, *ACTIVATIONS, *HEADS, *ARITHMETIC, *SHAPES),
    *(*SLICES, *REDUCTIONS, *GATHERS, *CREATION, *IMAGES, *DETECTION),
]
