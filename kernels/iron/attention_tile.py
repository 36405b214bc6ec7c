"""Attention of one tile of int8 on one compute tile: takes an entry, gives the MLIR module.

NOT COMPILED WHERE IT WAS WRITTEN: no machine of this project's has the toolchain. README.md says what is checked.

MM2S 0 of column 0 carries queries, keys and values [64, 64] one after the other, S2MM 0 the results. The memory tile reads
all three by 8×8 blocks.
"""

from aie.iron import Buffer, Kernel, ObjectFifo, Program, Runtime, Worker

from ports import (
    A_CHANNEL,
    C_CHANNEL,
    STACK_BYTES,
    by_blocks,
    compute,
    device,
    memory,
    shim,
    tensor,
)
from recipes import recipe


def _core(inputs, output, turn, score, weigh, turned, scores):
    """The program of the compute tile."""
    turn(inputs.acquire(1), turned)
    inputs.release(1)
    score(turned, inputs.acquire(1), scores)
    inputs.release(1)
    weigh(scores, inputs.acquire(1), output.acquire(1))
    inputs.release(1)
    output.release(1)


def build(_common, entry):
    """The module: Q, K, V in one buffer, O in another."""
    side, width = entry.tile, entry.width
    tile, scores = tensor("i8", side * width), tensor("f32", side * side)
    source = ObjectFifo(tile, depth=2, name="QKV_in")
    inputs = source.cons().forward(
        tile=memory(0), obj_type=tile, depth=2, name="QKV", dims_to_stream=by_blocks(side, width, 8, 8)
    )
    output = ObjectFifo(tile, depth=1, name="O")
    binary = recipe(entry).object_file
    worker = Worker(
        _core,
        [
            inputs.cons(),
            output.prod(),
            Kernel("attention_tile_turn", binary, [tile, tile]),
            Kernel("attention_tile_score", binary, [tile, tile, scores]),
            Kernel("attention_tile_weigh", binary, [scores, tile, tile]),
            Buffer(tile, name="turned"),
            Buffer(scores, name="scores"),
        ],
        tile=compute(0, 0),
        stack_size=STACK_BYTES,
        dynamic_objfifo_lowering=True,
    )

    def sequence(qkv, o, into, out_of):
        into.fill(qkv)
        out_of.drain(o, wait=True)

    ends = [source.prod(tile=shim(0), channel=A_CHANNEL), output.cons(tile=shim(0), channel=C_CHANNEL)]
    runtime = Runtime(sequence, [tensor("i8", 3 * side * width), tile, *ends])
    return Program(device(entry), runtime, workers=[worker]).resolve_program()
