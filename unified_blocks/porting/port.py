"""`port`: a network of MXNet as source code of another framework, with its numbers."""

from __future__ import annotations

import itertools
import linecache
import os
import sys
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

from unified_blocks.backend.registry import owner_of
from unified_blocks.errors import InputError
from unified_blocks.files.state_files import write_state
from unified_blocks.formats.atomic import replacing
from unified_blocks.porting.decisions import decisions, only_batch, only_size
from unified_blocks.porting.examples import Given, given_for, numbers_for
from unified_blocks.porting.graph import Graph, Value
from unified_blocks.porting.loading import of_files, of_live, of_zoo
from unified_blocks.porting.mxnet.reader import Source, read_graph
from unified_blocks.porting.passes import prepared
from unified_blocks.porting.proof import Proof
from unified_blocks.porting.targets import Target, target_of
from unified_blocks.porting.writing.written import Called
from unified_blocks.types import Array, Shape, State

SOURCE, NUMBERS, REPORT = "net.py", "net.safetensors", "report.html"
_numbers = itertools.count(1)


def port(
    source: Any,
    to: str,
    *,
    params: Any = None,
    example: Any = None,
    outputs: Sequence[str] | None = None,
    layout: str | None = None,
) -> Port:
    """A network of MXNet as source code of another framework, with its numbers.

    The code is what an engineer of that framework would have written: it needs neither MXNet nor,
    but for `to="unified_blocks"`, this library. MXNet need not be installed.

    Args:
        source: the path of a graph, `net-symbol.json`, as `export` or a Module wrote it; a live
            Gluon net of hybridizable blocks; or the name of a network of Gluon's model zoo,
            `"resnet50_v1"`.
        to: `"torch"`, a `torch.nn.Module`; `"tensorflow"`, a functional `keras.Model`; or
            `"unified_blocks"`, a portable block.
        params: its numbers: the path of a `.params` file, or a dict of arrays by the names of the
            graph. Default: those of a live net, or the one file beside the graph that is called
            `net-0000.params`.
        example: what the network is given: an array, a tensor, or a shape, `(1, 3, 224, 224)`, or
            `((1, 128), "int32")`; several in a dict by the names of the inputs, or in a tuple in
            their order. Default: the shapes that the graph notes, if it notes all.
        outputs: names of the nodes whose outputs are wanted, to leave out what comes after them.
        layout: for Keras, where the channels of images are: `"channels_last"`, the default, or
            `"channels_first"`.

    Returns:
        A `Port`: its `net`, its `source`, its `proof`; `save` writes all three.

    Raises:
        FileFormatError: (a `ValueError`) for a file that is no graph or no `.params` file, or is
            damaged.
        InputError: (a `ValueError`) for another target, layout or output; for an example that does
            not fit; where the numbers or the shape of an input are not known.
        OSError: for a file that cannot be read.
        StateMismatchError: (a `ValueError`) for the numbers of another network.
        UnsupportedError: (a `TypeError`) for a graph of int8, and for operators without a meaning
            here or in the target, all in one.

    Example::

        net = ub.build(ub.MLP.on("mxnet")(256, 10), (2, 20))
        port = ub.port(net, "torch", example=(2, 20))  # a live net, or "net-symbol.json"
        port.proof.raise_if_wrong()
        port.save("net")  # net.py, net.safetensors, report.html
    """
    target = target_of(to)
    options = target.options(layout)
    network, given = network_of(source, params, example, outputs)
    shapes = {name: each.typed for name, each in given.items()}
    graph = prepared(read_graph(network, shapes, outputs))
    if not graph.nodes:
        names = ", ".join(value.name for value in graph.outputs)
        raise InputError(
            f"port: a network must compute something; got {names} of {network.name}, which is "
            "given as it is: name other outputs"
        )
    if batch := only_batch(graph):
        graph.origin += f", for a batch of {batch} only"
    return Port(network, graph, given, target, options, outputs)


def network_of(
    source: Any, params: Any, example: Any, outputs: Sequence[str] | None
) -> tuple[Source, dict[str, Given]]:
    """A network, and what each of its inputs is given."""
    if isinstance(source, str | os.PathLike):
        path, name = _graph_at(Path(source)), str(source)
        named = not path.exists() and path.name == name and path.suffix not in (".json", ".params")
        network = of_zoo(name, params) if named else of_files(path, params)
    elif owner_of(source) is not None:
        network, example = of_live(source, params, example)
    else:
        raise InputError(
            "port: source must be the path of a graph, a live Gluon net, or the name of a network "
            f"of the model zoo; got a {type(source).__name__}: give one of these"
        )
    return network, given_for(network, example, outputs)


def _graph_at(path: Path) -> Path:
    if path.is_dir():
        found = sorted(path.glob("*-symbol.json"))
        there = ", ".join(map(str, found)) or "none in it"
        raise InputError(f"port: source must be a file; got the folder {path}: give {there}")
    return path


class Port:
    """A network as source code of a framework, with its numbers.

    Attributes:
        source: Python, the content of `net.py`.
        state: its numbers, under the names and in the layout of the framework: the content of
            `net.safetensors`.
        names: of each array that was read, its name in `state`.
        graph: what the network computes, in this library's own form.

    Example::

        net = ub.build(ub.MLP.on("mxnet")(256, 10), (2, 20))
        port = ub.port(net, "unified_blocks", example=(2, 20))
        print(port.source)
    """

    def __init__(
        self,
        network: Source,
        graph: Graph,
        given: Mapping[str, Given],
        target: Target,
        options: Mapping[str, Any],
        outputs: Sequence[str] | None = None,
    ) -> None:
        self.network = network
        self.graph = graph
        self.given = given
        self.target = target
        self.options = options
        self.outputs = outputs
        written = target.write(graph, network.name, **options)
        self.source: str = written.source
        self.state: State = written.state
        self.names: Mapping[str, str] = written.names
        self.layers: Mapping[str, tuple[Called, ...]] = written.layers
        self.turned: Mapping[Value, Shape] = written.turned

    def __repr__(self) -> str:
        return f"<{self.network.name}, ported to {self.target.title}>"

    @cached_property
    def decisions(self) -> list[str]:
        """What was left out or fixed, in words."""

        def write(graph: Graph) -> str:
            written: str = self.target.write(graph, self.network.name, **self.options).source
            return written

        shapes = {name: each.typed for name, each in self.given.items()}
        size = only_size(self.network, shapes, self.outputs, self.source, write)
        return [*decisions(self.network, self.graph), *filter(None, [size])]

    @property
    def inputs(self) -> dict[str, Array]:
        """Numbers for each input: the example, or drawn ones of its shape."""
        return numbers_for(self.graph, self.given)

    @cached_property
    def net(self) -> Any:
        """The network, native and trainable, in inference mode: what `load()` of `net.py` gives.

        Raises:
            BackendImportError: when its framework is not installed.
        """
        return self.loaded()

    def loaded(self, dtype: str | None = None) -> Any:
        """The network anew, its floating numbers read in this dtype."""
        self.target.load_backend()  # or an error that names the command
        state = self.state
        if dtype is not None:
            state = {k: v.astype(dtype) if v.dtype.kind == "f" else v for k, v in state.items()}
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / NUMBERS
            write_state(state, path)
            return self._module.load(str(path))

    @cached_property
    def _module(self) -> Any:
        """The source, run as a module of its own, which pickles and debuggers find."""
        name = f"{self.network.name.replace('.', '_')}_ported_{next(_numbers)}"
        module = ModuleType(name)
        file = f"<{name}>"
        linecache.cache[file] = (len(self.source), None, self.source.splitlines(True), file)
        sys.modules[name] = module
        exec(compile(self.source, file, "exec"), vars(module))
        return module

    @cached_property
    def proof(self) -> Proof:
        """How far the network is from what the original computes: see `prove`."""
        return self.prove()

    def prove(
        self, *, gradients: bool = False, judge: str | os.PathLike[str] | None = None
    ) -> Proof:
        """Compare the network with the original, layer by layer, in float64.

        The judge is MXNet, where it is installed, or a record of what it computed; and always an
        interpreter of the graph that needs NumPy only. Without MXNet and a record another target
        is a judge too, where its framework is installed.

        Args:
            gradients: whether those of a random sum of the outputs by every parameter are compared
                too, which only MXNet judges.
            judge: a file that `record` wrote where MXNet is.

        Returns:
            A `Proof`: print it, ask `.ok`, `.first_wrong`, or `.raise_if_wrong()`.

        Raises:
            InputError: for a record of other inputs.
            UnsupportedError: for gradients without MXNet.
        """
        from unified_blocks.porting.proving import prove

        return prove(self, gradients, None if judge is None else Path(judge))

    def record(self, path: str | os.PathLike[str]) -> None:
        """Write what MXNet computes of the example, of every node: a judge for other machines.

        Args:
            path: a `.safetensors` file.

        Raises:
            BackendImportError: when MXNet is not installed.
        """
        from unified_blocks.porting.judges import write_record

        write_record(self, Path(path))

    def save(self, folder: str | os.PathLike[str], *, proof: bool = True) -> list[Path]:
        """Write `net.py`, `net.safetensors` and `report.html`, each at once and in whole.

        Args:
            folder: made if it is not there. Files of these names in it are replaced.
            proof: whether the report shows the proof, which is made first.

        Returns:
            What was written: without `report.html`, and with a warning, where Jinja2 or Plotly are
            not installed.
        """
        place = Path(folder)
        place.mkdir(parents=True, exist_ok=True)
        write_state(self.state, place / NUMBERS)
        write_text(place / SOURCE, self.source)
        written = [place / SOURCE, place / NUMBERS]
        shown = self.proof if proof else None
        try:
            from unified_blocks.porting.page import port_page
        except ImportError as error:
            warnings.warn(f"port: {REPORT} is left out: {error}", stacklevel=2)
            return written
        write_text(place / REPORT, port_page(self, shown))
        return [*written, place / REPORT]

    def to_html(self, *, proof: bool = True) -> str:
        """The report as a page: what was proved, layer by layer, and each array's new name.

        Args:
            proof: whether it shows the proof.

        Raises:
            ImportError: when Jinja2 or Plotly are not installed.
        """
        from unified_blocks.porting.page import port_page

        return port_page(self, self.proof if proof else None)


def write_text(path: Path, text: str) -> None:
    with replacing(path) as file:
        file.write(text.encode())
