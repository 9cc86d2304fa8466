"""Networks of GluonCV as PyTorch and Keras: each layer is equal to MXNet's in float64.

All classifiers, poses and segmentations, YOLOv3 and SSD; only in a soak, since there are 197 of
them. `python -m benchmarks.gluoncv_ports` prints the table, and says what must be installed.
"""

import gc

import pytest

import unified_blocks as ub
from testbed.hostile import SOAK

if "mxnet" not in ub.available_backends():
    pytest.skip("mxnet is not installed", allow_module_level=True)
if not SOAK:
    pytest.skip("a soak takes hours of it", allow_module_level=True)
ub.get_backend("mxnet")  # before GluonCV imports MXNet

from benchmarks import gluoncv_ports

with gluoncv_ports.without_torch():
    pytest.importorskip("gluoncv", exc_type=ImportError)

KINDS = ("classifier", "pose", "segmentation", "YOLO", "SSD")
UNMADE = dict.fromkeys(
    ("resnet50_v1b_gn", "resnet101_v1b_gn"), "MXNet itself makes no graph of its norms of groups"
)


def test_each_kind_is_there():
    counts = {kind: len(gluoncv_ports.names(kind)) for kind in KINDS}
    assert counts == {"classifier": 129, "pose": 14, "segmentation": 31, "YOLO": 6, "SSD": 17}


@pytest.mark.parametrize("name", gluoncv_ports.names(*KINDS))
def test_a_network(name, backend_name):
    if backend_name == "mxnet":
        pytest.skip("it is ported from there")
    if name in UNMADE:
        pytest.skip(UNMADE[name])
    row = gluoncv_ports.ported(name, backend_name)
    gc.collect()
    assert row.is_equal, row.outcome
