"""Attention of whole layers on R rows and C columns of compute tiles: takes an entry, gives the MLIR module.

NOT COMPILED WHERE IT WAS WRITTEN: no machine of this project's has the toolchain. README.md says what is checked.

Columns work apart from each other. Through its memory tile a column gets R tiles of queries (MM2S 0), dealt out to its
rows, then for each tile of keys the keys and the values (MM2S 1), which all rows take; and it gives R tiles of results,
row 0 first. All tiles are bf16 [64, 64], row-major on the shim's channels.

Memory tiles read queries by 8×8 blocks, columns of blocks first, and keys and values by 4×8 blocks: tiles/attention.cc
turns those where they lie. Results come row-major from the compute tiles.
"""

from aie.dialects.arith import index_cast
from aie.ir import IndexType
from aie.iron import Buffer, Kernel, ObjectFifo, Program, Runtime, TaskGroup, Worker
from aie.iron.controlflow import range_

from ports import (
    A_CHANNEL,
    B_CHANNEL,
    C_CHANNEL,
    STACK_BYTES,
    by_blocks,
    compute,
    device,
    memory,
    part,
    runtime_words,
    shim,
    tensor,
)
from recipes import recipe

# Of the runtime words, the one that says how many tiles of keys there are.
_TILES_WORD = 1
# Queries that a vector of scores holds, one a lane; `LANES` of tiles/attention.cc.
_LANES = 16
# Values of `attention_state` of tiles/attention.cc, in words: three for each query, then scale, keys, keys seen.
_STATE_TAIL = 16


def _core(q, kv, o, begin, score, gather, finish, sums, scores, state, words):
    """The program of every compute tile: a tile of results, over as many tiles of keys as word 1 says."""
    queries = q.acquire(1)
    weights = o.acquire(1)  # where the results will be, weights are until then
    # The words are written before the first tile of queries is sent, so they are right once that has come.
    begin(queries, sums, state, words)
    for _ in range_(index_cast(IndexType.get(), words[_TILES_WORD])):
        score(queries, kv.acquire(1), weights, scores, state)
        kv.release(1)
        gather(weights, kv.acquire(1), sums, state)
        kv.release(1)
    finish(sums, weights, state)
    q.release(1)
    o.release(1)


def _column(entry, column):
    """The fifos of a column: their ends at the shim tile, and for the rows."""
    queries, width, rows = entry.program.queries, entry.program.width, entry.rows
    tile, kind = queries * width, entry.program.input
    one, all_rows = tensor(kind, tile), tensor(kind, rows * tile)
    # 8×8 blocks, those of the first eight columns first.
    query_order = [(width // 8, 8), (queries // 8, 8 * width), (8, width), (8, 1)]

    q_in = ObjectFifo(all_rows, depth=2, name=f"Q_in_{column}")
    kv_in = ObjectFifo(one, depth=2, name=f"KV_in_{column}")
    out = ObjectFifo(tensor(entry.program.output, rows * tile), depth=2, name=f"O_out_{column}")
    offsets = [row * tile for row in range(rows)]
    ends = (
        q_in.prod(tile=shim(column), channel=A_CHANNEL),
        kv_in.prod(tile=shim(column), channel=B_CHANNEL),
        out.cons(tile=shim(column), channel=C_CHANNEL),
    )
    q = q_in.cons().split(
        offsets,
        tile=memory(column),
        obj_types=[one] * rows,
        depths=[1] * rows,
        names=[f"Q_{column}_{row}" for row in range(rows)],
        dims_to_stream=[query_order] * rows,
    )
    kv = kv_in.cons().forward(
        tile=memory(column), obj_type=one, depth=2, name=f"KV_{column}",
        dims_to_stream=by_blocks(queries, width, 4, 8),
    )  # fmt: skip
    o = out.prod().join(
        offsets,
        tile=memory(column),
        obj_types=[tensor(entry.program.output, tile)] * rows,
        depths=[1] * rows,
        names=[f"O_{column}_{row}" for row in range(rows)],
    )
    return ends, q, kv, o


def _kernels(common, entry):
    queries, width = entry.program.queries, entry.program.width
    tile = tensor(entry.program.input, queries * width)
    sums = tensor("f32", width * queries)
    scores = tensor("f32", queries * _LANES)
    state = tensor("f32", 3 * queries + _STATE_TAIL)
    words = tensor("i32", common.runtimeWords)
    binary = recipe(entry).object_file
    kernels = (
        Kernel("attention_begin", binary, [tile, sums, state, words]),
        Kernel("attention_score", binary, [tile, tile, tile, scores, state]),
        Kernel("attention_gather", binary, [tile, tile, sums, state]),
        Kernel("attention_finish", binary, [sums, tile, state]),
    )
    return kernels, (("sums", sums), ("scores", scores), ("state", state))


def build(common, entry):
    """The module of attention.

    Its runtime sequence does one round with one tile of keys, on buffers that hold tiles in the order of the stream. It
    binds the shim tiles' channels and is a smoke test; sotto makes its own streams.
    """
    program = entry.program
    kernels, buffers = _kernels(common, entry)
    workers, all_words, ends = [], [], []
    for column in range(entry.columns):
        column_ends, q, kv, o = _column(entry, column)
        ends += column_ends
        for row in range(entry.rows):
            words = runtime_words(common, entry, column, row)
            own = [Buffer(kind, name=f"{name}_{column}_{row}") for name, kind in buffers]
            workers.append(
                Worker(
                    _core,
                    [q[row].cons(), kv.cons(), o[row].prod(), *kernels, *own, words],
                    tile=compute(column, row),
                    stack_size=STACK_BYTES,
                    dynamic_objfifo_lowering=True,
                )
            )
            all_words.append(words)

    tile = program.queries * program.width
    counts = (entry.columns * entry.rows * tile, entry.columns * 2 * tile, entry.columns * entry.rows * tile)

    def sequence(q, kv, o, *ends):
        for words in all_words:
            words[0], words[_TILES_WORD], words[2], words[3] = 0, 1, 0, 0
        group = TaskGroup()
        for column in range(entry.columns):
            from_q, from_kv, to_o = ends[3 * column : 3 * column + 3]
            places = [part(program.input, count, column, entry.columns) for count in counts]
            to_o.drain(o, tap=places[2], wait=True, group=group)
            from_q.fill(q, tap=places[0], group=group)
            from_kv.fill(kv, tap=places[1], group=group)
        group.finish()

    kinds = (program.input, program.input, program.output)
    runtime = Runtime(sequence, [*(tensor(kind, count) for kind, count in zip(kinds, counts)), *ends])
    return Program(device(entry), runtime, workers=workers).resolve_program()
