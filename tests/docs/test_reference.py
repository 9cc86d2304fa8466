"""The reference holds every public name, every command, and every layer that has weights."""

import importlib
import re

import numpy as np
import pytest

import unified_blocks as ub
from testbed.examples import NAMES, example_of
from testbed.where import ROOT
from unified_blocks import layers

WITH_WEIGHTS = {
    name
    for name in layers.__all__
    if re.search(r"^ *Parameters( \(.*\))?:$", getattr(layers, name).__doc__ or "", re.M)
}
OTHERS = sorted({*layers.__all__} - WITH_WEIGHTS)


@pytest.fixture
def written(monkeypatch):
    """Imports one of the modules that write pages."""
    monkeypatch.syspath_prepend(ROOT / "docs" / "_ext")
    return importlib.import_module


@pytest.fixture
def reference(written):
    for package in ("sphinx", "typer", "rich"):
        pytest.importorskip(package, reason="what builds the site is not installed")
    return written("reference")


@pytest.fixture
def commands(written):
    for package in ("typer", "rich"):
        pytest.importorskip(package, reason="the command line's extra is not installed")
    return written("commands")


def test_every_name_is_on_a_page(reference):
    text = "\n".join(reference.pages().values())
    on_pages = {
        path: reference.public()[path] for path in re.findall(r"^\.\. \w+:: (.+)$", text, re.M)
    }
    there = {id(thing) for thing in on_pages.values()}
    lost = {name for name, thing in NAMES.items() if id(thing) not in there}
    constants, modules = {"ub.KEEP", "ops.KEEP"}, {"ub.ops", "ub.porting"}
    assert lost == constants | modules | {"Comparison.to_html"}  # which stands with its class
    assert ub.Comparison in on_pages.values()


def test_a_new_room_needs_a_page(reference, monkeypatch):
    def strange():
        """Of no page's room."""

    strange.__module__ = "unified_blocks.strange.room"
    monkeypatch.setattr(ub, "strange", strange, raising=False)
    monkeypatch.setattr(ub, "__all__", [*ub.__all__, "strange"])
    with pytest.raises(Exception, match=r"every public name needs a page; got .*strange"):
        reference.pages()


def test_every_command_is_on_the_page_with_its_parameters_and_its_example(commands):
    found, text = commands.commands(), commands.page()
    assert re.findall(r"^## (.+)$", text, re.M) == [*found]
    for name, command in found.items():
        part = text.partition(f"## {name}\n")[2].partition("\n## ")[0]
        example = command.epilog.removeprefix("Example: ")
        assert f"%%bash\n{example}" in part
        for parameter in command.params:
            option = parameter.param_type_name == "option"
            for written in parameter.opts if option else [parameter.metavar]:
                assert re.search(rf"^\|.*`{re.escape(written)}[ `].*\| \S", part, re.M), written


def test_every_layer_with_weights_is_in_their_table(written):
    listed = {layer.partition("(")[0] for layer in written("weights").LAYERS}
    assert listed == WITH_WEIGHTS


class Watched:
    """`ub`, which remembers what it makes of one class."""

    def __init__(self, watched):
        self.watched, self.made = watched, []

    def __getattr__(self, name):
        thing = getattr(ub, name)
        return self.make if thing is self.watched else thing

    def make(self, *args, **kwargs):
        self.made.append(self.watched(*args, **kwargs))
        return self.made[-1]


@pytest.mark.parametrize("name", OTHERS)
def test_the_others_have_none(name, backend_name):
    watched = Watched(getattr(layers, name))
    exec(example_of(watched.watched), {"np": np, "ub": watched})
    assert watched.made
    for layer in watched.made:
        assert not ub.state(layer)


def test_the_table_says_where_each_array_is(written):
    if not ub.available_backends():
        pytest.skip("it needs a framework")
    weights = written("weights")
    assert "Conv2D(8, (5, 7))" in weights.LAYERS
    for layer, shape in weights.LAYERS.items():
        found = weights.rows(layer, shape)
        assert found
        for name, _, role, *places in found:
            assert role in {"parameter", "constant"}, (layer, name)
            assert "–" not in places, (layer, name)


def test_keras_has_a_kernel_where_others_have_a_weight(written):
    if "tensorflow" not in ub.available_backends():
        pytest.skip("it is about Keras")
    weights = written("weights")
    at = 3 + ub.available_backends().index("tensorflow")
    weight, bias = weights.rows("Conv2D(8, (5, 7))", (2, 3, 10, 10))
    assert (weight[1], weight[at]) == ("`(8, 3, 5, 7)`", "`kernel` `(5, 7, 3, 8)`")
    assert bias[at] == "`bias` `(8,)`"
