"""Opens pickles and `.keras` files of portable blocks; run in a process of its own."""

import pickle
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

import testbed.portable  # noqa: F401  # the classes that the files name
import unified_blocks as ub

backend, folder = sys.argv[1], Path(sys.argv[2])
x = np.random.default_rng(0).normal(size=(3, 6)).astype("float32")
opened = 0
for path in sorted(folder.glob("*.keras")):
    import keras

    import unified_blocks_tensorflow  # noqa: F401  # registers them

    net = keras.models.load_model(path)
    assert (ub.to_numpy(net(x)) == np.load(path.with_suffix(".npy"))).all(), path
    opened += 1
for path in sorted(folder.glob("*.pickle")):
    net, expected = pickle.loads(path.read_bytes())
    assert ub.backend_of(net).name == backend
    assert (ub.to_numpy(net(ub.from_numpy(x, backend))) == expected).all(), path
    opened += 1
print(opened)
