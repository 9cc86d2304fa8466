"""Load SavedModels without this library, and compare what they compute; prints how many."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import tensorflow as tf

assert importlib.util.find_spec("keras") is not None
for name in ("unified_blocks", "unified_blocks_tensorflow"):
    sys.modules[name] = None  # an import of it fails
folders = sorted(Path(sys.argv[1]).glob("*.model"))
for folder in folders:
    loaded = tf.saved_model.load(str(folder))
    x, expected = (np.load(folder.with_suffix(f".{end}.npy")) for end in ("x", "y"))
    function = loaded.signatures["serving_default"]
    (name,) = function.structured_input_signature[1]
    (y,) = function(**{name: tf.constant(x)}).values()
    np.testing.assert_allclose(y, expected, rtol=1e-5, atol=1e-6, err_msg=folder.name)
print(len(folders))
