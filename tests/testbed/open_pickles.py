"""Opens the pickles of a folder, of models with their outputs and of classes, in a process."""

import pickle
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

import unified_blocks as ub
from testbed.common import normal

backend = ub.backend_of(ub.from_numpy(np.zeros(1), sys.argv[1]))
x = backend.from_numpy(normal(3, 6))
files = list(Path(sys.argv[2]).glob("*.pickle"))
for file in files:
    data = file.read_bytes()
    for _ in range(2):
        net, expected = pickle.loads(data)
        assert ub.backend_of(net) is backend
        found = backend.to_numpy(backend.run(net, [x]))
        np.testing.assert_array_equal(found, expected, err_msg=file.name)
ub.set_backend(backend.name)
for _ in range(2):
    for cls in pickle.loads(Path(sys.argv[2], "classes").read_bytes()):
        net = cls()
        assert type(net) is cls or issubclass(type(net), cls)
        assert ub.backend_of(net) is backend
        if cls.__name__ != "Twin" or backend.name != "mxnet":  # which has to be initialised
            backend.run(net, [x])
print(len(files))
