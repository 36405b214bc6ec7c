"""The array as our instruction streams presume it: takes an entry, gives devices, tensor types and places.

kernels/npu/instructions.ts pushes to these ports, whatever the overlay; nothing here may choose others:

    A, or Q           MM2S 0 of a column's shim tile
    B, or K and V     MM2S 1
    C, or O           S2MM 0

Columns are 0… of the partition; row 0 is the shim tile, row 1 the memory tile, compute tiles are from row 2 on.
"""

import numpy as np
from aie.helpers.taplib import TensorAccessPattern
from aie.iron import Buffer
from aie.iron.device import NPU1, NPU2, NPU1Col1, NPU1Col2, NPU2Col1, Tile
from ml_dtypes import bfloat16

A_CHANNEL, B_CHANNEL, C_CHANNEL = 0, 1, 0

# Peano's kernels want more than the 1 KB that the toolchain gives unasked.
STACK_BYTES = 0xD00

_DEVICES = {
    ("npu1", 1): NPU1Col1,
    ("npu1", 2): NPU1Col2,
    ("npu1", 4): NPU1,
    ("npu2", 1): NPU2Col1,
    ("npu2", 8): NPU2,
}

_TYPES = {"i8": np.int8, "i32": np.int32, "f32": np.float32, "bf16": bfloat16}


def device(entry):
    """The device that has as many columns as the entry takes."""
    return _DEVICES[entry.generation, entry.columns]()


def shim(column):
    """A column's shim tile."""
    return Tile(column, 0)


def memory(column):
    """A column's memory tile."""
    return Tile(column, 1)


def compute(column, row):
    """A compute tile; rows count from 0."""
    return Tile(column, 2 + row)


def stored(kind, count):
    """How many elements `count` values are in memory; bfp16 is bytes, nine for eight values."""
    return count // 8 * 9 if kind == "bfp16" else count


def tensor(kind, count):
    """The type of `count` values, one after the other; no DMA and no core here looks into bfp16."""
    element = np.int8 if kind == "bfp16" else _TYPES[kind]
    return np.ndarray[(stored(kind, count),), np.dtype[element]]


def by_blocks(rows, columns, height, width):
    """How a memory tile reads a row-major [rows, columns] so that height × width blocks come out one by one.

    Blocks go left to right, top to bottom; the list is (count, step in values), outermost first.
    """
    return [(rows // height, height * columns), (columns // width, width), (height, columns), (width, 1)]


def from_blocks(rows, columns, height, width):
    """The inverse: how it reads height × width blocks so that a row-major [rows, columns] comes out."""
    return [
        (rows // height, height * columns),
        (height, width),
        (columns // width, height * width),
        (width, 1),
    ]


def runtime_words(common, entry, column, row):
    """The words that a stream writes into a compute tile before its tasks: program, tiles, keys, scale.

    They are on the tile of the worker that is given them. None for an entry that has all its numbers compiled in.
    """
    if entry.runtime is None:
        return None
    return Buffer(
        tensor("i32", common.runtimeWords),
        name=f"words_{column}_{row}",
        address=entry.runtime,
        use_write_rtp=True,
    )


def part(kind, count, index, parts):
    """The `index`-th of `parts` equal pieces of a buffer of `count` values."""
    total = stored(kind, count)
    length = total // parts
    return TensorAccessPattern((1, total), index * length, sizes=[1, 1, 1, length], strides=[0, 0, 0, 1])
