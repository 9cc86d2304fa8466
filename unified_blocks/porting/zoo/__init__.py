"""The graphs of Gluon's model zoo, without numbers: a bare `.params` file of one can be ported.

`graphs.zip` has what MXNet 1.9.1 makes of each network of `mxnet.gluon.model_zoo.vision`: its
symbol, each node with the blocks that it is in, and the names of its arrays in `save_parameters`.
`tests/testbed/zoo.py` packs it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import as_file, files
from zipfile import ZipFile

from unified_blocks.errors import InputError
from unified_blocks.porting.mxnet.symbols import Symbol, symbol_of
from unified_blocks.types import Array

GRAPHS = files(__name__) / "graphs.zip"


@dataclass(frozen=True)
class Packed:
    """A network of the zoo.

    Attributes:
        name: of the network, `"resnet50_v1"`.
        kind: its class, `"ResNetV1"`.
        graph: its symbol, as JSON; its input notes the shape that the network was made for.
        names: of each array of the graph, the names of the blocks that own it, and its own.
    """

    name: str
    kind: str
    graph: str
    names: Mapping[str, tuple[str, ...]]

    @cached_property
    def symbol(self) -> Symbol:
        """Its graph, read."""
        return symbol_of(self.graph, self.name)

    def named(self, arrays: Mapping[str, Array]) -> dict[str, Array]:
        """Arrays of a file under the names of the graph; those of other names as they are.

        Args:
            arrays: as `save_parameters` (`features.0.weight`), `export` (`resnetv10_conv0_weight`,
                or `resnetv11_…` of a second one) or, before MXNet 1.2, `save_params`
                (`conv0_weight`) called them.
        """
        prefix = next(iter(self.names)).partition("_")[0]
        numbered = re.compile(rf"^{re.escape(prefix[:-1])}\d+_")  # each is the first of its class
        known = {numbered.sub("", name): name for name in self.names}
        known |= {".".join(path): name for name, path in self.names.items()}
        return {known.get(numbered.sub("", name), name): array for name, array in arrays.items()}


def names() -> list[str]:
    """The names of the networks, in order."""
    with as_file(GRAPHS) as path, ZipFile(path) as archive:
        return [name.removesuffix(".json") for name in archive.namelist()]


def packed(name: str) -> Packed:
    """A network of the zoo by its name.

    Raises:
        InputError: for another name.
    """
    with as_file(GRAPHS) as path, ZipFile(path) as archive:
        member = f"{name}.json"
        if member not in archive.namelist():
            raise InputError(
                f"a network of the model zoo must be one of {', '.join(names())}; got {name!r}"
            )
        content = json.loads(archive.read(member))
    paths = {key: tuple(path.split(".")) for key, path in content["names"].items()}
    symbol = content["symbol"]
    symbol["arg_nodes"] = [i for i, node in enumerate(symbol["nodes"]) if node["op"] == "null"]
    return Packed(name, content["kind"], json.dumps(symbol), paths)
