"""`BlockContract` catches mistakes, one planted for each of its tests, and says what to do."""

import inspect

import pytest

import unified_blocks as ub
from pytest_unified_blocks import BlockContract
from testbed import contract_mistakes as mistakes
from testbed.common import layer

pytest_plugins = ["pytester"]
several = pytest.mark.skipif(
    len(ub.available_backends()) < 2, reason="fewer than two frameworks are installed"
)


def contract(make_block, **attributes):
    """A contract for a block, not collected: its tests are called."""
    members = {"input_shape": (3, 4), "make": lambda self: make_block(), **attributes}
    return type("Contract", (BlockContract,), members)()


@pytest.fixture
def call(request, backend_name, backend, tmp_path):
    """Call a test of a contract, in float64 on the CPU."""
    given = {"request": request, "backend_name": backend_name, "backend": backend}
    given |= {"tmp_path": tmp_path, "device": "cpu", "dtype": "float64", "how": "deepcopy"}

    def call(of, test):
        method = getattr(of, test)
        return method(**{name: given[name] for name in inspect.signature(method).parameters})

    return call


TESTS = [name for name in vars(BlockContract) if name.startswith("test_")]


@pytest.mark.parametrize("test", TESTS)
def test_a_right_block_passes(call, test):
    call(contract(mistakes.Right, output_shape=(3, 3)), test)


ALONE = [
    ("test_output_has_the_shape_and_dtype", mistakes.Rounded, "float32"),
    ("test_forward_is_the_reference", mistakes.OffReference, "output: differs from the reference"),
    ("test_gradients_are_the_reference", mistakes.WrongGradient, "gradient of .*the reference"),
    ("test_parameters_are_trained_and_constants_are_not", mistakes.Drifting, "scale was trained"),
    ("test_a_call_leaves_nothing_behind", mistakes.Counting, None),
    ("test_saved_and_loaded", mistakes.Drawn, "outputs are not the same"),
    ("test_a_copy_is_the_same_and_independent", mistakes.SameCopy, "changed the original"),
    ("test_compiled_is_eager", mistakes.WrongGraph, "differs from the eager call"),
]


@pytest.mark.parametrize(
    ("test", "block", "message"), ALONE, ids=lambda v: getattr(v, "__name__", v)
)
def test_a_mistake_is_caught(call, backend_name, test, block, message):
    with pytest.raises(AssertionError, match=message):
        call(contract(lambda: block(backend_name)), test)


BESIDE_ANOTHER = [
    ("test_names_and_numbers_are_the_same_everywhere", mistakes.Renamed, "names and roles"),
    ("test_names_and_numbers_are_the_same_everywhere", mistakes.DrawnConstant, "offset, against"),
    ("test_forward_agrees", mistakes.Different, "output: differs from"),
    ("test_gradients_agree", mistakes.WrongGradient, "gradient of .*: differs from"),
    ("test_training_agrees", mistakes.WrongGradient, "losses: differs from"),
    ("test_converted_there_and_back", mistakes.Drawn, "on .*Deviation"),
]


@several
@pytest.mark.parametrize(
    ("test", "block", "message"), BESIDE_ANOTHER, ids=lambda v: getattr(v, "__name__", v)
)
def test_a_mistake_on_one_backend_is_caught_beside_another(
    call, backend_name, test, block, message
):
    with pytest.raises(AssertionError, match=message):
        call(contract(lambda: block(backend_name)), test)


def test_a_changed_input_is_caught(call, backend_name):
    if backend_name == "tensorflow":
        pytest.skip("TensorFlow's tensors cannot be changed")
    with pytest.raises(AssertionError, match="changed by a call"):
        call(contract(mistakes.InPlace), "test_the_input_stays_as_it_is")


def test_another_shape_than_the_declared_one_is_caught(call):
    with pytest.raises(AssertionError):
        call(contract(mistakes.Right, output_shape=(3, 4)), "test_output_has_the_shape_and_dtype")


def test_a_model_that_is_no_block_is_caught(call, backend_name):
    with pytest.raises(AssertionError):
        call(contract(lambda: layer(backend_name, 3)), "test_it_is_a_native_object")


def test_a_block_of_another_backend_is_caught(call, backend_name):
    others = [name for name in ub.available_backends() if name != backend_name]
    if not others:
        pytest.skip("only one framework is installed")
    with pytest.raises(AssertionError):
        call(contract(mistakes.Right.on(others[0])), "test_it_is_a_native_object")


def test_a_layer_that_changes_its_mode_is_caught(call, backend_name):
    if backend_name != "torch":
        pytest.skip(f"layers of {backend_name} have no mode of their own")

    class Switching(mistakes.Right):
        def forward(self, X):
            self.dense.training = not self.dense.training
            return super().forward(X)

    with pytest.raises(AssertionError):
        call(contract(Switching), "test_a_call_leaves_nothing_behind")


def test_tolerances_are_those_of_the_class(call, backend_name):
    wide = contract(mistakes.OffReference, tolerance_factor=1e8)
    call(wide, "test_forward_is_the_reference")


# how it is collected


def collected(pytester, body, *options):
    source = f"""
        import unified_blocks as ub
        from pytest_unified_blocks import BlockContract

        class TestIt(BlockContract):
            input_shape = (2, 4)

            def make(self):
                return ub.MLP(5, 3)
            {body}
        """
    pytester.makepyfile(test_it=source)
    options = ("-p", "pytest_unified_blocks.plugin", "-p", "no:unraisableexception", *options)
    return pytester.runpytest(*options, "-ra")


@pytest.fixture
def one():
    """The first framework; pytester forgets what a run imports, which must not be this."""
    if not ub.available_backends():
        pytest.skip("no framework is installed")
    name = ub.available_backends()[0]
    ub.get_backend(name)
    return name


def test_three_lines_give_the_whole_matrix(pytester, one):
    done = collected(pytester, "", f"--backend={one}", "--device=cpu", "-k", "not compiled")
    counts = done.parseoutcomes()
    assert counts["passed"] == 21
    assert "failed" not in counts
    assert counts["skipped"] == 8  # what compares with other backends, of which there are none


def test_what_a_block_lacks_is_skipped_with_its_reason(pytester, one):
    body = 'lacks = {"test_saved_and_loaded": "it is made inside of a function"}'
    done = collected(pytester, body, f"--backend={one}", "--device=cpu", "-k", "saved")
    assert done.parseoutcomes()["skipped"] == 2
    done.stdout.fnmatch_lines(["SKIPPED*it is made inside of a function"])


def test_a_capability_that_its_graph_needs_is_a_skip_where_it_is_lacking(pytester, one):
    lacking = [name for name in ("torch", "mxnet") if name in ub.available_backends()]
    if not lacking:
        pytest.skip("every framework here has the loop in its graphs")
    ub.get_backend(lacking[0])
    body = "graph_needs = ('loops-in-graphs',)"
    done = collected(pytester, body, f"--backend={lacking[0]}", "--device=cpu", "-k", "compiled")
    assert done.parseoutcomes()["skipped"] == 1
    done.stdout.fnmatch_lines(["SKIPPED*loops-in-graphs: *"])


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("make = BlockContract.make", "TestIt must define make(self)*got none"),
        ("input_shape = None", "TestIt must set input_shape, a tuple*got None"),
        ("input_shape = [2, 4]", "TestIt must set input_shape, a tuple*got [[]2, 4]"),
        ("lacks = {'test_x': ''}", "TestIt must name tests*in lacks; got 'test_x'"),
        ("graph_needs = ('x',)", "TestIt must name capabilities*got 'x'"),
    ],
)
def test_a_contract_that_says_too_little_is_an_error_at_collection(pytester, body, message):
    done = collected(pytester, body)
    assert done.ret == pytest.ExitCode.INTERRUPTED
    done.stdout.fnmatch_lines([f"*{message}*"])


def test_one_without_an_input_shape_says_so(pytester):
    pytester.makepyfile(
        """
        from pytest_unified_blocks import BlockContract
        class TestIt(BlockContract):
            def make(self): return 1
        """
    )
    done = pytester.runpytest("-p", "pytest_unified_blocks.plugin", "-p", "no:unraisableexception")
    done.stdout.fnmatch_lines(["*TestIt must set input_shape, a tuple such as (3, 20); got none*"])
