"""A mixed policy of Keras as a dtype: honoured on TensorFlow, refused on other frameworks."""

import pytest

import unified_blocks as ub
from testbed.portable import Residual

POLICY = "mixed_bfloat16"

MAKE = {
    "dtype": lambda: ub.MLP(dtype=POLICY),
    "a container": lambda: ub.use_dtype(POLICY)(lambda: ub.MySequential(ub.ReLU()))(),
    "a portable block": lambda: ub.use_dtype(POLICY)(lambda: Residual(3))(),
    "cast": lambda: ub.cast(ub.build(ub.MLP(), (2, 3)), POLICY),
}


@pytest.mark.parametrize("make", MAKE.values(), ids=MAKE)
def test_it_is_refused_where_there_are_no_such_policies(backend_name, backend, make):
    if "mixed-precision" not in backend.lacks:
        pytest.skip("the framework has them")
    with pytest.raises(ub.UnsupportedError) as error:
        make()
    assert str(error.value) == (
        f"on {backend.title} a dtype must be one of bfloat16, float16, float32, float64; got "
        "'mixed_bfloat16', which computes in half and keeps float32 variables: use \"float32\"; a "
        'model that has it becomes that by ub.cast(net, "float32")'
    )


def test_a_mixed_block_goes_to_another_framework_when_it_was_cast(backend_name, backend, tmp_path):
    if "mixed-precision" not in backend.lacks or "tensorflow" not in ub.available_backends():
        pytest.skip("from TensorFlow to another framework")
    net = ub.build(ub.MLP.on("tensorflow")(5, 2, dtype=POLICY), (2, 3))
    ub.save(net, tmp_path / "net.safetensors")
    with pytest.raises(ub.UnsupportedError, match="computes in half"):
        ub.convert(net, backend_name)
    with pytest.raises(ub.UnsupportedError, match="computes in half"):
        ub.load(tmp_path / "net.safetensors", backend=backend_name)
    made = ub.convert(ub.cast(net, "float32"), backend_name)
    assert {array.dtype.name for array in ub.state(made).values()} == {"float32"}


def test_an_unknown_policy(backend_name):
    with pytest.raises(ValueError, match=r"dtype must be one of bfloat16, .*; got dtype='mixed'"):
        ub.MLP(dtype="mixed")
