"""Blocks found in the names of nodes: `net0_stage1_conv0_fwd` is `conv0` in the block `stage1`."""

from __future__ import annotations

import keyword
import re
from collections.abc import Mapping, Sequence
from itertools import groupby

from unified_blocks.porting.graph import Graph, Node
from unified_blocks.porting.operations.elementwise import Elementwise


def name_blocks(graph: Graph) -> None:
    """Give each node the path that its name, or that of its parameters, tells.

    A beginning that all names share is left out. A word that the names of nodes side by side begin
    with is a block, if what follows it is a name too: `conv4_1` is none in `conv4`. So is one whose
    nodes are apart, and can be brought together. A sum that nobody named is where what it adds is.
    """
    owners = _owners(graph.nodes)
    words = [_words(node, owners) for node in graph.nodes]
    shared = min((len(each) - 1 for each in words), default=0)
    while len(words) > 1 and len({tuple(each[:shared]) for each in words}) > 1:
        shared -= 1
    names = [each[shared if len(words) > 1 else 0 :] for each in words]
    owning = [bool(node.owned) for node in graph.nodes]
    lent = _lend(graph, names, owning)
    paths = _paths(names, lent, owning, _reach(graph))
    layers: dict[tuple[int, ...], tuple[str, ...]] = {}
    for node, path in zip(graph.nodes, paths, strict=True):
        key = _key(node)
        node.path = layers.setdefault(key, path) if key else path
    _make_distinct(graph.nodes)
    for node in graph.nodes:
        node.kinds = tuple(map(_kind, node.path[:-1]))


def _kind(block: str) -> str:
    """The name of a class, of that of a block: `linear_unit3` is a `LinearUnit`.

    One letter says too little: `A1` is a `BlockA`.
    """
    words = block.rstrip("0123456789_").split("_")
    name = "".join(word[:1].upper() + word[1:] for word in words)
    return name if len(name) > 1 else f"Block{name}"


def _words(node: Node, owners: Mapping[str, object]) -> list[str]:
    """The words of a node's name; where it has parameters, of what their names share.

    A layer that has the weight of another one is called by its own name.
    """
    stems = _stems(node)
    name = node.path[-1]
    if len(stems) == 1 and owners[stems[0]] == _key(node):
        name = stems[0]
    words = [word for word in re.split(r"[_/.\s]+", name) if word]
    if len(words) > 1 and words[-1] == "fwd":
        words.pop()
    if len(words) > 1 and words[-1].rstrip("0123456789") == words[-2].rstrip("0123456789"):
        words.pop()  # the flatten0_flatten0 of a block called flatten0
    return words or [type(node.operation).__name__.lower()]


def _stems(node: Node) -> list[str]:
    """What the names of its parameters begin with, each once."""
    owned = [p.path[-1] if p.path else p.name for p in node.owned]
    return list(dict.fromkeys(map(_stem, owned)))


def _key(node: Node) -> tuple[int, ...]:
    """Equal for two calls of one layer."""
    return tuple(id(each) for each in node.owned)


def _owners(nodes: Sequence[Node]) -> dict[str, object]:
    """The first layer of those whose parameters have names that begin alike."""
    found: dict[str, object] = {}
    for node in nodes:
        for stem in _stems(node):
            found.setdefault(stem, _key(node))
    return found


def _reach(graph: Graph) -> list[int]:
    """For each node, the nodes that come of it, itself among them, as the bits of a number."""
    places = {value: i for i, node in enumerate(graph.nodes) for value in node.outputs}
    found = [1 << i for i in range(len(graph.nodes))]
    for i in reversed(range(len(graph.nodes))):
        for value in graph.nodes[i].taken:
            if value in places:
                found[places[value]] |= found[i]
    return found


def _lend(graph: Graph, names: list[list[str]], owning: Sequence[bool]) -> list[int]:
    """Put the blocks of what they take before names that tell none, such as `_plus0`.

    Returns:
        How many words were put before each.
    """
    known = {name[0] for name, owns in zip(names, owning, strict=True) if owns}
    places = {value: i for i, node in enumerate(graph.nodes) for value in node.outputs}
    lent = [0] * len(names)
    for i, node in enumerate(graph.nodes):
        taken = [places[value] for value in node.taken if value in places]
        if taken and isinstance(node.operation, Elementwise) and names[i][0] not in known:
            last = max(taken)
            before = names[last][: lent[last] or -1]
            names[i], lent[i] = before + names[i], len(before)
    return lent


def _stem(name: str) -> str:
    """The name of a layer, of one of its parameters."""
    return re.sub(r"[_/.](weight|bias|gamma|beta|(moving|running)_(mean|var))$", "", name)


def _paths(
    names: Sequence[list[str]], lent: Sequence[int], owning: Sequence[bool], reach: Sequence[int]
) -> list[tuple[str, ...]]:
    """A path for each name, where words are blocks if they stand together, or could.

    What has no parameters is none: `broadcast_add0` and `broadcast_mul0` are names of operators.
    """
    found: list[tuple[str, ...]] = [()] * len(names)

    def divide(places: list[int], prefix: tuple[str, ...], depth: int) -> None:
        runs = _runs(places, [names[i][depth] for i in places], reach)
        firsts = [names[run[0]][depth] for run in runs]
        if len(runs) == 1 and prefix and all(_goes_on(names[i], depth) for i in places):
            *above, last = prefix  # a block that is all of another one is that
            divide(places, (*above, identifier(f"{last}_{firsts[0]}")), depth + 1)
            return
        for run, word in zip(runs, firsts, strict=True):
            if (
                len(run) > 1
                and firsts.count(word) == 1
                and any(owning[i] for i in run)
                and all(_goes_on(names[i], depth) for i in run)
                and not _is_one([names[i][depth + 1 :] for i in run])
            ):
                divide(run, (*prefix, identifier(word)), depth + 1)
            else:
                for i in run:
                    own = names[i][max(depth, lent[i]) :]
                    found[i] = (*prefix, identifier("_".join(own)))

    divide(list(range(len(names))), (), 0)
    return found


def _runs(places: Sequence[int], words: Sequence[str], reach: Sequence[int]) -> list[list[int]]:
    """The places of each word: those side by side, or all where nothing needs to be between."""
    together: dict[str, list[int]] = {}
    for place, word in zip(places, words, strict=True):
        together.setdefault(word, []).append(place)
    whole = {word for word, each in together.items() if _is_whole(each, reach)}
    runs, done = [], set()
    for word, run in groupby(zip(places, words, strict=True), lambda each: each[1]):
        if word not in whole:
            runs.append([place for place, _ in run])
        elif word not in done:
            done.add(word)
            runs.append(together[word])
    return runs


def _is_whole(places: Sequence[int], reach: Sequence[int]) -> bool:
    """Whether nothing that comes of some nodes is needed by another of them, but for themselves."""
    own = sum(1 << place for place in places)
    after = 0
    for place in places:
        after |= reach[place]
    between = (after & ~own) & ((1 << max(places)) - 1)
    while between:
        lowest = between & -between
        if reach[lowest.bit_length() - 1] & own:
            return False
        between ^= lowest
    return True


def _is_one(names: Sequence[list[str]]) -> bool:
    """Whether names are those of one layer, and of what it needs, as the flatten before it."""
    return min(map(len, names)) == 1 and len({name[0] for name in names}) == 1


def _goes_on(words: list[str], depth: int) -> bool:
    return len(words) > depth + 1 and words[depth + 1][0].isalpha()


TAKEN = {
    *("add_module", "apply", "bfloat16", "buffers", "build", "built", "call", "children"),
    *("compile", "cpu", "cuda", "double", "dtype", "eval", "export", "extra_repr", "fit"),
    *("float", "forward", "get_buffer", "half", "inputs", "layers", "load_state_dict", "losses"),
    *("metrics", "modules", "name", "named_children", "outputs", "parameters", "predict"),
    *("requires_grad_", "save", "share_memory", "state_dict", "summary", "to", "train"),
    *("trainable", "training", "type", "weights", "zero_grad"),
}
"""Attributes that a module of some framework has by itself."""


def identifier(name: str) -> str:
    """A name that an attribute of a module can have."""
    plain = re.sub(r"\W", "_", name)
    if plain[:1].isdigit():
        plain = f"layer_{plain}"
    return f"{plain}_" if keyword.iskeyword(plain) or plain in TAKEN else plain


def _make_distinct(nodes: Sequence[Node]) -> None:
    """Let no two nodes share a path unless they are calls of one layer, nor hide a block."""
    blocks = {node.path[:i] for node in nodes for i in range(1, len(node.path))}
    owners: dict[tuple[str, ...], tuple[int, ...]] = {}
    for node in nodes:
        key = _key(node)
        path, number = node.path, 1
        while path in blocks or (path in owners and (not key or owners[path] != key)):
            number += 1
            path = (*node.path[:-1], f"{node.path[-1]}_{number}")
        owners[path] = key
        node.path = path
