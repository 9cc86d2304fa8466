"""Keras 3's own files: `.weights.h5` of `model.save_weights`, and `.keras` of `model.save`.

**Names.** A file of weights has a group for each layer, by the path of attributes that leads to
it: `hidden` for `self.hidden`. In a list, a dict, a Sequential or a Functional model it goes on
with the class of the layer, and a counter for each class: `blocks/dense_1` is the second dense
layer in `self.blocks`, whatever else is between, and the layers of a Sequential are in `layers`.
The canonical name is this path with dots, and the name of the variable: `hidden.weight`,
`blocks.dense_1.bias`, `layers.dense.weight`.

A subclassed model also has a list `layers`, and Keras saves its attributes in alphabetical order,
each layer where it is first found. So `self.out` is saved as, say, `layers/dense_1`, which is its
name here. When it is written under `out`, `load_weights` finds it as well.

A `.keras` file has the configuration of Sequential and Functional models, too: their layers have
the names there, `stem.weight`. Aliases are the path in the file, and those of the live model, which
counts the layers of a Sequential: `0.weight`. A layer is written again where it was in the file.

**Kinds.** The variables in a group are only numbered; what they are depends on the kind of layer.
The kind is known from the configuration in a `.keras` file, from the path in a list or Sequential,
or else from the layer's name, if Keras chose it (`dense_3`). A group for which none of these tells
a kind, or two tell different kinds, is an error rather than a guess. So is a single matrix outside
of lists: only its name, which an author may have chosen, says whether it belongs to a Dense or an
Embedding. A file that this library wrote contains the kinds.

**Order** is that of the model in files that this library wrote, and in a `.keras` file of a
Sequential or Functional model; not in others.

The optimizer's variables are skipped.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from unified_blocks.errors import FileFormatError
from unified_blocks.formats.keras import config as keras_config
from unified_blocks.formats.keras import hdf5, recurrent
from unified_blocks.formats.keras.config import Place
from unified_blocks.formats.keras.families import (
    BY_KIND,
    BY_SNAKE,
    IN_ATTENTION,
    Family,
    of_automatic_name,
    without_number,
)
from unified_blocks.formats.keras.hdf5 import Group
from unified_blocks.formats.keras.messages import Numbers
from unified_blocks.formats.keras.recurrent import KIND
from unified_blocks.formats.keras.write import (
    CALLED,
    HELD,
    METADATA,
    PLACE,
    unwritable,
    write,
)
from unified_blocks.formats.stored import StateFile, Stored
from unified_blocks.formats.zips import Archive, mapped
from unified_blocks.types import Array

__all__ = ["NAME", "SUFFIXES", "read", "recognises", "unwritable", "write"]

NAME = "keras-weights"
SUFFIXES = (".weights.h5",)
_MATRICES = (BY_KIND["Dense"], BY_KIND["Embedding"])
_SETTINGS = ("epsilon", "momentum")
_WEIGHTS, _CONFIG = "model.weights.h5", "config.json"


def recognises(head: bytes, path: Path) -> bool:
    """Whether a file that begins with `head` is one of Keras'."""
    if head.startswith(b"PK\3\4"):
        return path.suffix == ".keras"
    return head.startswith(hdf5.MAGIC)


def read(path: Path, kinds: Mapping[str, str] | None = None, strict: bool = True) -> StateFile:
    """The weights of a model of Keras.

    Args:
        path: the file.
        kinds: the kinds of layers that the file does not tell, by path: `{"blocks/mine": "Dense"}`.
        strict: False leaves out layers whose kind has no canonical names, or is not known.

    Raises:
        FileFormatError: when the file is damaged; when the kind of a layer has no canonical names,
            or is not known.
    """
    data, config, check = mapped(path), None, None
    if bytes(data[:4]) == b"PK\3\4":
        archive = Archive(path, data)
        if _WEIGHTS not in archive.members or _CONFIG not in archive.members:
            raise FileFormatError(
                f"{path}: a zip file of Keras must hold {_WEIGHTS} and {_CONFIG}; got "
                f"{', '.join(sorted(archive.members))[:200] or 'nothing'}; save it with model.save"
            )
        archive.verify(_CONFIG)
        config = keras_config.parse(path, archive.read(_CONFIG))
        data = archive.read(_WEIGHTS)
        check = functools.partial(archive.verify, _WEIGHTS)
    root = hdf5.read(path, data)
    if "layer_names" in root.attributes or "model_weights" in root.groups:
        raise FileFormatError(
            f"{path} must be a file of weights of Keras 3; got one in the format before it (.h5 of "
            "model.save or save_weights): open it with Keras, load_model or load_weights, and "
            'save it as .keras or ".weights.h5"'
        )
    layers = _Layers(path, kinds or {}, check)
    tensors = list(layers.walk(root, Place(config=config), in_container=False))
    if layers.unknown and strict:
        kinds_known = ", ".join(family.keras for family in BY_SNAKE.values())
        raise FileFormatError(
            f"{path}: each layer must be a {kinds_known}, and the file must say which; got "
            f"{'; '.join(layers.unknown[:10])}; save the model as .keras, or name the kinds: "
            'kinds={"path/of/layer": "Dense"}, or on the command line --kind path/of/layer=Dense; '
            "or read the rest with strict=False, --partial"
        )
    if unused := layers.kinds.keys() - layers.paths:
        raise FileFormatError(
            f"{path}: kinds must be those of layers in the file; got one for "
            f"{', '.join(sorted(unused))[:200]}, where it has {', '.join(layers.paths)[:200]}: "
            "correct or leave out the path"
        )
    own = keras_config.own_metadata(path, root.attributes.get(METADATA))
    at = layers.orders
    # Ours are all the numbers from 0; in a configuration there are layers without variables too.
    places = {(i,) for i in range(len(at))} if config is None else {*at.values()} - {None}
    ordered = {*at.values()} == places and len(places) == len(at)
    if ordered:
        tensors.sort(key=lambda stored: at[layers.holder[stored.name]] or ())
    return StateFile.of(
        path,
        NAME,
        tensors,
        own=own,
        settings=layers.settings,
        ordered=ordered,
        left_out=tuple(layers.unknown),
    )


class _Layers:
    """A walk over the groups of layers.

    Attributes:
        kinds: the kinds that were given, by dotted path.
        paths: the layers with variables, by dotted path.
        orders: where each of them is among the layers of the model, by canonical name, if the file
            says so.
        holder: the layer of each array, by their names.
        settings: see `StateFile`.
        unknown: the layers whose kind is not known, and why.
    """

    def __init__(
        self, path: Path, kinds: Mapping[str, str], check: Callable[[], None] | None
    ) -> None:
        self.path, self.check = path, check
        self.kinds = {key.strip("/").replace("/", "."): kind for key, kind in kinds.items()}
        self.paths: list[str] = []
        self.orders: dict[str, tuple[int, ...] | None] = {}
        self.holder: dict[str, str] = {}
        self.settings: dict[str, dict[str, Any]] = {}
        self.unknown: list[str] = []

    def walk(
        self,
        group: Group,
        place: Place,
        in_container: bool,
        above: tuple[tuple[Place, str], ...] = (),
    ) -> Iterator[Stored]:
        """The arrays of the layers in `group`; `above` is what it is in, and what it is called."""
        variables, path = group.groups.get("vars"), "/".join(place.path)
        if group.arrays:
            self.unknown.append(f"arrays outside of any layer in {path!r}")
        if variables is not None and variables.groups:
            self.unknown.append(f"groups among the variables of {path!r}")
        if variables is not None and variables.arrays:
            yield from self._layer(variables, place, in_container, above)
        called = variables.attributes.get("name", "") if variables is not None else ""
        groups = sorted(group.groups.items(), key=_directions)
        is_attention = _is_attention(group)
        if is_attention:
            groups.sort(key=lambda item: _place_in_attention(item[0]))
        for name, child in groups:
            if name == "vars" or (not place.path and name == "optimizer"):
                continue
            # Every layer has variables, if only an empty group: what has none is a list or dict.
            holds = variables is None and bool(place.path)
            inside = place.child(name, child)
            if is_attention:
                inside = self._in_attention(name, inside, place.order)
            yield from self.walk(child, inside, holds, (*above, (place, called)))

    def _in_attention(self, name: str, place: Place, order: tuple[int, ...] | None) -> Place:
        """The place of what is inside Keras' attention, by its canonical name."""
        called, kind = IN_ATTENTION.get(name.removeprefix("_"), (name, None))
        if kind is not None:
            self.kinds.setdefault(".".join(place.path), kind)
        at = None if order is None else (*order, _place_in_attention(name))
        names = (*place.name[:-1], called), (*place.count[:-1], called)
        return replace(place, name=names[0], count=names[1], order=at)

    def _layer(
        self,
        variables: Group,
        place: Place,
        in_container: bool,
        above: tuple[tuple[Place, str], ...],
    ) -> Iterator[Stored]:
        path, arrays, config = "/".join(place.path), variables.arrays, place.config
        found = recurrent.layer_of(variables.attributes, place, above, self.kinds)
        end = "" if found is None else found.end
        if found is not None:  # what a cell holds belongs to its layer
            place, config = found.place, found.config
        name, count = variables.attributes.get(CALLED, ".".join(place.name)), ".".join(place.count)
        self.paths += dict.fromkeys((path.replace("/", "."), ".".join(place.name)))
        at = variables.attributes.get(PLACE, "")
        known = at.isdecimal() and len(at) < 10
        self.orders[name] = (int(at),) if known else place.order or None
        try:
            family = found.family if found else self._family(variables, place, in_container)
            options = {**keras_config.options(config), **_held(family, variables)}
            if reason := recurrent.differs(family, options, arrays):
                raise _UnknownError(reason)
            names = _names(family, arrays, options)
        except _UnknownError as reason:
            shapes = ", ".join(f"{a.dtype.name} {a.shape}" for a in list(arrays.values())[:5])
            self.unknown.append(f"{path or 'the model itself'} with {shapes}, {reason}")
            return
        told: dict[str, Any] = {key: options[key] for key in _SETTINGS if key in options}
        if told:
            self.settings[name] = told
        paths = [count, path.replace("/", ".")]
        if family.several is not None:  # inside attention, as a file without configuration names it
            paths.append(".".join((*place.path[:-1], place.name[-1])))
        others = [each for each in dict.fromkeys(paths) if each != name]
        parts = [(i, part) for i, each in enumerate(names) for part in family.parts(each)]
        kind = family.kind.removesuffix("Cell") if end else family.kind
        for number, part in parts:
            array, last = arrays[str(number)], part + end
            full = f"{name}.{last}" if name else last
            self.holder[full] = name
            yield Stored(
                full,
                family.canonical_shape(part, array.shape),
                "float32" if array.bfloat16 else array.dtype.name,
                functools.partial(_read, family, part, array, self.check),
                role="constant" if last in family.constant else "parameter",
                kind=kind,
                stored_name=f"{path}/vars/{number}",
                stored_dtype="bfloat16" if array.bfloat16 else None,
                verify=self.check,
                aliases=tuple(f"{other}.{last}" for other in others),
                optional=last == family.whole,
                unsettled=family.is_unsettled(array.shape),
            )

    def _family(self, variables: Group, place: Place, in_container: bool) -> Family:
        """The kind of a layer, if all its sources agree."""
        path, config = place.path, place.config
        named = self.kinds.get(".".join(path)) or self.kinds.get(".".join(place.name))
        if named is not None:
            if named not in BY_KIND:
                raise _UnknownError(f"whose kind was given as {named!r:.50}")
            return BY_KIND[named]
        if (ours := variables.attributes.get(KIND)) in BY_KIND:
            return BY_KIND[ours]
        # The model itself is of no such kind, whatever its name.
        by_name = of_automatic_name(variables.attributes.get("name", "")) if path else None
        by_path = of_automatic_name(path[-1]) if path else None
        if isinstance(config, dict):
            found = keras_config.kind(config)
            if found not in BY_KIND:
                raise _UnknownError(f"a {found!r:.50}")
            if in_container and without_number(path[-1]) != BY_KIND[found].snake:
                raise _UnknownError(f"a {found} by its configuration, and not by its path")
            return BY_KIND[found]
        # An early Keras 3 wrote no names, and no groups for layers without variables.
        if in_container and "name" in variables.attributes:
            if by_path is None:
                raise _UnknownError(f"a {path[-1]!r:.50}")
            return by_path
        if by_name is None:
            raise _UnknownError("of a kind that neither path nor name tells")
        if by_path is not None and by_path is not by_name:
            raise _UnknownError(
                f"called {by_path.keras} by its path and {by_name.keras} by its name"
            )
        if by_name in _MATRICES and len(variables.arrays) == 1:
            raise _UnknownError("which may be of a Dense or an Embedding, whatever it is called")
        return by_name


def _directions(group: tuple[str, Group]) -> bool:
    """Where a group comes among others: what reads from the end after what reads ahead."""
    return group[0] == "backward_layer"


def _place_in_attention(name: str) -> int:
    """Where a layer inside Keras' attention is; the last place for one without variables."""
    return [*IN_ATTENTION, name.removeprefix("_")].index(name.removeprefix("_"))


def _is_attention(group: Group) -> bool:
    """Whether a group is Keras' attention: no other layer holds four so called."""
    held = {
        name.removeprefix("_"): child.groups.get("vars", Group()).arrays
        for name, child in group.groups.items()
    }
    kernels = [held.get(part, {}).get("0") for part in IN_ATTENTION if part != "gate_dense"]
    return all(kernel is not None and len(kernel.shape) > 2 for kernel in kernels)


class _UnknownError(Exception):
    """Why it is not known what a layer is."""


def _held(family: Family, variables: Group) -> dict[str, bool]:
    """The options of a layer that say what it holds, in a file that this library wrote."""
    held = variables.attributes.get(HELD, "").split()
    switches = zip(family.names, family.options, strict=True)
    return {option: name in held for name, option in switches if option and held}


def _names(family: Family, arrays: Mapping[str, Numbers], options: Mapping[str, Any]) -> list[str]:
    """The canonical names of the variables 0, 1, … of a layer."""
    told = [option is None or options.get(option) for option in family.options]
    present = [n for n, there in zip(family.names, told, strict=True) if there is not False]
    if None in told and len(present) != len(arrays):  # what may be absent has to be absent together
        present = [n for n, there in zip(family.names, told, strict=True) if there is True]
    shapes = {name: arrays[str(i)].shape for i, name in enumerate(present) if str(i) in arrays}
    if len(present) != len(arrays) or len(shapes) != len(present) or not family.fits(shapes):
        raise _UnknownError(f"which are not those of a {family.keras}, or may be any of them")
    floats = [arrays[str(i)] for i, name in enumerate(present) if name != family.whole]
    if any(array.dtype.kind != "f" and not array.bfloat16 for array in floats):
        raise _UnknownError("which are not floats: it may be quantised")
    return present


def _read(family: Family, name: str, array: Numbers, check: Callable[[], None] | None) -> Array:
    if check is not None:
        check()
    return family.to_canonical(name, array.read())
