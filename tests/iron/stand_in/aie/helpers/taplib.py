"""A stand-in for aie.helpers.taplib."""


class TensorAccessPattern:
    """What of a buffer a transfer touches."""

    def __init__(self, tensor_dims, offset, sizes, strides):
        total = 1
        for size in tensor_dims:
            total *= size
        reach = offset + sum((count - 1) * step for count, step in zip(sizes, strides)) + 1
        if reach > total:
            raise ValueError(f"a pattern touches value {reach} of {total}")
        self.offset, self.sizes, self.strides = offset, sizes, strides
