"""A stand-in for aie.iron.device."""


class Tile:
    """A place in the array."""

    def __init__(self, col, row):
        self.col, self.row = col, row

    @property
    def place(self):
        return self.col, self.row


def _device(name, generation, columns):
    return type(name, (), {"generation": generation, "columns": columns})


NPU1 = _device("NPU1", "npu1", 4)
NPU1Col1 = _device("NPU1Col1", "npu1", 1)
NPU1Col2 = _device("NPU1Col2", "npu1", 2)
NPU2 = _device("NPU2", "npu2", 8)
NPU2Col1 = _device("NPU2Col1", "npu2", 1)
