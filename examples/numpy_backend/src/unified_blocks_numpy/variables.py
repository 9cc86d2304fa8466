"""The numbers of a model, by their names."""

from numpy_tape import Buffer, Parameter, walk

from unified_blocks.backend import Variable


class TapeVariable(Variable):
    """A parameter or a buffer of a module. It has the layout of this library: `(out, in)`."""

    def __init__(self, name, tensor, owner):
        self.name, self.tensor, self.owner = name, tensor, owner
        self.role = "constant" if isinstance(tensor, Buffer) else "parameter"

    shape = property(lambda self: self.tensor.sizes)
    dtype = property(lambda self: self.tensor.dtype.name)
    device = property(lambda self: "cpu")
    trainable = property(lambda self: self.tensor.trainable)
    is_built = property(lambda self: None not in self.tensor.sizes)

    def freeze(self):
        self.tensor.trainable = False

    def view(self):
        return self.tensor.array

    def write(self, array):
        self.tensor.write(array)


def variables_of(net):
    """The variables of `net` in order, one that is shared once, under its first name."""
    found = {}
    for path, value, owner in walk(net):
        if isinstance(value, Parameter):
            variable = TapeVariable(path, value, owner)
            first = found.setdefault(id(value), variable)
            if first is not variable:
                first.is_also(variable)
    return list(found.values())
