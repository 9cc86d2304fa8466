"""`BackendContract` catches mistakes, one planted for each promise, and holds a fourth backend."""

import inspect
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

import unified_blocks as ub
from pytest_unified_blocks import BackendContract
from testbed.where import TESTS
from unified_blocks.backend.dlpack import viewed
from unified_blocks.equivalence.matrix.cases import CASES

pytest_plugins = ["pytester"]
BY_NAME = {case.name: case for case in CASES}


def test_a_fourth_backend_keeps_what_it_promises_and_skips_what_it_lacks(tmp_path):
    empty = tmp_path / "pytest.ini"
    empty.write_text("[pytest]\n", encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if name != "PYTEST_ADDOPTS"}
    path = filter(None, [str(TESTS / "toy"), os.environ.get("PYTHONPATH")])
    command = [sys.executable, "-m", "pytest", "-p", "pytest_unified_blocks.plugin", "-q", "-ra"]
    command += ["--backend=toyframe", "-c", empty, "-W", "ignore", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, TESTS / "toy" / "contract_toyframe.py"],
        env={**environment, "PYTHONPATH": os.pathsep.join(path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    assert "gradients: Toyframe: it is for inference" in done.stdout
    assert "Toyframe has no ops.gelu: " in done.stdout
    passed = int(done.stdout.split(" passed")[0].split()[-1])
    assert passed > 90


def of(method, change):
    """A mistake: what `method` gives is changed by `change(found, *arguments)`."""
    return (
        method,
        lambda original: lambda *args, **kwargs: change(original(*args, **kwargs), *args, **kwargs),
    )


def swapped(variables, net):
    return variables[::-1]


def doubled_loss(function, loss):
    return lambda *tensors: 2 * function(*tensors)


def doubled(found, net, *args, **kwargs):
    value, gradients = found
    return value, {name: 2 * gradient for name, gradient in gradients.items()}


def rounded(array, tensor):
    return array.astype("float32").astype(array.dtype) if array.dtype.kind == "f" else array


def renamed(layers, net):
    return ((f"{path}_", layer) for path, layer in layers)


def twice(layers, net):
    layers = list(layers)
    return [*layers, *layers[1:]]


def train_only(original):
    return lambda net, inputs, train=False: original(net, inputs, True)


def quiet(original):
    from contextlib import nullcontext

    return lambda net, begins, ends: nullcontext()


def wrong_graph(original):
    def graph(net, kind, dynamic=False):
        right = original(net, kind, dynamic)
        return lambda *inputs: right(*inputs) * 1.001

    return graph


def remembered(original):
    known = {}
    return lambda tensor: known.setdefault(id(tensor), original(tensor))


def faster(original):
    return lambda net, optimizer, loss, *options: original(
        net, replace(optimizer, learning_rate=2 * optimizer.learning_rate), loss, *options
    )


def copied(original):
    return lambda tensor, read_only: viewed(original(tensor, read_only)).copy()


def of_a_copy(original):
    return lambda source, seen, device=None: original(seen.copy(), seen, device)


MISTAKES = [
    ("test_to_numpy_copies", "to_numpy", remembered),
    ("test_what_it_exports_is_its_own_memory", "exported", copied),
    ("test_what_it_imports_is_the_same_memory", "imported", of_a_copy),
    ("test_an_optimizer_is_its_formula", "training_step", faster),
    ("test_tensors_keep_numbers_shape_and_dtype", *of("to_numpy", lambda a, t: a.ravel())),
    ("test_tensors_keep_numbers_shape_and_dtype", *of("to_numpy", rounded)),
    ("test_what_is_no_tensor_is_none", *of("is_tensor", lambda found, value: True)),
    ("test_everything_is_on_its_device", *of("device_of", lambda found, tensor: "gpu:9")),
    ("test_everything_is_on_its_device", *of("devices", lambda found: ["gpu:0", *found])),
    ("test_an_unknown_device_is_an_error", "to_device", lambda original: lambda net, d: net),
    ("test_variables_are_canonical", *of("variables", swapped)),
    ("test_a_shared_layer_is_there_once", *of("variables", lambda found, net: found * 2)),
    ("test_layers_are_named_as_their_attributes", *of("layers", renamed)),
    ("test_layers_are_named_as_their_attributes", *of("layers", twice)),
    ("test_layers_are_named_as_their_attributes", *of("kind_of", lambda kind, layer: kind.lower())),
    ("test_run_chooses_the_mode_for_one_call", "run", train_only),
    ("test_watch_tells_of_every_call", "watch", quiet),
    ("test_compiled_is_eager", "graph", wrong_graph),
    ("test_gradients_are_the_reference", *of("value_and_grad", doubled)),
    (
        "test_a_loss_is_its_definition",
        *of("loss_function", doubled_loss),
    ),
    ("test_a_cast_model_has_the_rounded_numbers", "cast", lambda original: lambda net, dtype: net),
]


@pytest.mark.parametrize(("test", "method", "mistake"), MISTAKES)
def test_a_mistake_is_caught(
    backend_name, backend, request, monkeypatch, tmp_path, test, method, mistake
):
    """Each test passes on the backend as it is, and fails with the mistake."""

    class Contract(BackendContract):
        name = backend_name

    given = {"request": request, "backend": backend, "tmp_path": tmp_path}
    given |= {"kind": "float64", "shape": (2, 3), "value": np.ones(2), "dtype": "float64"}
    given |= {"train": False, "optimizer": ub.SGD(0.1)}
    given |= {"case": BY_NAME["FixedHiddenMLP" if "compiled" not in test else "MLP"], "loss": "mse"}
    call = getattr(Contract(), test)
    arguments = {name: given[name] for name in inspect.signature(call).parameters}
    call(**arguments)
    monkeypatch.setattr(backend, method, mistake(getattr(backend, method)))
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        call(**arguments)


def test_memory_that_is_shared_is_caught(backend, monkeypatch):
    monkeypatch.setattr(backend, "from_numpy", lambda array, device=None: array)
    monkeypatch.setattr(backend, "to_numpy", np.array)
    with pytest.raises(AssertionError):
        BackendContract().test_from_numpy_copies(backend)


def test_an_error_in_the_framework_s_own_words_is_caught(backend, monkeypatch):
    errors = backend.call_errors
    monkeypatch.setattr(type(backend), "call_errors", ())
    with pytest.raises(errors) as caught:
        BackendContract().test_a_wrong_width_is_an_error_that_names_both(backend)
    assert not isinstance(caught.value, ub.InputError)


def test_lacks_in_unknown_words_are_caught(backend_name, backend, monkeypatch):
    monkeypatch.setattr(type(backend), "lacks", {"telepathy": "who knows"})
    with pytest.raises(AssertionError):
        BackendContract().test_what_it_lacks_is_said_in_known_names(backend)


@pytest.mark.parametrize("line", ["pass", 'name = "nowhere"'])
def test_one_without_a_registered_name_is_an_error_at_collection(pytester, line):
    pytester.makepyfile(
        f"""
        from pytest_unified_blocks import BackendContract
        class TestIt(BackendContract):
            {line}
        """
    )
    done = pytester.runpytest("-p", "pytest_unified_blocks.plugin", "-p", "no:unraisableexception")
    message = "*TestIt must set name to that of a registered backend, one of torch, tensorflow*"
    done.stdout.fnmatch_lines([message])
