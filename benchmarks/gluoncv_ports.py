"""Which networks of GluonCV can be ported, and how far the ports are from MXNet.

    python -m benchmarks.gluoncv_ports --to torch
    python -m benchmarks.gluoncv_ports --to tensorflow yolo3_darknet53_voc "*_coco"

Prints a table in Markdown, a row for each network. All numbers are drawn, nothing is downloaded;
each layer is compared in float64 with what MXNet computes. Needs `gluoncv==0.10.5.post0`, installed
without what it declares to need, and `autocfg`, `portalocker`, `tqdm` and `yacs`, which it imports.
"""

from __future__ import annotations

import argparse
import gc
import re
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cache
from types import ModuleType
from typing import Any

import numpy as np

import unified_blocks as ub
from unified_blocks.errors import UnifiedBlocksError

DATA = r"_(coco|voc|ade|citys|mhpv1)$"
KINDS = {
    "": r"int8|custom|kinetics|ucf101|hmdb51|sthsth|rcnn|siamrpn|posenet",
    "pose": r"pose",
    "YOLO": r"^yolo",
    "SSD": r"^ssd",
    "CenterNet": r"^center_net",
    "depth": r"^monodepth",
    "segmentation": rf"{DATA}|^hrnet\w+_s$",
    "classifier": r"",
}
"""What a network is for, by a pattern of its name; the first counts.

The first are left out: those in int8, those that a user completes, and what needs other networks'
numbers or a loop over what it finds.
"""
SIZES = {
    r"^cifar": (32, 32),
    r"^(inception|xception|nasnet_4|resnest269)": (299, 299),
    r"^nasnet": (331, 331),
    r"^(simple|mobile|alpha)_pose": (256, 192),
    r"^monodepth": (192, 640),
    r"^ssd_(300|512_vgg16)": (300, 300),
    r"^(yolo|center_net|ssd)": (128, 128),
}
"""Heights and widths of the images that are given, 224 for others."""
CROP = 128
"""The size of the images of a network that segments them, which is made for one size."""


@contextmanager
def without_torch() -> Iterator[None]:
    """Inside the `with`, PyTorch cannot be imported: GluonCV refuses each that is newer than it."""
    held = {name: module for name, module in sys.modules.items() if name == "torch"}
    sys.modules["torch"] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules["torch"]
        sys.modules.update(held)


@cache
def gluoncv() -> Any:
    """The module of its networks, with the names of NumPy that it was written for."""
    ub.get_backend("mxnet")  # before anyone imports MXNet: it needs the NumPy of its time
    with without_torch(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import gluoncv.model_zoo.model_zoo as found

    numpy_of_then = ModuleType("numpy")
    vars(numpy_of_then).update({**vars(np), "int": int, "float": float, "bool": bool})
    for name, module in list(sys.modules.items()):
        if name.startswith("gluoncv") and getattr(module, "np", None) is np:
            module.np = numpy_of_then  # type: ignore[attr-defined]
    return found


def kind_of(name: str) -> str:
    """What a network is for; empty of one that is left out."""
    return next(kind for kind, pattern in KINDS.items() if re.search(pattern, name))


def names(*kinds: str) -> list[str]:
    """The networks of GluonCV of some kinds, or of all that are not left out."""
    wanted = kinds or tuple(filter(None, KINDS))
    return sorted(name for name in gluoncv()._models if kind_of(name) in wanted)


def size_of(name: str) -> tuple[int, int]:
    """The height and width of the images that a network is given."""
    if kind_of(name) == "segmentation":
        return CROP, CROP
    return next((size for pattern, size in SIZES.items() if re.search(pattern, name)), (224, 224))


def network(name: str) -> Any:
    """A network of GluonCV with drawn numbers, statistics too."""
    from unified_blocks_mxnet.compat import mx

    class Drawn(mx.init.Xavier):  # type: ignore[misc]
        """Xavier's; arrays of one axis, for which there is none, are drawn after it."""

        def _init_weight(self, name: Any, array: Any) -> None:
            if array.ndim > 1:
                super()._init_weight(name, array)

    options: dict[str, Any] = {"pretrained": False, "pretrained_base": False}
    if kind_of(name) == "segmentation":
        options.update(base_size=CROP, crop_size=CROP, height=CROP, width=CROP)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        net = made(name, options)
    net.initialize(Drawn(magnitude=2))
    net(mx.nd.zeros((1, 3, *size_of(name))))
    rng = np.random.default_rng(0)
    for path, parameter in net._collect_params_with_prefix().items():
        around = 1 if path.endswith(("gamma", "_var")) else 0
        if not path.endswith("weight") and not isinstance(parameter, mx.gluon.Constant):
            drawn = rng.uniform(around - 0.1, around + 0.1, parameter.shape)
            parameter.set_data(mx.nd.array(drawn))
    return net


def made(name: str, options: dict[str, Any]) -> Any:
    """A network with those of the options that its function takes."""
    while True:
        try:
            return gluoncv().get_model(name, **options)
        except (TypeError, Warning) as error:
            found = re.search(r"unexpected keyword argument '(\w+)'", str(error))
            wrong = found.group(1) if found else next(reversed(options), "")
            if wrong not in options:
                raise
            del options[wrong]


@dataclass(frozen=True)
class Row:
    """What became of a network.

    Attributes:
        name: of the network.
        kind: what it is for.
        outcome: how far its outputs and its layers are from MXNet's, or why it has no port.
        lines: of its source.
        is_equal: whether each layer is within its tolerance.
    """

    name: str
    kind: str
    outcome: str
    lines: int = 0
    is_equal: bool = False

    def __str__(self) -> str:
        lines = f"{self.lines:,}" if self.lines else ""
        return f"| `{self.name}` | {self.kind} | {lines} | {self.outcome} |"


HEAD = "| network | kind | lines | largest difference |\n|---|---|---:|---|"


def ported(name: str, to: str) -> Row:
    """What becomes of one network."""
    example = np.random.default_rng(1).normal(size=(1, 3, *size_of(name)))
    try:
        port = ub.port(network(name), to, example=example.astype("float32"))
        proof = port.prove()
    except Exception as error:  # whatever it is, the table goes on
        kind = "" if isinstance(error, UnifiedBlocksError) else f"{type(error).__name__}: "
        return Row(name, kind_of(name), kind + " ".join(str(error).split()))
    worst = max(row.error for row in proof.rows)
    words = f"{worst:.1e}" if proof.ok else proof.summary
    return Row(name, kind_of(name), words, len(port.source.splitlines()), proof.ok)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gluoncv_ports")
    parser.add_argument("names", nargs="*", default=["*"], help="of networks, or patterns")
    parser.add_argument("--to", default="torch", help="torch or tensorflow")
    options = parser.parse_args()
    wanted = [name for name in names() if any(fnmatch(name, each) for each in options.names)]
    print(HEAD)
    equal = 0
    for name in wanted:
        start = time.perf_counter()
        row = ported(name, options.to)
        equal += row.is_equal
        print(row, flush=True)
        print(f"{name}: {time.perf_counter() - start:.0f} s", file=sys.stderr, flush=True)
        gc.collect()
    print(f"\n{equal} of {len(wanted)} are equal.")


if __name__ == "__main__":
    main()
