"""A stand-in for aie.dialects.arith."""


class _Index:
    """A number that is known when the core runs: a loop may take it as a bound, and Python may do nothing else with it."""

    def __init__(self, value):
        self._value = value

    def __index__(self):
        return self._value

    def _refuse(self, *_):
        raise TypeError("a design compares a value of the core's, which it cannot know")

    __bool__ = __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _refuse
    __hash__ = None


def index_cast(_kind, value):
    """A runtime word as a loop's bound."""
    return _Index(value)
