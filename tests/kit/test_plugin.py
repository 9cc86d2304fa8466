"""The pytest plug-in: its options, fixtures and marker, and what it leaves alone."""

import os
import subprocess
import sys

import pytest

import unified_blocks as ub

pytest_plugins = ["pytester"]
# The second looks for garbage in all of three frameworks, five times after each run.
PLUGIN = ("-p", "pytest_unified_blocks.plugin", "-p", "no:unraisableexception")
INSTALLED = ub.available_backends()
needs_one = pytest.mark.skipif(not INSTALLED, reason="no framework is installed")
ONE = next(iter(INSTALLED), "torch")
MISSING = """
    import unified_blocks.backend.registry as registry
    find = registry._is_installed
    registry._is_installed = lambda name: name != "{name}" and find(name)
    class Gone:
        dist = None
        def load(self):
            raise ModuleNotFoundError("No module named '{name}'")
    registry.registered_backends()["{name}"] = Gone()
"""


@pytest.fixture
def backends_here():
    """The registry is put back after a test that changed it."""
    from unified_blocks.backend import registry

    find, entries = registry._is_installed, dict(registry.registered_backends())
    yield
    registry._is_installed = find
    registry.registered_backends().clear()
    registry.registered_backends().update(entries)


@pytest.fixture(autouse=True, scope="module")
def imported():
    """pytester forgets the modules that a run imports, and no framework can be imported twice."""
    for name in INSTALLED:
        ub.get_backend(name)


@pytest.fixture
def run(pytester):
    """Run pytest on a test module, with the plug-in and without the options of this suite."""

    def run(source, *options, conftest=None):
        pytester.makepyfile(test_it=source)
        if conftest is not None:
            pytester.makeconftest(conftest)
        return pytester.inline_run(*PLUGIN, "-ra", *options)

    return run


def outcomes(result):
    passed, skipped, failed = result.listoutcomes()
    return len(passed), len(skipped), len(failed)


def ids(result):
    return sorted({report.nodeid.partition("[")[2].rstrip("]") for report in reports(result)})


def reports(result):
    return [call.report for call in result.getcalls("pytest_runtest_logreport")]


# options


@needs_one
def test_a_named_backend_alone_is_run_on_and_is_the_default(run):
    result = run(
        f"""
        import unified_blocks as ub

        def test_it(backend_name, backend):
            assert backend_name == {ONE!r}
            assert backend is ub.get_backend() is ub.get_backend({ONE!r})
        """,
        f"--backend={ONE}",
    )
    assert outcomes(result) == (1, 0, 0)
    assert ids(result) == [f"{ONE}-cpu"]


def test_without_the_option_every_registered_backend_is_run_on_or_skipped(run):
    result = run("def test_it(backend_name): pass")
    assert ids(result) == sorted(f"{name}-cpu" for name in ("torch", "tensorflow", "mxnet"))
    assert outcomes(result) == (len(INSTALLED), 3 - len(INSTALLED), 0)


@pytest.mark.skipif(len(INSTALLED) < 2, reason="fewer than two frameworks are installed")
@pytest.mark.parametrize("form", [["--backend={}", "--backend={}"], ["--backend={},{}"]])
def test_several_backends_are_repeated_or_in_a_list(run, form):
    options = " ".join(form).format(*INSTALLED[:2]).split()
    assert ids(run("def test_it(backend_name): pass", *options)) == sorted(
        f"{name}-cpu" for name in INSTALLED[:2]
    )


@needs_one
def test_an_alias_is_understood(run):
    alias = {"torch": "pytorch", "tensorflow": "keras", "mxnet": "gluon"}[ONE]
    assert ids(run("def test_it(backend_name): pass", f"--backend={alias}")) == [f"{ONE}-cpu"]


def test_no_backend_at_all_may_be_asked_for(run):
    result = run("def test_it(backend_name): pass\ndef test_other(): pass", "--backend=")
    assert outcomes(result) == (1, 1, 0)


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("--backend=jax", "backend must be one of torch, tensorflow, mxnet*got 'jax'"),
        ("--device=tpu", "--device must be cpu, gpu for every GPU, or gpu:0*got 'tpu'"),
        ("--device=cpu:1", "--device must be cpu, gpu for every GPU, or gpu:0*got 'cpu:1'"),
        ("--device=gpu:x", "--device must be cpu, gpu for every GPU, or gpu:0*got 'gpu:x'"),
    ],
)
def test_an_unknown_name_is_a_usage_error_that_lists_the_known_ones(pytester, option, message):
    pytester.makepyfile("def test_it(): pass")
    done = pytester.runpytest(*PLUGIN, option)
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    done.stderr.fnmatch_lines([f"*{message}*"])


# backends that are not there


def test_a_backend_that_is_not_installed_is_a_skip_with_the_reason(pytester, backends_here):
    pytester.makeconftest(MISSING.format(name="mxnet"))
    pytester.makepyfile("def test_it(backend_name): pass")
    done = pytester.runpytest(*PLUGIN, "-ra")
    assert done.ret == pytest.ExitCode.OK
    done.stdout.fnmatch_lines(["SKIPPED*backend 'mxnet' needs its framework*not installed*"])


def test_a_named_backend_that_is_not_installed_fails_the_run(pytester, backends_here):
    pytester.makeconftest(MISSING.format(name="mxnet"))
    pytester.makepyfile("def test_it(): pass")
    done = pytester.runpytest(*PLUGIN, "--backend=mxnet")
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    done.stderr.fnmatch_lines(["*--backend: backend 'mxnet' needs its framework*"])


@needs_one
def test_a_named_backend_that_fails_to_import_fails_in_every_process(pytester, backends_here):
    """With several processes, each imports it for itself: its tests fail there."""
    pytest.importorskip("xdist")
    pytester.makeconftest(
        MISSING.format(name=ONE).replace('name != "', 'name == "').replace("and find", "or find")
    )
    pytester.makepyfile("def test_it(backend_name): pass")
    done = pytester.runpytest(*PLUGIN, f"--backend={ONE}", "-n1")
    assert done.ret == pytest.ExitCode.TESTS_FAILED
    done.stdout.fnmatch_lines(["*must be there: backend*is installed but cannot be imported*"])


# devices


@needs_one
def test_a_test_that_takes_device_runs_on_each(run):
    result = run("def test_it(device, backend): assert device in backend.devices()")
    seen = {f"{name}-{device}" for name in INSTALLED for device in ub.devices(name)}
    assert seen <= set(ids(result))
    assert outcomes(result)[2] == 0
    skipped = [report for report in reports(result) if report.skipped and report.when == "setup"]
    assert all("no GPU" in str(r.longrepr) or "needs its" in str(r.longrepr) for r in skipped)


@needs_one
def test_one_that_does_not_runs_on_the_cpu_alone(run):
    assert ids(run("def test_it(backend): pass", f"--backend={ONE}")) == [f"{ONE}-cpu"]


@needs_one
def test_a_named_device_that_is_not_there_fails(pytester):
    pytester.makepyfile("def test_it(device): pass")
    options = [f"--backend={ONE}", "--device=gpu:7"]
    done = pytester.runpytest(*PLUGIN, *options)
    done.assert_outcomes(errors=1)
    done.stdout.fnmatch_lines([f"*must be there: {ONE} sees no gpu:7 here*"])


@needs_one
def test_the_cpu_alone_may_be_asked_for(run):
    result = run("def test_it(device): pass", f"--backend={ONE}", "--device=cpu")
    assert ids(result) == [f"{ONE}-cpu"]


# what others have


@needs_one
def test_a_project_that_has_its_own_backend_fixture_gets_its_tests_once(run):
    result = run(
        "def test_it(backend): assert backend == 'mine'",
        conftest="import pytest\n@pytest.fixture\ndef backend(): return 'mine'",
    )
    assert outcomes(result) == (1, 0, 0)
    assert ids(result) == [""]


@needs_one
def test_a_project_that_has_its_own_device_fixture_keeps_it(run):
    result = run(
        """
        def test_mine(device): assert device == "cuda"
        def test_both(device, backend_name): assert device == "cuda"
        """,
        f"--backend={ONE}",
        conftest="import pytest\n@pytest.fixture\ndef device(): return 'cuda'",
    )
    assert outcomes(result) == (2, 0, 0)
    assert ids(result) == ["", f"{ONE}-cpu"]


def test_a_project_that_parametrizes_device_keeps_it(run):
    result = run(
        """
        import pytest
        @pytest.mark.parametrize("device", ["a", "b"])
        @pytest.mark.parametrize("backend_name", ["x"])
        def test_it(device, backend_name): assert device + backend_name in ("ax", "bx")
        """
    )
    assert ids(result) == ["x-a", "x-b"]


def test_a_project_that_has_options_of_these_names_keeps_them(run):
    result = run(
        """
        def test_it(pytestconfig):
            assert pytestconfig.getoption("--device") == "cuda"
            assert pytestconfig.getoption("backend") is None
        """,
        "--device=cuda",
        conftest="""
        def pytest_addoption(parser):
            parser.addoption("--device")
            parser.addoption("--backend")
        """,
    )
    assert outcomes(result) == (1, 0, 0)


def test_its_options_are_in_the_help(pytester):
    done = pytester.runpytest(*PLUGIN, "--help")
    done.stdout.fnmatch_lines(
        ["blocks on several backends:", "*--backend=NAME*", "*--device=NAME*"]
    )


def test_it_imports_neither_the_library_nor_numpy():
    code = (
        "import pytest, sys; before = set(sys.modules); import pytest_unified_blocks.plugin; "
        "print(*{name.partition('.')[0] for name in set(sys.modules) - before})"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True
    )
    assert set(done.stdout.split()) - sys.stdlib_module_names == {"pytest_unified_blocks"}


def test_a_suite_that_does_not_use_it_imports_neither(pytester):
    pytester.makepyfile(
        """
        import sys
        def test_it(): assert not {"unified_blocks", "numpy"} & set(sys.modules)
        """
    )
    command = [sys.executable, "-m", "pytest", *PLUGIN, "-q"]
    environment = {k: v for k, v in os.environ.items() if k != "PYTEST_ADDOPTS"}
    environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # others' plug-ins may import NumPy
    done = subprocess.run(
        command, cwd=pytester.path, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout


def test_asked_for_while_the_test_runs_it_says_what_to_do(pytester):
    pytester.makepyfile("def test_it(request): request.getfixturevalue('backend_name')")
    done = pytester.runpytest(*PLUGIN)
    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines(["*must be arguments of the test or of its fixtures*"])


# capabilities


@needs_one
@pytest.mark.parametrize("name", INSTALLED)
def test_what_a_backend_lacks_is_skipped_with_its_reason(pytester, name):
    backend = ub.get_backend(name)
    lacking, reason = next(iter(backend.lacks.items()))
    pytester.makepyfile(
        f"""
        import pytest
        @pytest.mark.capability({lacking!r})
        def test_it(backend): raise AssertionError("it was run")
        @pytest.mark.capability("gradients")
        def test_other(backend): pass
        """
    )
    done = pytester.runpytest(*PLUGIN, f"--backend={name}", "-ra")
    done.assert_outcomes(passed=1, skipped=1)
    assert f"{lacking}: {backend.title}: {reason}" in " ".join(done.outlines)


@needs_one
def test_an_unknown_capability_is_an_error(pytester):
    pytester.makepyfile(
        """
        import pytest
        @pytest.mark.capability("telepathy")
        def test_it(backend): pass
        """
    )
    done = pytester.runpytest(*PLUGIN, f"--backend={ONE}")
    done.assert_outcomes(errors=1)
    done.stdout.fnmatch_lines(["*a capability must be one of gradients, *got 'telepathy'*"])


# assert_equivalent


@needs_one
def test_assert_equivalent_tells_models_that_differ(backend_name, assert_equivalent):
    import numpy as np

    x = np.ones((2, 4), "float32")
    net = ub.build(ub.MLP(5, 3), x.shape)
    other = ub.transfer(net, ub.build(ub.MLP(5, 3), x.shape))
    assert_equivalent(net, other, x)
    with pytest.raises(ub.NotEquivalentError):
        assert_equivalent(net, ub.initialize(other, 7), x)
