"""Open the files of a folder and compare what they compute; prints how many there were."""

import pickle
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

import unified_blocks as ub
from testbed import nets
from testbed.common import normal, run

backend_name, folder, kind = sys.argv[1:]
with ub.use_backend(backend_name):
    nets.native()
X = normal(3, 6)
files = list(Path(folder).glob(f"*.{kind}"))
for file in files:
    if kind == "pickle":
        net, expected = pickle.loads(file.read_bytes())
    else:
        import keras

        nets.Scaled.on("tensorflow")
        net = keras.models.load_model(file)
        numbers = file.with_suffix(".npy")
        expected = np.load(numbers) if numbers.exists() else None
    assert ub.backend_of(net).name == backend_name
    found = run(net, X)
    if expected is not None:
        np.testing.assert_array_equal(found, expected, err_msg=file.name)
print(len(files))
