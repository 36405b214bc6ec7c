"""What a design takes of the hardware, held against what there is: takes a module of the stand-in, gives complaints.

Counts are those of AIE-ML (XDNA1) and AIE-MLv2 (XDNA2), which agree in all of these, as MLIR-AIE's target models have them.
"""

from aie.iron.fifos import Link
from aie.iron import Worker

COMPUTE = {"bytes": 65_536, "descriptors": 16, "in": 2, "out": 2, "locks": 16}
MEMORY = {"bytes": 524_288, "descriptors": 48, "in": 6, "out": 6, "locks": 64}
SHIM = {"in": 2, "out": 2}
BANK_BYTES = 16_384
# Descriptors that the even channels, or the odd ones, of a memory tile can reach.
MEMORY_DESCRIPTORS_OF_HALF = 24
# Of a dimension of a memory tile's descriptor: count, and step in 32-bit words. The outermost has no count.
DIMENSIONS, LARGEST_COUNT, LARGEST_STEP = 4, 1023, 1 << 17


def fifos_of(module):
    """Every fifo of a module, found from its ends."""
    found, ends = [], [*module.runtime.fifos, *(end for worker in module.workers for end in worker.fifos)]
    while ends:
        end = ends.pop()
        if end.fifo in found:
            continue
        found.append(end.fifo)
        for other in (end.fifo.producer, *end.fifo.consumers):
            if isinstance(other.endpoint, Link):
                ends += [*other.endpoint.sources, *other.endpoint.targets]
    return found


def place_of(end):
    """The tile an end is on."""
    tile = end.endpoint.tile if isinstance(end.endpoint, (Link, Worker)) else end.tile
    return tile.place


def _order_complaints(fifo):
    size = fifo.obj_type.element.itemsize
    order = fifo.dims_to_stream
    if not order:
        return
    counts, steps = zip(*order)
    total = 1
    for count in counts:
        total *= count
    if total != fifo.obj_type.count:
        yield f"{fifo.name}: an order of {total} values for {fifo.obj_type.count}"
    if steps[-1] != 1 or counts[-1] * size % 4 or any(step * size % 4 for step in steps[:-1]):
        yield f"{fifo.name}: an order that cuts 32-bit words"
    words = [counts[-1] * size // 4, *counts[:0:-1][1:]]
    if len(order) > DIMENSIONS or any(count > LARGEST_COUNT for count in words):
        yield f"{fifo.name}: an order of {order}"
    if any(step * size // 4 > LARGEST_STEP for step in steps):
        yield f"{fifo.name}: steps of {steps}"


def _tally(uses, place, direction, channel, descriptors):
    use = uses.setdefault(place, {"in": [], "out": [], "descriptors": 0, "locks": 0})
    use[direction].append((channel, descriptors))
    use["descriptors"] += descriptors
    use["locks"] += 2


def channels_of(module):
    """By tile: channels in and out with their descriptors. A link's ends share its buffers, not their channels."""
    uses = {}
    for fifo in fifos_of(module):
        for end in (fifo.producer, *fifo.consumers):
            link = end.endpoint if isinstance(end.endpoint, Link) else None
            # A link moves whole objects of its larger fifo: as many as that one is deep.
            depth = max(other.depth for other in (*link.sources, *link.targets)) if link else end.depth
            shim = place_of(end)[1] == 0
            _tally(uses, place_of(end), "out" if end.is_prod else "in", end.channel, 0 if shim else depth)
    return uses


def _first_fit(buffers, stack, pinned):
    """Whether buffers, largest first, fit banks, none across two; after MLIR-AIE's bank-aware allocation."""
    banks = [[start, start + BANK_BYTES] for start in range(0, COMPUTE["bytes"], BANK_BYTES)]
    banks[0][0] += stack
    for address, size in pinned:
        bank = banks[address // BANK_BYTES]
        # What lies behind a pinned buffer is left unused here.
        bank[1] = min(bank[1], address)
        if address < bank[0] or size > BANK_BYTES:
            return False
    for size in sorted(buffers, reverse=True):
        fitting = [bank for bank in banks if bank[1] - bank[0] >= size]
        if not fitting:
            return False
        best = min(fitting, key=lambda bank: bank[1] - bank[0])
        best[0] += -(-size // 32) * 32
    return True


def compute_bytes(worker):
    """Bytes of a compute tile's buffers, one by one, and of those that are pinned."""
    buffers = [end.fifo.obj_type.bytes for end in worker.fifos for _ in range(end.depth)]
    own = [buffer for buffer in worker.buffers if buffer.address_in_tile is None]
    pinned = [(b.address_in_tile, b.kind.bytes) for b in worker.buffers if b.address_in_tile is not None]
    return buffers + [buffer.kind.bytes for buffer in own], pinned


def _memory_bytes(module):
    total = {}
    links = {id(end.endpoint): end.endpoint for fifo in fifos_of(module)
             for end in (fifo.producer, *fifo.consumers) if isinstance(end.endpoint, Link)}  # fmt: skip
    for link in links.values():
        ends = [*link.sources, *link.targets]
        largest = max(end.fifo.obj_type.bytes for end in ends)
        depth = max(end.depth for end in ends)
        total[link.tile.place] = total.get(link.tile.place, 0) + largest * depth
    return total


def complaints(module):
    """What does not fit, in words; nothing if all does."""
    for fifo in fifos_of(module):
        yield from _order_complaints(fifo)
        if fifo.producer is None or not fifo.consumers:
            yield f"{fifo.name}: an end is missing"
    for place, use in channels_of(module).items():
        limits = (SHIM, MEMORY)[place[1]] if place[1] < 2 else COMPUTE
        for direction in ("in", "out"):
            taken = [channel for channel, _ in use[direction] if channel is not None]
            if len(use[direction]) > limits[direction] or len(taken) != len(set(taken)):
                yield f"tile {place}: {len(use[direction])} channels {direction}, {taken} by name"
        if place[1] > 0 and (use["descriptors"] > limits["descriptors"] or use["locks"] > limits["locks"]):
            yield f"tile {place}: {use['descriptors']} descriptors, {use['locks']} locks"
        if place[1] == 1:
            # Channels are taken in order, so every second one is even.
            for half in (0, 1):
                reached = sum(count for way in ("in", "out") for _, count in use[way][half::2])
                if reached > MEMORY_DESCRIPTORS_OF_HALF:
                    yield f"tile {place}: {reached} descriptors on every second channel"
    for place, size in _memory_bytes(module).items():
        if size > MEMORY["bytes"]:
            yield f"tile {place}: {size} bytes of {MEMORY['bytes']}"
    for worker in module.workers:
        buffers, pinned = compute_bytes(worker)
        if not _first_fit(buffers, worker.stack_size, pinned):
            yield f"tile {worker.tile.place}: buffers {buffers}, stack {worker.stack_size}, pinned {pinned}"
        if len({kernel.bin_name for kernel in worker.kernels}) > 1:
            yield f"tile {worker.tile.place}: kernels of more than one object file"
