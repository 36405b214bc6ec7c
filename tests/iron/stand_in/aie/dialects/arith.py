"""A stand-in for aie.dialects.arith: numbers are numbers here."""


def index_cast(kind, value):
    """A runtime word as a loop's bound."""
    return kind(value)
