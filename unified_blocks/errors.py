"""The errors that this library defines.

    UnifiedBlocksError
    ├── UnknownBackendError (ValueError)      a backend name that no one registered
    ├── BackendImportError  (ImportError)     a known backend whose framework cannot be imported
    ├── ForeignTensorError  (TypeError)       a tensor of one framework given to another's block
    ├── ForeignPartError    (TypeError)       a layer of one framework put into another's block
    ├── SharingError        (ValueError)      numbers that two libraries cannot hold in one memory
    ├── InputError          (ValueError)      an input whose width or dtype the block cannot take
    ├── NotBuiltError       (RuntimeError)    a question about numbers that do not exist yet
    ├── BlockBuiltError     (RuntimeError)    a change to a block that its framework has locked
    ├── StateMismatchError  (ValueError)      a state that does not fit a model
    ├── DuplicateBlockError (ValueError)      two block classes with one name, which files
    │                                         could not tell apart
    ├── DifferentCasesError (ValueError)      records of other cases than those compared with
    ├── UnknownBlockError   (LookupError)     a file names a block class that was not defined
    ├── NotEquivalentError  (AssertionError)  two models that compute different outputs
    ├── FileFormatError     (ValueError)      a file that is not what it claims to be, or is damaged
    ├── WorkerLostError     (RuntimeError)    one of the processes that train together has ended
    └── UnsupportedError    (TypeError)       something that a framework cannot do, or that has
                                              no rule here yet

Each one is also the built-in error in parentheses, so code that does not know this library
can still catch it. A message says what happened, the rule, what was received, and one remedy.
"""

from typing import TYPE_CHECKING, Any


class UnifiedBlocksError(Exception):
    """Base of all errors of this library."""


class UnknownBackendError(UnifiedBlocksError, ValueError):
    """A backend name that is neither registered nor an alias."""


class BackendImportError(UnifiedBlocksError, ImportError):
    """A registered backend whose framework is missing or fails to import.

    Attributes:
        command: what installs or repairs it. An adapter that knows one raises this error with it.
    """

    def __init__(self, message: str, *, name: str | None = None, command: str = "") -> None:
        super().__init__(message, name=name)
        self.command = command


class ForeignTensorError(UnifiedBlocksError, TypeError):
    """A tensor of one framework given to a block of another."""


class ForeignPartError(UnifiedBlocksError, TypeError):
    """A layer, block or tensor of one framework put into a block of another."""


class SharingError(UnifiedBlocksError, ValueError):
    """Numbers that two libraries cannot hold in the same memory: they can only be copied."""


class InputError(UnifiedBlocksError, ValueError):
    """An input whose width or dtype does not fit the block."""


class NotBuiltError(UnifiedBlocksError, RuntimeError):
    """The model's parameters do not exist yet: its input width is not known."""


class BlockBuiltError(UnifiedBlocksError, RuntimeError):
    """The block was already built, and its framework allows no new children after that."""


class StateMismatchError(UnifiedBlocksError, ValueError):
    """A state whose names, shapes or dtypes are not those of the model."""


class DuplicateBlockError(UnifiedBlocksError, ValueError):
    """A block class with the name of one that was defined before."""


class DifferentCasesError(UnifiedBlocksError, ValueError):
    """Records that are not of the same cases, dtypes and modes, and cannot be compared."""


class UnknownBlockError(UnifiedBlocksError, LookupError):
    """A block class that is named in a file but not defined in this program."""


class NotEquivalentError(UnifiedBlocksError, AssertionError):
    """Two models that should compute the same and do not.

    Attributes:
        deviation: how far their outputs are apart.
        comparison: the `ub.Comparison` that found it, if one did.
    """

    deviation: Any = None
    comparison: Any = None


class FileFormatError(UnifiedBlocksError, ValueError):
    """A file of an unknown format, or one that is damaged or lies about what it holds."""


class WorkerLostError(UnifiedBlocksError, RuntimeError):
    """One of the processes that train a model together has ended before the others."""


class UnsupportedError(UnifiedBlocksError, TypeError):
    """An operation for which the framework, or this library, has no rule."""

    if not TYPE_CHECKING:  # TensorFlow's AutoGraph raises errors with this constructor as they are
        __init__ = Exception.__init__
