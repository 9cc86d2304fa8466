"""scikit-learn, and skorch between it and PyTorch: a grid is searched in other processes.

`testbed/main_estimators.py` is the program. It has a hand-written native model too.
"""

import pytest

import unified_blocks as ub
from testbed.programs import program


def test_a_grid_is_searched_in_other_processes(backend_name):
    pytest.importorskip("sklearn")
    program("main_estimators.py", "sklearn", backend_name)


def test_skorch_searches_as_for_a_hand_written_module(backend_name):
    pytest.importorskip("skorch")
    if backend_name != "torch":
        pytest.skip("skorch is for PyTorch")
    program("main_estimators.py", "skorch", backend_name)


def test_joblib_keeps_a_block_in_a_file(backend_name, tmp_path):
    joblib = pytest.importorskip("joblib")
    net = ub.build(ub.MySequential(ub.Dense(4), ub.FixedHiddenMLP(4)), (2, 3))
    joblib.dump({"net": net, "class": type(net)}, tmp_path / "net.joblib")
    found = joblib.load(tmp_path / "net.joblib")
    assert found["class"] is type(found["net"]) is type(net)
    assert ub.diff_state(found["net"], net).equal
