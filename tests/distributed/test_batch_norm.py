"""BatchNorm: each worker normalises its share; at the end all have the first one's numbers."""

import numpy as np
import pytest

from testbed.common import HERE
from testbed.launching import ENGINES, IN_ONE_PROCESS, launch


@pytest.mark.parametrize("engine", ENGINES)
def test_all_end_with_the_statistics_of_the_first(engine, tmp_path):
    if ENGINES[engine] not in HERE:
        pytest.skip(f"{ENGINES[engine]} is not installed")
    how = ["distributed=fsdp"] * (engine == "fsdp")
    given = ("net=normed", "epochs=2", "looked=1", *how)
    launch(
        engine,
        2,
        "distributed_program.py",
        ENGINES[engine],
        tmp_path / "all.npz",
        *given,
        timeout=120,
    )
    first, *others = (np.load(file) for file in sorted(tmp_path.glob("all*.npz")))
    assert len(others) == (0 if engine in IN_ONE_PROCESS else 1)
    assert np.isfinite(first["sgd.losses"]).all()
    for other in others:
        assert other.files == first.files
        for name in first.files:
            np.testing.assert_array_equal(other[name], first[name])
