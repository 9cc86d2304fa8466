"""TensorFlow with two logical CPUs: is everything on the second one? Prints how many nets were."""

import sys
from pathlib import Path

import tensorflow as tf

cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)

sys.path.insert(0, str(Path(__file__).parent.parent))

import unified_blocks as ub
from testbed.placement import LeftBehind, assert_placed
from unified_blocks.equivalence.matrix.cases import CASES


class StaysOnTheFirst(LeftBehind):
    def __init__(self, units):
        with tf.device("/cpu:0"):
            super().__init__(units)


with ub.use_backend("tensorflow"):
    if sys.argv[1] == "1":
        assert_placed(ub.to_device(StaysOnTheFirst(20), "cpu:1"), "cpu:1", CASES[2], "float32")
    for case in CASES:
        net = ub.to_device(ub.build(case.make(), case.input_shape), "cpu:1")
        assert_placed(net, "cpu:1", case, "float32")
print(len(CASES))
