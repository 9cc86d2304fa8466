"""Small networks of the kinds that people hold, written to files by MXNet as theirs were."""

import json
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from testbed.sequence_nets import BERT
from unified_blocks_mxnet.compat import mx

sym, gluon = mx.sym, mx.gluon
RNG = np.random.default_rng


@dataclass(frozen=True)
class Held:
    """A network in files.

    Attributes:
        graph: the path of its graph; its numbers lie beside it.
        example: what it takes, by name.
        options: that a port of it needs.
    """

    graph: Path
    example: dict[str, Any]
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def params(self):
        (path,) = self.graph.parent.glob(f"{self.graph.name.removesuffix('-symbol.json')}-*.params")
        return path


def checkpoint(folder, name, symbol, shapes, arrays=None, **example):
    """A network that was never trained, as `save_checkpoint` writes it, with random numbers.

    Args:
        folder: of its files.
        name: their prefix.
        symbol: the graph.
        shapes: of its inputs and labels.
        arrays: those numbers that are not drawn.
        **example: of the inputs that are no images.
    """
    rng = RNG(zlib.crc32(name.encode()))
    found, _, counted = symbol.infer_shape(**shapes)
    given = {
        key: rng.normal(0, 1 / np.sqrt(max(np.prod(shape[1:]), 1)), shape)
        for key, shape in zip(symbol.list_arguments(), found, strict=True)
        if key not in shapes
    }
    aux = {
        key: rng.uniform(0.5, 1.5, shape)
        for key, shape in zip(symbol.list_auxiliary_states(), counted, strict=True)
    }
    given |= arrays or {}
    both = ({key: mx.nd.array(x) for key, x in each.items()} for each in (given, aux))
    mx.model.save_checkpoint(str(folder / name), 3, symbol, *both)
    images = {
        k: rng.normal(size=s).astype("float32") for k, s in shapes.items() if "label" not in k
    }
    return Held(folder / f"{name}-symbol.json", images | example)


def prelu(x, name):
    return sym.LeakyReLU(x, act_type="prelu", name=name)


def classifier(folder):
    """Trained by a Module: PReLU, pooling that covers all, and a softmax with its label."""
    x = sym.var("data")
    for i, filters in enumerate((6, 8), 1):
        x = prelu(
            sym.Convolution(x, kernel=(3, 3), num_filter=filters, name=f"conv{i}"), f"prelu{i}"
        )
        x = sym.Pooling(
            x, pool_type="max", kernel=(3, 3), stride=(2, 2), pooling_convention="full",
            name=f"pool{i}",
        )  # fmt: skip
    x = prelu(sym.FullyConnected(x, num_hidden=10, name="fc1"), "prelu3")
    symbol = sym.SoftmaxOutput(sym.FullyConnected(x, num_hidden=3, name="fc2"), name="softmax")
    images, labels = RNG(0).normal(size=(8, 3, 15, 15)).astype("float32"), np.arange(8) % 3
    data = mx.io.NDArrayIter(images, labels.astype("float32"), batch_size=4)
    module = mx.mod.Module(symbol)
    options = {"learning_rate": 0.1, "momentum": 0.9}
    module.fit(data, num_epoch=2, initializer=mx.init.Xavier(), optimizer_params=options)
    module.save_checkpoint(str(folder / "onet"), 2)
    return Held(folder / "onet-symbol.json", {"data": images[:2]})


def proposals(folder):
    """Two heads over all places of an image: whether there is a face, and where its box ends."""
    x = sym.var("data")
    x = prelu(sym.Convolution(x, kernel=(3, 3), num_filter=5, name="conv1"), "PReLU1")
    x = sym.Pooling(
        x, kernel=(2, 2), stride=(2, 2), pool_type="max", pooling_convention="full", name="pool1"
    )
    x = prelu(sym.Convolution(x, kernel=(3, 3), num_filter=6, name="conv2"), "PReLU2")
    scores = sym.Convolution(x, kernel=(1, 1), num_filter=2, name="conv4_1")
    boxes = sym.Convolution(x, kernel=(1, 1), num_filter=4, name="conv4_2")
    face = sym.SoftmaxActivation(scores, mode="channel", name="prob1")
    return checkpoint(folder, "pnet", sym.Group([face, boxes]), {"data": (2, 3, 11, 14)})


def unit(x, name, filters, stride=1, kernel=3):
    """A convolution and a norm whose gamma is not the one in the file."""
    x = sym.Convolution(
        x, kernel=(kernel,) * 2, stride=(stride,) * 2, pad=(kernel // 2,) * 2, num_filter=filters,
        no_bias=True, name=f"{name}_conv",
    )  # fmt: skip
    x = sym.BatchNorm(x, eps=2e-5, fix_gamma=True, use_global_stats=True, name=f"{name}_bn")
    return sym.Activation(x, act_type="relu", name=f"{name}_relu")


def pyramid(folder):
    """Three sizes that are added, of norms whose stored gammas are 0.3, and fixed at 1."""
    levels = [unit(sym.var("data"), "stage0", 4, 2)]
    for i in (1, 2):
        levels.append(unit(unit(levels[-1], f"stage{i}", 6, 2), f"stage{i}_plus", 6))
    lateral = [unit(x, f"rf_c{i}_lateral", 4, kernel=1) for i, x in enumerate(levels)]
    x = lateral[2]
    up = sym.UpSampling(x, scale=2, sample_type="nearest", name="rf_c2_upsampling")
    up = sym.Crop(up, lateral[1], name="crop0")
    x = unit(sym.elemwise_add(up, lateral[1], name="plus0"), "rf_c1_aggr", 4)
    up = sym.Deconvolution(
        x, kernel=(4, 4), stride=(2, 2), pad=(1, 1), num_filter=4, num_group=4, no_bias=True,
        name="rf_c0_upsampling",
    )  # fmt: skip
    up = sym.Crop(up, lateral[0], name="crop1")
    x = unit(up + lateral[0], "rf_c0_aggr", 4)
    scores = sym.Convolution(x, kernel=(1, 1), num_filter=4, name="face_rpn_cls_score_stride8")
    scores = sym.Reshape(scores, shape=(0, 2, -1, 0), name="face_rpn_cls_score_reshape_stride8")
    face = sym.SoftmaxActivation(scores, mode="channel", name="face_rpn_cls_prob_stride8")
    face = sym.Reshape(face, shape=(0, 4, -1, 0), name="face_rpn_cls_prob_reshape_stride8")
    boxes = sym.Convolution(x, kernel=(1, 1), num_filter=8, name="face_rpn_bbox_pred_stride8")
    symbol = sym.Group([face, boxes])
    shapes = {"data": (2, 3, 18, 22)}
    found = zip(symbol.list_arguments(), symbol.infer_shape(**shapes)[0], strict=True)
    gammas = {name: np.full(shape, 0.3) for name, shape in found if name.endswith("gamma")}
    return checkpoint(folder, "retina", symbol, shapes, gammas)


def identity(folder, units=2):
    """A face as a vector: pixels scaled inside, residual units with PReLU, a norm of vectors."""
    x = (sym.var("data", __shape__="(0, 3, 12, 10)") - 127.5) * 0.0078125
    x = sym.Convolution(
        x, kernel=(3, 3), pad=(1, 1), num_filter=4, no_bias=True, name="conv0", workspace=256
    )
    x = sym.BatchNorm(x, fix_gamma=False, eps=2e-5, momentum=0.9, name="bn0")
    x = prelu(x, "relu0")
    for i in range(1, units + 1):
        name, stride = f"stage1_unit{i}", 2 if i == 1 else 1
        y = sym.BatchNorm(x, fix_gamma=False, eps=2e-5, name=f"{name}_bn1")
        for j, step in ((1, 1), (2, stride)):
            y = sym.Convolution(
                y, kernel=(3, 3), stride=(step, step), pad=(1, 1), num_filter=4, no_bias=True,
                name=f"{name}_conv{j}", workspace=256,
            )  # fmt: skip
            y = sym.BatchNorm(y, fix_gamma=False, eps=2e-5, name=f"{name}_bn{j + 1}")
            y = prelu(y, f"{name}_relu{j}") if j == 1 else y
        if stride > 1:
            x = sym.Convolution(
                x, kernel=(1, 1), stride=(2, 2), num_filter=4, no_bias=True, name=f"{name}_conv1sc"
            )
            x = sym.BatchNorm(x, fix_gamma=False, eps=2e-5, name=f"{name}_sc")
        x = y + x
    x = sym.BatchNorm(x, fix_gamma=False, eps=2e-5, momentum=0.9, name="bn1")
    x = sym.FullyConnected(sym.Dropout(x, p=0.4), num_hidden=6, name="pre_fc1")
    x = sym.BatchNorm(x, fix_gamma=True, eps=2e-5, momentum=0.9, name="fc1")
    gamma = {"fc1_gamma": np.full(6, 0.7)}
    held = checkpoint(folder, "face", x, {"data": (2, 3, 12, 10)}, gamma)
    held.example["data"] = RNG(0).integers(0, 256, (2, 3, 12, 10)).astype("float32")
    return held


def by_hash(folder):
    """The arrays lie in the file as a hash table of MXNet held them."""
    held = pyramid(folder)
    arrays = mx.nd.load(str(held.params))
    names = sorted(arrays, key=lambda name: zlib.crc32(name.encode()))
    assert names != list(arrays)
    mx.nd.save(str(held.params), {name: arrays[name] for name in names})
    return held


def residual(folder):
    """A network as they were in 2016, in which the norms have statistics of a batch."""
    x = sym.var("data")
    for i in range(2):
        y = sym.Convolution(
            x, kernel=(3, 3), pad=(1, 1), num_filter=3, no_bias=True, name=f"conv{i}",
            attr={"lr_mult": "0.5"},
        )  # fmt: skip
        y = sym.BatchNorm(y, fix_gamma=bool(i), eps=2e-5, name=f"bn{i}")
        x = sym.Activation(y + x, act_type="relu", name=f"relu{i}")
    x = sym.Pooling(x, pool_type="avg", kernel=(6, 6), global_pool=True, name="pool")
    x = sym.FullyConnected(sym.Flatten(x, name="flat"), num_hidden=4, name="fc")
    symbol = sym.SoftmaxOutput(x, name="softmax")
    return checkpoint(folder, "old", symbol, {"data": (2, 3, 6, 6), "softmax_label": (2,)})


def of_0_8(folder):
    """The file that MXNet 0.8 would have written: no statistics among the inputs of a norm."""
    held = residual(folder)
    content = json.loads(held.graph.read_text())
    nodes = content["nodes"]
    counted = {i for n in nodes if n["op"] == "BatchNorm" for i, _, _ in n["inputs"][3:]}
    left = [i for i in range(len(nodes)) if i not in counted]
    place = {old: new for new, old in enumerate(left)}
    old = [
        {
            "op": nodes[i]["op"],
            "param": {k: v for k, v in options.items() if not k.startswith("__")},
            "name": nodes[i]["name"],
            "inputs": [[place[s], n] for s, n, _ in nodes[i]["inputs"] if s in place],
            "backward_source_id": -1,
            **({"attr": notes} if (notes := notes_of(options)) else {}),
        }
        for i, options in ((i, nodes[i].get("attrs", {})) for i in left)
    ]
    text = {
        "nodes": old,
        "arg_nodes": [i for i, node in enumerate(old) if node["op"] == "null"],
        "heads": [[place[head], n] for head, n, _ in content["heads"]],
    }
    held.graph.write_text(json.dumps(text))
    return held


def notes_of(options):
    """Notes of users as they were without underlines."""
    return {name.strip("_"): value for name, value in options.items() if name.startswith("__")}


def of_0_12(folder):
    """The file that MXNet 0.12 would have written, whose options are called `attr`."""
    held = residual(folder)
    content = json.loads(held.graph.read_text())
    for node in content["nodes"]:
        if "attrs" in node:
            node["attr"] = node.pop("attrs")
    content["attrs"] = {"mxnet_version": ["int", 1200]}
    held.graph.write_text(json.dumps(content))
    return held


def lstm(width, units, name, products, steps):
    """What an LSTM that is written by hand gives at each step: its gates are i, g, f, o."""
    h, c = sym.var(f"{name}_init_h"), sym.var(f"{name}_init_c")
    found = {}
    for t in steps:
        of_x = sym.FullyConnected(width[t], *products[0], num_hidden=4 * units,
                                  name=f"{name}_t{t}_i2h")  # fmt: skip
        of_h = sym.FullyConnected(h, *products[1], num_hidden=4 * units, name=f"{name}_t{t}_h2h")
        gates = sym.SliceChannel(of_x + of_h, num_outputs=4, name=f"{name}_t{t}_slice")
        i, f, o = (sym.Activation(gates[each], act_type="sigmoid") for each in (0, 2, 3))
        c = f * c + i * sym.Activation(gates[1], act_type="tanh")
        h = found[t] = o * sym.Activation(c, act_type="tanh")
    return found


def text_line(folder, width=4, units=3, height=5, classes=6):
    """Columns of an image, read in both directions, scores of each, and WarpCTC, of a plugin."""
    data, both = sym.var("data"), []  # (n, width * height)
    columns = sym.SliceChannel(data, num_outputs=width, name="columns")
    for name, steps in (("forward", range(width)), ("backward", range(width)[::-1])):
        products = [
            [sym.var(f"{name}_{product}_{array}") for array in ("weight", "bias")]
            for product in ("i2h", "h2h")
        ]
        both.append(lstm(columns, units, name, products, steps))
    rows = [sym.Concat(*(found[t] for found in both), dim=1) for t in range(width)]
    scores = sym.FullyConnected(
        sym.Concat(*rows, dim=0, name="rows"), num_hidden=classes, name="pred_fc"
    )
    states = [f"{name}_init_{each}" for name in ("forward", "backward") for each in "hc"]
    shapes = {"data": (2, width * height), **dict.fromkeys(states, (2, units))}
    held = checkpoint(folder, "ocr", scores, shapes)
    content = json.loads(held.graph.read_text())
    nodes, (head,) = content["nodes"], content["heads"]
    nodes.append({"op": "null", "name": "label", "inputs": []})
    options = {"input_length": str(width), "label_length": "2"}
    given = [head, [len(nodes) - 1, 0, 0]]
    nodes.append({"op": "WarpCTC", "name": "warpctc0", "attrs": options, "inputs": given})
    content["arg_nodes"].append(len(nodes) - 2)
    content["heads"] = [[len(nodes) - 1, 0, 0]]
    held.graph.write_text(json.dumps(content))
    return held


def export(folder, name, net, **example):
    """A Gluon network as `export` writes it."""
    net.initialize(mx.init.Normal(0.5))
    net.hybridize()
    net(*(mx.nd.array(x, dtype=x.dtype) for x in example.values()))
    net.export(str(folder / name))
    names = ["data"] if len(example) == 1 else [f"data{i}" for i in range(len(example))]
    graph = folder / f"{name}-symbol.json"
    return Held(graph, dict(zip(names, example.values(), strict=True)))


class Tagger(gluon.HybridBlock):
    """Tokens to a tag of each, by a GRU in both directions."""

    def __init__(self):
        super().__init__(prefix="tagger_")
        with self.name_scope():
            self.embedding = gluon.nn.Embedding(11, 4)
            self.encoder = gluon.rnn.GRU(5, 2, layout="NTC", bidirectional=True, input_size=4)
            self.tags = gluon.nn.Dense(3, flatten=False)

    def hybrid_forward(self, F, tokens):
        return self.tags(self.encoder(self.embedding(tokens)))


def tagger(folder):
    return export(folder, "tagger", Tagger(), tokens=RNG(0).integers(0, 11, (2, 6)).astype("f4"))


def bert(folder):
    """Two layers, attention as one product, masked beyond the lengths."""
    tokens = RNG(0).integers(0, 13, (2, 6)).astype("float32")
    types = RNG(1).integers(0, 2, (2, 6)).astype("float32")
    lengths = np.array([6, 3], "float32")
    net = BERT(prefix="bert_")
    return export(folder, "bert", net, tokens=tokens, types=types, lengths=lengths)


class YoloHead(gluon.HybridBlock):
    """Boxes of one scale: centres by offsets, sizes by anchors, scores, and the best of all."""

    def __init__(self, classes=3, stride=8, anchors=((10, 13), (16, 30), (33, 23)), size=8):
        super().__init__(prefix="yolo_")
        self.classes, self.stride, self.count = classes, stride, len(anchors)
        grid = np.stack(np.meshgrid(np.arange(size), np.arange(size)), axis=-1)
        with self.name_scope():
            self.body = gluon.nn.HybridSequential(prefix="body_")
            with self.body.name_scope():
                self.body.add(gluon.nn.Conv2D(6, 3, 2, 1, use_bias=False), gluon.nn.BatchNorm())
                self.body.add(gluon.nn.LeakyReLU(0.1))
            self.prediction = gluon.nn.Conv2D(self.count * (classes + 5), 1)
            known = np.reshape(anchors, (1, 1, -1, 2)).astype("float32")
            self.anchors = self.params.get_constant("anchors", known)
            self.offsets = self.params.get_constant("offsets", grid[None, None].astype("float32"))

    def hybrid_forward(self, F, x, anchors, offsets):
        x = self.body(x)
        grid = F.slice_like(offsets, x * 0, axes=(2, 3)).reshape((1, -1, 1, 2))
        x = self.prediction(x).reshape((0, self.count * (self.classes + 5), -1))
        x = x.transpose((0, 2, 1)).reshape((0, -1, self.count, self.classes + 5))
        centres = x.slice_axis(axis=-1, begin=0, end=2)
        sizes = x.slice_axis(axis=-1, begin=2, end=4)
        certain = F.sigmoid(x.slice_axis(axis=-1, begin=4, end=5))
        centres = F.broadcast_add(F.sigmoid(centres), grid) * self.stride
        sizes = F.broadcast_mul(F.exp(sizes), anchors) / 2
        boxes = F.concat(centres - sizes, centres + sizes, dim=-1)
        scores = F.broadcast_mul(F.sigmoid(x.slice_axis(axis=-1, begin=5, end=None)), certain)
        boxes = F.tile(boxes, (self.classes, 1, 1, 1, 1))
        scores = F.transpose(scores, (3, 0, 1, 2)).expand_dims(axis=-1)
        ids = F.broadcast_add(scores * 0, F.arange(self.classes).reshape((0, 1, 1, 1, 1)))
        found = F.concat(ids, scores, boxes, dim=-1).reshape((0, 0, -3, -1))
        found = found.transpose((1, 0, 2, 3)).reshape((0, -3, -1))
        found = F.contrib.box_nms(
            found, overlap_thresh=0.45, valid_thresh=0.01, topk=20, id_index=0, score_index=1,
            coord_start=2, force_suppress=False,
        )  # fmt: skip
        found = found.slice_axis(axis=1, begin=0, end=10)
        return tuple(
            found.slice_axis(axis=-1, begin=first, end=last)
            for first, last in ((0, 1), (1, 2), (2, 6))
        )


def yolo(folder):
    return export(folder, "yolo", YoloHead(), x=RNG(0).normal(size=(2, 3, 8, 10)).astype("f4"))


KINDS = {
    each.__name__: each
    for each in (
        *(
            classifier,
            proposals,
            pyramid,
            identity,
            by_hash,
            of_0_8,
            of_0_12,
            text_line,
            tagger,
            bert,
        ),
        yolo,
    )
}
