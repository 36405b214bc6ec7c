"""A stand-in for aie.ir."""


class IndexType:
    """The type of a loop's bounds."""

    @staticmethod
    def get():
        return IndexType
