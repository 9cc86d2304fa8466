"""The networks of Gluon's model zoo, and what is packed of them: `python tests/testbed/zoo.py`."""

import inspect
import io
import json
import re
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import numpy as np

import unified_blocks as ub
from unified_blocks_mxnet.compat import mx

vision = mx.gluon.model_zoo.vision
NAMES = sorted(re.findall(r"'([\w.]+)': \w+", inspect.getsource(vision.get_model)))
OF_EACH_FAMILY = (
    *("resnet18_v1", "resnet18_v2", "mobilenetv2_0.25", "squeezenet1.1", "densenet121"),
    "alexnet",
)
"""Small networks with what all others are made of, but for Inception's branches."""
SMALLEST = {
    **{name: 32 for name in NAMES if name.startswith(("vgg", "resnet", "mobilenet"))},
    **{name: 64 for name in NAMES if name.startswith("alexnet")},
    "inceptionv3": 299,
}
"""Sizes of images for which a network gives something; 224 for others."""


def size_of(name):
    """The size of images that a network was made for."""
    return 299 if name == "inceptionv3" else 224


def network(name, size=None, scale=0.1):
    """A network of the zoo for images of this size; all its numbers are random, statistics too."""
    with mx.name.NameManager():  # so that its arrays are called alike each time
        net = vision.get_model(name, classes=1000)
    size = SMALLEST.get(name, 224) if size is None else size
    net.initialize(mx.init.Xavier(magnitude=2))
    net(mx.nd.zeros((1, 3, size, size))).wait_to_read()
    rng = np.random.default_rng(0)
    for path, parameter in net._collect_params_with_prefix().items():
        kind = path.rpartition(".")[2]
        around = 1 if kind in ("gamma", "running_var") else 0
        if kind != "weight":
            drawn = rng.uniform(around - scale, around + scale, parameter.shape)
            parameter.set_data(mx.nd.array(drawn))
    return net


def content_of(name):
    """What is packed of a network."""
    net = network(name)
    size = SMALLEST.get(name, 224)
    traced = ub.get_backend("mxnet").trace(net, [np.zeros((1, 3, size, size), "float32")])
    symbol = json.loads(traced.graph)
    for node in symbol["nodes"]:
        if node["op"] == "null":
            node.pop("attrs", None)  # another number of classes is another shape
        if node["name"] == "data":
            shape = (1, 3, size_of(name), size_of(name))
            node["attrs"] = {"__shape__": str(shape)}
    return {
        "kind": traced.name,
        "names": {key: ".".join(path) for key, path in traced.names.items()},
        "symbol": {key: symbol[key] for key in ("nodes", "heads", "attrs")},
    }


def main():
    """Pack the zoo anew."""
    written = io.BytesIO()
    with ZipFile(written, "w", ZIP_DEFLATED, compresslevel=9) as archive:
        for name in NAMES:
            entry = ZipInfo(f"{name}.json")
            entry.compress_type = ZIP_DEFLATED
            content = json.dumps(content_of(name), separators=(",", ":"))
            archive.writestr(entry, content, compresslevel=9)
    folder = Path(__file__).parents[2] / "unified_blocks" / "porting" / "zoo"
    (folder / "graphs.zip").write_bytes(written.getvalue())


if __name__ == "__main__":
    main()
