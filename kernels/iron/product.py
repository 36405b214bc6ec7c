"""Matrix products on R rows and C columns of compute tiles: takes an entry, gives the MLIR module.

NOT COMPILED WHERE IT WAS WRITTEN: no machine of this project's has the toolchain. README.md says what is checked.

    A   row r of the array gets tiles [m, k] through the memory tile of column r·C/R, its feeder (with fewer columns than
        rows, a feeder deals tiles out to R/C rows); all columns of the row take the same
    B   column c gets tiles [k, n] (bfp16: [n, k]) through its memory tile; all rows of the column take the same
    C   column c gives the tiles [m, n] of its rows, row 0 first, joined in its memory tile

Tiles are row-major in host memory and on the shim's channels. Memory tiles read them by r×s and s×t blocks, as the
multiplier wants them, and C back by rows. bfp16 comes by blocks already (DIM32 order).
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
    from_blocks,
    memory,
    part,
    runtime_words,
    shim,
    stored,
    tensor,
)
from recipes import recipe

# Of the runtime words, the one that says how many tiles along K are summed.
_TILES_WORD = 1


def _sum_type(program):
    return "i32" if program.input == "i8" else "f32"


def _c_depth(common, program):
    """C tiles that a compute tile keeps: two where they fit beside A and B twice."""
    sizes = {"i8": 1, "bf16": 2, "i32": 4, "f32": 4}
    inputs = program.m * program.k + program.k * program.n
    input_bytes = inputs // 8 * 9 if program.input == "bfp16" else sizes[program.input] * inputs
    output_bytes = sizes[program.output] * program.m * program.n
    sums_bytes = 0 if program.output == _sum_type(program) else 4 * program.m * program.n
    room = common.tileMemoryBytes - common.tileReservedBytes
    return 2 if 2 * input_bytes + sums_bytes + 2 * output_bytes <= room else 1


def _core(tiles):
    """The program of every compute tile: C tiles without end, each the sum over `tiles` steps of K (None: word 1)."""

    def core(a, b, c, clear, multiply, finish, sums, words):
        out = c.acquire(1)
        total = out if sums is None else sums
        clear(total)

        def step():
            multiply(a.acquire(1), b.acquire(1), total)
            a.release(1)
            b.release(1)

        # The words are written before the first tile of a product is sent, so they are right once that has come.
        step()
        if tiles != 1:
            # A word is a value of the core's, known when it runs: nothing here may compare it.
            count = index_cast(IndexType.get(), words[_TILES_WORD]) if tiles is None else tiles
            for _ in range_(1, count):
                step()
        if sums is not None:
            finish(sums, out)
        c.release(1)

    return core


class _Fifos:
    """The way of A, B and C between the shim tiles and the compute tiles."""

    def __init__(self, common, entry):
        program, self.entry = entry.program, entry
        m, k, n = program.m, program.k, program.n
        r, s, t = program.subtile
        blocked = program.input == "bfp16"
        self.a_type = tensor(program.input, m * k)
        self.b_type = tensor(program.input, k * n)
        self.c_type = tensor(program.output, m * n)
        self.feeders = min(entry.columns, entry.rows)
        self.rows_each = entry.rows // self.feeders
        self.a_order = None if blocked else by_blocks(m, k, r, s)
        self.b_order = None if blocked else by_blocks(k, n, s, t)
        self.c_order = from_blocks(entry.rows * m, n, r, t)
        self.c_depth = _c_depth(common, program)
        self.shim_a, self.a = self._make_a()
        self.shim_b, self.b = self._make_b()
        self.shim_c, self.c = self._make_c()

    def feeder_column(self, feeder):
        """The column whose shim tile feeds it."""
        return feeder * self.entry.columns // self.feeders

    def _make_a(self):
        program = self.entry.program
        tile = program.m * program.k
        host, rows = [], []
        for feeder in range(self.feeders):
            column, first = self.feeder_column(feeder), feeder * self.rows_each
            names = [f"A_{first + i}" for i in range(self.rows_each)]
            fifo = ObjectFifo(tensor(program.input, self.rows_each * tile), depth=2, name=f"A_in_{feeder}")
            host.append(fifo.prod(tile=shim(column), channel=A_CHANNEL))
            if self.rows_each == 1:
                rows.append(
                    fifo.cons().forward(
                        tile=memory(column), obj_type=self.a_type, depth=2, name=names[0],
                        dims_to_stream=self.a_order,
                    )
                )  # fmt: skip
                continue
            rows += fifo.cons().split(
                [i * stored(program.input, tile) for i in range(self.rows_each)],
                tile=memory(column),
                obj_types=[self.a_type] * self.rows_each,
                depths=[2] * self.rows_each,
                names=names,
                dims_to_stream=[self.a_order] * self.rows_each,
            )
        return host, rows

    def _make_b(self):
        host, columns = [], []
        for column in range(self.entry.columns):
            fifo = ObjectFifo(self.b_type, depth=2, name=f"B_in_{column}")
            host.append(fifo.prod(tile=shim(column), channel=B_CHANNEL))
            columns.append(
                fifo.cons().forward(
                    tile=memory(column), obj_type=self.b_type, depth=2, name=f"B_{column}",
                    dims_to_stream=self.b_order,
                )
            )  # fmt: skip
        return host, columns

    def _make_c(self):
        program, rows = self.entry.program, self.entry.rows
        tile = program.m * program.n
        host, tiles = [], []
        for column in range(self.entry.columns):
            if rows == 1:
                fifo = ObjectFifo(self.c_type, depth=self.c_depth, name=f"C_{column}_0")
                whole = fifo.cons(depth=2).forward(
                    tile=memory(column), obj_type=self.c_type, depth=2, name=f"C_out_{column}",
                    dims_to_stream=self.c_order,
                )  # fmt: skip
                tiles.append([fifo])
            else:
                whole = ObjectFifo(
                    tensor(program.output, rows * tile), depth=2, name=f"C_out_{column}",
                    dims_to_stream=self.c_order,
                )  # fmt: skip
                tiles.append(
                    whole.prod().join(
                        [row * tile for row in range(rows)],
                        tile=memory(column),
                        obj_types=[self.c_type] * rows,
                        depths=[self.c_depth] * rows,
                        names=[f"C_{column}_{row}" for row in range(rows)],
                    )
                )
            host.append(whole.cons(tile=shim(column), channel=C_CHANNEL))
        return host, tiles


def _workers(common, entry, fifos):
    program = entry.program
    sum_type = _sum_type(program)
    binary = recipe(entry).object_file
    total_type = tensor(sum_type, program.m * program.n)
    clear = Kernel("tile_clear", binary, [total_type])
    multiply = Kernel("tile_multiply", binary, [fifos.a_type, fifos.b_type, total_type])
    narrows = program.output != sum_type
    finish = Kernel("tile_narrow", binary, [total_type, fifos.c_type]) if narrows else None
    workers, all_words = [], []
    for column in range(entry.columns):
        for row in range(entry.rows):
            words = runtime_words(common, entry, column, row)
            sums = Buffer(total_type, name=f"sums_{column}_{row}") if narrows else None
            ends = [fifos.a[row].cons(), fifos.b[column].cons(), fifos.c[column][row].prod()]
            workers.append(
                Worker(
                    _core(program.reduce),
                    [*ends, clear, multiply, finish, sums, words],
                    tile=compute(column, row),
                    stack_size=STACK_BYTES,
                    # Loops of a length that is only known when they run, and odd ones, over fifos of two objects.
                    dynamic_objfifo_lowering=True,
                )
            )
            if words is not None:
                all_words.append(words)
    return workers, all_words


def build(common, entry):
    """The module of a product.

    Its runtime sequence does one round on buffers that hold tiles in the order of the stream. It binds the shim tiles'
    channels and is a smoke test; sotto makes its own streams.
    """
    program, fifos = entry.program, _Fifos(common, entry)
    workers, all_words = _workers(common, entry, fifos)
    steps = program.reduce or 1
    counts = (
        steps * entry.rows * program.m * program.k,
        steps * entry.columns * program.k * program.n,
        entry.rows * entry.columns * program.m * program.n,
    )

    def sequence(a, b, c, *ends):
        for words in all_words:
            words[0], words[_TILES_WORD] = 0, steps
        feeds = ends[: fifos.feeders]
        columns = ends[fifos.feeders : fifos.feeders + entry.columns]
        outputs = ends[fifos.feeders + entry.columns :]
        group = TaskGroup()
        for column, end in enumerate(outputs):
            end.drain(c, tap=part(program.output, counts[2], column, entry.columns), wait=True, group=group)
        for feeder, end in enumerate(feeds):
            end.fill(a, tap=part(program.input, counts[0], feeder, fifos.feeders), group=group)
        for column, end in enumerate(columns):
            end.fill(b, tap=part(program.input, counts[1], column, entry.columns), group=group)
        group.finish()

    kinds = (program.input, program.input, program.output)
    arguments = [tensor(kind, count) for kind, count in zip(kinds, counts)]
    runtime = Runtime(sequence, [*arguments, *fifos.shim_a, *fifos.shim_b, *fifos.shim_c])
    return Program(device(entry), runtime, workers=workers).resolve_program()
