"""A stand-in for the two names of NumPy that IRON's types are written with: ndarray[shape, dtype[element]]."""


class Array:
    """The type of an array."""

    def __init__(self, shape, element):
        self.shape, self.element = tuple(shape), element

    @property
    def count(self):
        """Values."""
        total = 1
        for size in self.shape:
            total *= size
        return total

    @property
    def bytes(self):
        """Bytes."""
        return self.count * self.element.itemsize

    def __eq__(self, other):
        return (self.shape, self.element) == (other.shape, other.element)

    def __hash__(self):
        return hash((self.shape, self.element))


class ndarray:
    """As `ndarray[shape, dtype[element]]`."""

    def __class_getitem__(cls, parameters):
        return Array(*parameters)


class dtype:
    """As `dtype[element]`."""

    def __class_getitem__(cls, element):
        return element


class int8:
    itemsize = 1


class int32:
    itemsize = 4


class float32:
    itemsize = 4
