"""What TensorFlow saves is refused, and the way that the error gives is one: it is tried here."""

import re

import numpy as np
import pytest

import unified_blocks as ub
from unified_blocks.errors import FileFormatError


def refused(path):
    """The code in the error about `path`."""
    with pytest.raises(
        FileFormatError, match=r"must be a file that tells what its layers"
    ) as found:
        ub.read_state(path)
    return re.search(r"restore it, (.+), and use the model itself", str(found.value))[1]


@pytest.mark.parametrize("inside", [[], ["model.safetensors", "config.json"]])
def test_a_folder_is_no_file(tmp_path, inside):
    for name in inside:
        (tmp_path / name).write_text("")
    shown = ", ".join(sorted(inside)) or "it is empty"
    with pytest.raises(
        FileFormatError, match=f"got a folder: give one of the files in it: {shown}"
    ):
        ub.read_state(tmp_path)


def test_what_does_not_exist_is_still_no_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        ub.read_state(tmp_path / "c-1")


@pytest.mark.parametrize("name", ["net.data-00000-of-00001", "net.index"])
def test_a_file_of_numbers_may_be_called_like_one_of_a_checkpoint(tmp_path, name):
    ub.write_state({"a.weight": np.ones(2)}, tmp_path / "a.pt")
    (tmp_path / "a.pt").rename(tmp_path / name)
    assert list(ub.read_state(tmp_path / name)) == ["a.weight"]


def saved(folder, model, how):
    """What a way of saving makes: the paths that one may give, all of the same."""
    import tensorflow as tf

    if how == "checkpoint":
        prefix = tf.train.Checkpoint(model).write(str(folder / "c"))
        return [prefix, f"{prefix}.index", f"{prefix}.data-00000-of-00001", folder]
    if how == "export":
        model.export(folder, verbose=False)
    else:
        tf.saved_model.save(model, str(folder))
    return [folder, folder / "saved_model.pb", folder / "variables", folder / "variables/variables"]


@pytest.mark.parametrize("how", ["checkpoint", "saved_model", "export"])
def test_the_way_that_is_given_is_one(tmp_path, how):
    tf = pytest.importorskip("tensorflow", reason="tensorflow is not installed")
    keras = pytest.importorskip("keras", reason="tensorflow is not installed")

    def make():
        layers = keras.layers
        found = [layers.Input((3,)), layers.Dense(4), layers.BatchNormalization(), layers.Dense(2)]
        return keras.Sequential(found)

    source = make()
    generator = np.random.default_rng(0)
    source.set_weights([generator.normal(size=w.shape) for w in source.get_weights()])
    for path in saved(tmp_path / "saved", source, how):
        model = make()
        exec(refused(path), {"tf": tf, "model": model})
        for new, old in zip(model.get_weights(), source.get_weights(), strict=True):
            np.testing.assert_array_equal(new, old)
