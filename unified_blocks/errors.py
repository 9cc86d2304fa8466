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
    """Base of all errors of this library.

    Example::

        try:
            ub.state(ub.MLP(256, 10))
        except ub.UnifiedBlocksError as error:
            print(type(error).__name__, error)
    """


class UnknownBackendError(UnifiedBlocksError, ValueError):
    """A backend name that is neither registered nor an alias.

    Example::

        try:
            ub.set_backend("pytroch")
        except ub.UnknownBackendError as error:
            print(error)  # …; did you mean 'pytorch'?
    """


class BackendImportError(UnifiedBlocksError, ImportError):
    """A registered backend whose framework is missing or fails to import.

    Attributes:
        command: what installs or repairs it. An adapter that knows one raises this error with it.

    Example::

        try:
            print(ub.get_backend("mxnet").title, "works here")
        except ub.BackendImportError as error:
            print(error.command)
    """

    def __init__(self, message: str, *, name: str | None = None, command: str = "") -> None:
        super().__init__(message, name=name)
        self.command = command


class ForeignTensorError(UnifiedBlocksError, TypeError):
    """A tensor of one framework given to a block of another.

    Example::

        try:
            ub.ops.relu(np.array([-1.0, 1.0]))
        except ub.ForeignTensorError as error:
            print(error)  # … convert it with ub.from_numpy(x)
    """


class ForeignPartError(UnifiedBlocksError, TypeError):
    """A layer, block or tensor of one framework put into a block of another.

    Example::

        try:
            ub.MySequential.on("torch")(ub.Dense.on("tensorflow")(8))
        except ub.ForeignPartError as error:
            print(error)
    """


class SharingError(UnifiedBlocksError, ValueError):
    """Numbers that two libraries cannot hold in the same memory: they can only be copied.

    Example::

        try:
            ub.from_numpy([1.0, 2.0], copy=False)
        except ub.SharingError as error:
            print(error)
    """


class InputError(UnifiedBlocksError, ValueError):
    """An input whose width or dtype does not fit the block.

    Example::

        layer = ub.Dense(8, in_units=4)
        try:
            layer(ub.from_numpy(np.ones((2, 5), "float32")))
        except ub.InputError as error:
            print(error)
    """


class NotBuiltError(UnifiedBlocksError, RuntimeError):
    """The model's parameters do not exist yet: its input width is not known.

    Example::

        net = ub.MLP(256, 10)
        try:
            ub.state(net)
        except ub.NotBuiltError as error:
            print(error)
        len(ub.state(ub.build(net, (2, 20))))  # 4
    """


class BlockBuiltError(UnifiedBlocksError, RuntimeError):
    """The block was already built, and its framework allows no new children after that.

    Example::

        with ub.use_backend("tensorflow"):
            net = ub.build(ub.MySequential(ub.Dense(8)), (2, 4))
            try:
                net.add(ub.Dense(2))
            except ub.BlockBuiltError as error:
                print(error)
    """


class StateMismatchError(UnifiedBlocksError, ValueError):
    """A state whose names, shapes or dtypes are not those of the model.

    Example::

        net = ub.build(ub.Dense(8), (2, 4))
        try:
            ub.load_state(net, {"weight": np.zeros((8, 5), "float32")})
        except ub.StateMismatchError as error:
            print(error)
    """


class DuplicateBlockError(UnifiedBlocksError, ValueError):
    """A block class with the name of one that was defined before.

    Example::

        try:
            for _ in range(2):
                exec("class Cube(ub.Block): pass", {"ub": ub, "__name__": "shapes"})
        except ub.DuplicateBlockError as error:
            print(error)
    """


class DifferentCasesError(UnifiedBlocksError, ValueError):
    """Records that are not of the same cases, dtypes and modes, and cannot be compared.

    Example::

        from unified_blocks.equivalence.matrix.cells import cells
        from unified_blocks.equivalence.matrix.observing import make_record
        from unified_blocks.errors import DifferentCasesError
        one = make_record(ub.get_backend().name, cases=[], modes=["forward"])
        try:
            cells([one, one])
        except DifferentCasesError as error:
            print(error)
    """


class UnknownBlockError(UnifiedBlocksError, LookupError):
    """A block class that is named in a file but not defined in this program.

    Example::

        made = {"number": 0, "arguments": [], "keywords": {}, "dtype": "float32"}
        metadata = {"configuration": {"block": "shapes:Cone", **made}}
        ub.write_state({}, "cone.safetensors", metadata=metadata)
        try:
            ub.load("cone.safetensors")
        except ub.UnknownBlockError as error:
            print(error)
    """


class NotEquivalentError(UnifiedBlocksError, AssertionError):
    """Two models that should compute the same and do not.

    Attributes:
        deviation: how far their outputs are apart.
        comparison: the `ub.Comparison` that found it, if one did.

    Example::

        a, b = (ub.build(ub.MLP(256, 10), (2, 20)) for _ in range(2))
        try:
            ub.assert_equivalent(a, b, np.ones((2, 20), "float32"))
        except ub.NotEquivalentError as error:
            print(error.comparison.first_difference)
    """

    deviation: Any = None
    comparison: Any = None


class FileFormatError(UnifiedBlocksError, ValueError):
    """A file of an unknown format, or one that is damaged or lies about what it holds.

    Example::

        np.zeros(8).tofile("net.safetensors")
        try:
            ub.read_state("net.safetensors")
        except ub.FileFormatError as error:
            print(error)
    """


class WorkerLostError(UnifiedBlocksError, RuntimeError):
    """One of the processes that train a model together has ended before the others.

    Example::

        try:
            raise ub.WorkerLostError("worker 2 of 4 has ended")  # as `fit` raises it in the others
        except ub.WorkerLostError as error:
            print(error)
    """


class UnsupportedError(UnifiedBlocksError, TypeError):
    """An operation for which the framework, or this library, has no rule.

    Example::

        net = ub.build(ub.MySequential(ub.Dense(8), ub.Lambda(ub.ops.square)), (2, 4))
        try:
            ub.save(net, "net.safetensors")
        except ub.UnsupportedError as error:
            print(error)
    """

    if not TYPE_CHECKING:  # TensorFlow's AutoGraph raises errors with this constructor as they are
        __init__ = Exception.__init__
