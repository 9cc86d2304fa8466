"""The backend of `docs/howto/write-a-backend.md` keeps the contract, and the page shows its code.

`python tests/kit/test_numpy_backend.py` writes the code of the page anew.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import unified_blocks as ub
from testbed.where import ROOT

PROJECT = ROOT / "examples" / "numpy_backend"
PAGE = ROOT / "docs" / "howto" / "write-a-backend.md"
SHOWN = re.compile(r"(<!-- (\S+) -->\n```\w+\n)(.*?)(```\n)", re.S)
"""On the page: the path of a file, and then a part of its code."""
PAGE_OF_FILES = {
    path.relative_to(PROJECT).as_posix()
    for pattern in ("*.py", "*.toml", "src/**/*.py", "tests/*.py")
    for path in PROJECT.glob(pattern)
}


def refilled(page):
    """The page with the code of the files. A part begins with its first line on the page."""
    begun = {}
    for _, file, code, _ in SHOWN.findall(page):
        begun.setdefault(file, []).append(code.splitlines()[0])
    parts = {file: iter(cut(file, firsts)) for file, firsts in begun.items()}
    return SHOWN.sub(lambda found: f"{found[1]}{next(parts[found[2]])}{found[4]}", page)


def cut(file, firsts):
    """The parts of a file that begin with these lines."""
    lines = (PROJECT / file).read_text(encoding="utf-8").splitlines()
    starts = [lines.index(first) for first in firsts]
    assert starts == sorted(starts), f"{PAGE.name} shows parts of {file} in another order"
    assert starts[0] == 0, f"{PAGE.name} must show {file} from its first line: {lines[0]}"
    ends = [*starts[1:], len(lines)]
    return ["\n".join(lines[a:b]).rstrip("\n") + "\n" for a, b in zip(starts, ends, strict=True)]


def python(site, *arguments, cwd):
    """Python, in a process that finds the backend in the folder `site`."""
    path = os.pathsep.join(filter(None, [str(site), os.environ.get("PYTHONPATH")]))
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env={**environment, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )


def contract(site, tests, *options, backends="numpy_tape"):
    empty = site / "pytest.ini"
    empty.write_text("[pytest]\n", encoding="utf-8")
    command = ["-m", "pytest", "-p", "pytest_unified_blocks.plugin", "-q", "-ra", "-c", empty]
    command += ["-p", "no:cacheprovider", f"--backend={backends}", *options, tests]
    return python(site, *command, cwd=site)


def counted(done, word):
    found = re.search(rf"(\d+) {word}", done.stdout)
    return int(found[1]) if found else 0


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A folder that the project is installed in, as a user would, without a network."""
    pytest.importorskip("hatchling", reason="what builds the project is not installed")
    folder = tmp_path_factory.mktemp("site")
    copy = shutil.copytree(
        PROJECT, folder / "project", ignore=shutil.ignore_patterns("__pycache__")
    )
    pip = [sys.executable, "-m", "pip", "install", "--no-deps", "--no-build-isolation", "--quiet"]
    pip += ["--no-index", "--disable-pip-version-check", "--target", folder / "site", copy]
    subprocess.run(pip, check=True, capture_output=True)
    return folder / "site"


@pytest.fixture
def others():
    """The frameworks that are installed here."""
    if not ub.available_backends():
        pytest.skip("no framework is installed")
    return ub.available_backends()


def test_the_page_shows_the_code():
    page = PAGE.read_text(encoding="utf-8")
    assert page == refilled(page), f"run python {Path(__file__).relative_to(ROOT)}"


def test_the_page_shows_every_file():
    shown = {file for _, file, _, _ in SHOWN.findall(PAGE.read_text(encoding="utf-8"))}
    assert shown == PAGE_OF_FILES


def test_a_page_that_is_out_of_step_is_seen():
    page = PAGE.read_text(encoding="utf-8")
    assert "1 - y * y" in page
    assert refilled(page.replace("1 - y * y", "1 - y")) == page


def test_it_keeps_the_contract_with_few_reasons_to_skip(site):
    done = contract(site, PROJECT / "tests", "-W", "error")
    assert done.returncode == 0, done.stdout[-3000:]
    claimed = int(re.search(r"More than (\d+) tests pass", PAGE.read_text(encoding="utf-8"))[1])
    assert counted(done, "passed") > claimed >= 300
    reasons = "|".join(
        [
            "layers: NumPy with a tape: ",
            "graphs: NumPy with a tape: it has no graphs",
            r"NumPy with a tape has no ops\.\w+: the tutorial stops before it",
            "the only backend here is numpy_tape",
        ]
    )
    skips = [line for line in done.stdout.splitlines() if line.startswith("SKIPPED")]
    assert skips
    assert not [line for line in skips if not re.search(reasons, line)]


MISTAKES = {
    "a gradient": ("ops.py", "lambda y, x: 1 - y * y", "lambda y, x: 1 - y", "test_a_gradient"),
    "a sum of gradients": (
        "numpy_tape.py",
        "g += found[id(x)]",
        "pass",
        "test_gradients_are_the_reference",
    ),
    "a formula": ("learning.py", "1 - beta_2**t", "1 - beta_2", "test_an_optimizer"),
    "a shared layer": (
        "variables.py",
        "found.setdefault(id(value), variable)",
        "found.setdefault(path, variable)",
        "test_a_shared_layer",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_copy_with_a_mistake_fails(site, tmp_path, mistake):
    file, right, wrong, test = MISTAKES[mistake]
    copy = Path(shutil.copytree(site, tmp_path / "site"))
    (path,) = copy.rglob(file)
    source = path.read_text(encoding="utf-8")
    assert right in source
    path.write_text(source.replace(right, wrong), encoding="utf-8")
    done = contract(copy, PROJECT / "tests", "-x", "-k", test)
    assert done.returncode == pytest.ExitCode.TESTS_FAILED, done.stdout[-3000:]
    assert test in done.stdout


def test_beside_other_frameworks_it_keeps_the_contract_too(site, others):
    names = ",".join(["numpy_tape", *others])
    options = ("-k", "other_frameworks or other_backend", "-W", "ignore")
    done = contract(site, PROJECT / "tests", *options, backends=names)
    assert done.returncode == 0, done.stdout[-3000:]
    assert counted(done, "passed") == 3


def test_the_comparison_which_the_page_shows_says_the_same_of_each(site, others):
    done = python(site, "-W", "ignore", PROJECT / "compare.py", cwd=site)
    assert done.returncode == 0, done.stderr[-3000:]
    first, *lines = done.stdout.splitlines()
    loss = re.fullmatch(r"NumPy with a tape: loss (0\.\d{6})", first)[1]
    assert len(lines) == len(others)
    for line in lines:
        assert line.endswith(f": loss {loss}, no parameter further off than 1e-12")


EVERY_OPTIMIZER = """
import numpy as np
import unified_blocks as ub
from pytest_unified_blocks.contracts.formulas import OPTIMIZERS

generator = np.random.default_rng(0)
batches = [(generator.normal(size=(16, 20)), generator.normal(size=(16, 7))) for _ in range(20)]
for loss in ("mse", "huber", "l1"):
    for optimizer in OPTIMIZERS:
        found = []
        for name in ("numpy_tape", "torch"):
            with ub.use_dtype("float64"):
                net = ub.initialize(ub.MLP.on(name)(48, 7, in_units=20), 1, "torch_default")
            trainer = ub.Trainer(net, optimizer, loss)
            losses = [float(ub.to_numpy(trainer.step(*batch))) for batch in batches]
            found.append({**ub.state(trainer), **ub.state(net), "losses": np.array(losses)})
        ours, torchs = found
        assert list(ours) == list(torchs)
        apart = max(np.abs(ours[name] - torchs[name]).max() for name in ours)
        assert apart < 1e-12, (loss, optimizer, apart)
        print(loss, type(optimizer).__name__)
"""


def test_an_mlp_learns_the_numbers_of_pytorch(site, others):
    if "torch" not in others:
        pytest.skip("PyTorch is not installed")
    done = python(site, "-c", EVERY_OPTIMIZER, cwd=site)
    assert done.returncode == 0, done.stderr[-3000:]
    assert len(done.stdout.splitlines()) == 3 * 9


EVERY_MODE = """
import sys
import numpy as np
import unified_blocks as ub


def made():
    return ub.MySequential(ub.Dense(24), ub.Tanh(), ub.MLP(8, 5))


class Scaled(ub.Block):
    def __init__(self):
        super().__init__()
        self.parts = [ub.Dense(4, in_units=20), {"last": ub.Dense(3, in_units=4)}]
        self.scale = ub.Constant(0.5)

    def forward(self, X):
        return self.scale * self.parts[1]["last"](self.parts[0](X)) ** 2 - 1


x = np.random.default_rng(0).normal(size=(3, 20))
for name in sys.argv[1:]:
    scaled = Scaled.on("numpy_tape")()
    other = ub.convert(scaled, name, example=x.astype("float32"))
    assert list(ub.state(scaled)) == list(ub.state(other))
    with ub.use_dtype("float64"), ub.use_backend("numpy"):
        net = ub.initialize(ub.build(made(), x.shape), 1, "torch_default")
    other = ub.convert(net, name, example=x)
    for a, b in ((net, other), (other, net)):
        for mode in ("forward", "train", "gradient", "training", "saved", "parameters"):
            ub.assert_equivalent(a, b, x, mode=mode)
    seen = [row.name for row in ub.compare(net, other, x).rows if row.what == "call"]
    assert {"0", "1", "2"} <= {*seen}, seen
    changed = ub.state(other)
    changed["2.out.bias"] += 1
    first = ub.compare(net, ub.load_state(other, changed), x).first_difference
    assert first.name == "2.out.bias", first
    print(name)
"""


def test_it_is_compared_with_each_framework_in_every_mode(site, others):
    done = python(site, "-W", "ignore", "-c", EVERY_MODE, *others, cwd=site)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.splitlines() == others


if __name__ == "__main__":
    PAGE.write_text(refilled(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
