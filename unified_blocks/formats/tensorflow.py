"""What TensorFlow saves, which is not read: the error says how to come from it.

A SavedModel and a checkpoint name arrays by the objects that led to them, `_operations/1/_kernel`,
or only number them, and neither says what a layer is. Keras knows: the way leads over the model.
"""

from __future__ import annotations

from pathlib import Path

from unified_blocks.errors import FileFormatError

_TABLE = bytes.fromhex("57fb808b247547db")
"""The end of a checkpoint's index."""

_MOST_INDEX = 2**26


def refuse(path: Path) -> None:
    """Nothing for a path that is not TensorFlow's.

    Raises:
        FileFormatError: for a SavedModel, a checkpoint, one of the files of either, or a folder.
    """
    folder = path.parent if path.name == "saved_model.pb" else path
    if (folder / "saved_model.pb").is_file():
        raise _refused(path, "a SavedModel of TensorFlow", folder / "variables" / "variables")
    if path.is_dir():
        indices = sorted(filter(_is_index, path.glob("*.index")))
        if indices:
            raise _refused(path, "a folder of checkpoints", _prefix(indices[-1]))
        inside = ", ".join(sorted(each.name for each in path.iterdir()))
        raise FileFormatError(
            f"{path} must be a file of numbers; got a folder: give one of the files in it: "
            f"{inside[:200] or 'it is empty'}"
        )
    prefix = _prefix(path)
    if (prefix != path or not path.is_file()) and _is_index(_index(prefix)):
        raise _refused(path, "a checkpoint of TensorFlow", prefix)


def _prefix(path: Path) -> Path:
    """The name of a checkpoint, from that of one of its files."""
    name, dot, _ = path.name.partition(".data-")
    return path.with_name(name if dot else path.name.removesuffix(".index"))


def _index(prefix: Path) -> Path:
    return prefix.with_name(f"{prefix.name}.index")


def _is_index(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - len(_TABLE)))
        return file.read() == _TABLE


def _refused(path: Path, what: str, prefix: Path) -> FileFormatError:
    index = _index(prefix)
    numbered = (
        _is_index(index)
        and index.stat().st_size < _MOST_INDEX
        and b"all_variables/0/" in index.read_bytes()  # written by `model.export`
    )
    way = f"tf.train.Checkpoint(model).restore({str(prefix)!r}).expect_partial()"
    if numbered:
        folder = str(prefix.parent.parent)
        way = f"model.set_weights([v.numpy() for v in tf.saved_model.load({folder!r}).variables])"
    return FileFormatError(
        f"{path} must be a file that tells what its layers are; got {what}, which does not: make "
        f"the model in Keras, restore it, {way}, and use the model itself, or save it as .keras"
    )
