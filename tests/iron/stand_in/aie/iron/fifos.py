"""Object FIFOs: what links what, by how many buffers, in which order; and the objects that are on their way."""

from collections import deque
from functools import cache

from .memory import Memory


@cache
def _runs(order, size):
    """Where the runs of an order begin and end, bytes."""
    *outer, (length, step) = order
    if step != 1:
        raise ValueError(f"{order} has no runs")
    places = [0]
    for count, step in outer:
        places = [place + i * step for place in places for i in range(count)]
    return [(place * size, (place + length) * size) for place in places]


def reordered(content, order, size):
    """The bytes of an object as a DMA with that order of (count, step) sends them."""
    if not order:
        return content
    return b"".join(content[start:end] for start, end in _runs(tuple(order), size))


class Link:
    """A memory tile between fifos: forwards an object, deals its parts out, or joins parts."""

    def __init__(self, tile, sources, targets, offsets):
        self.tile, self.sources, self.targets, self.offsets = tile, sources, targets, offsets

    def advance(self):
        """Takes what has come and sends it on."""
        while all(source.queue for source in self.sources):
            parts = [source.queue.popleft() for source in self.sources]
            if len(parts) == 1:
                element = self.sources[0].fifo.obj_type.element.itemsize
                for target, offset in zip(self.targets, self.offsets):
                    start = offset * element
                    target.fifo.send(parts[0][start : start + target.fifo.obj_type.bytes])
            else:
                self.targets[0].fifo.send(b"".join(parts))


class ObjectFifoHandle:
    """An end of a fifo."""

    def __init__(self, fifo, is_prod, depth, tile, channel):
        self.fifo, self.is_prod, self.depth, self.tile, self.channel = fifo, is_prod, depth, tile, channel
        self.endpoint = None
        self.queue = deque()
        self.held = []

    def _link(self, link):
        if self.endpoint is not None:
            raise ValueError(f"an end of {self.fifo.name} is used twice")
        self.endpoint = link

    # Of a link.
    def split(self, offsets, *, tile, obj_types, depths, names, dims_to_stream):
        subs = [
            ObjectFifo(kind, depth=depth, name=name, dims_to_stream=order)
            for kind, depth, name, order in zip(obj_types, depths, names, dims_to_stream, strict=True)
        ]
        link = Link(tile, [self], [sub.prod() for sub in subs], offsets)
        for end in (self, *link.targets):
            end._link(link)
        return subs

    def forward(self, *, tile, obj_type, depth, name, dims_to_stream=None):
        if obj_type.bytes != self.fifo.obj_type.bytes:
            raise ValueError(f"{name} forwards objects of another size")
        return self.split([0], tile=tile, obj_types=[obj_type], depths=[depth], names=[name],
                          dims_to_stream=[dims_to_stream])[0]  # fmt: skip

    def join(self, offsets, *, tile, obj_types, depths, names):
        subs = [
            ObjectFifo(kind, depth=depth, name=name)
            for kind, depth, name in zip(obj_types, depths, names, strict=True)
        ]
        expected = 0
        for sub, offset in zip(subs, offsets, strict=True):
            if offset != expected:
                raise ValueError(f"{sub.name} does not follow the part before it")
            expected += sub.obj_type.count
        if expected != self.fifo.obj_type.count:
            raise ValueError(f"the parts are not all of {self.fifo.name}")
        link = Link(tile, [sub.cons() for sub in subs], [self], offsets)
        for end in (self, *link.sources):
            end._link(link)
        return subs

    # Of a core.
    def acquire(self, count):
        if count > self.depth:
            raise ValueError(f"{count} objects of {self.fifo.name}, which has {self.depth}")
        while len(self.held) < count:
            if self.is_prod:
                self.held.append(Memory(self.fifo.obj_type))
            elif self.queue:
                self.held.append(Memory(self.fifo.obj_type, self.queue.popleft()))
            else:
                raise RuntimeError(f"a core waits for an object of {self.fifo.name} that nothing sends")
        return self.held[0] if count == 1 else self.held[:count]

    def release(self, count):
        if count > len(self.held):
            raise ValueError(f"{count} objects of {self.fifo.name} are released, {len(self.held)} held")
        for _ in range(count):
            done = self.held.pop(0)
            if self.is_prod:
                self.fifo.send(done.read())

    # Of the runtime sequence.
    def fill(self, source, tap=None, wait=False, group=None):
        self.fifo.sequence_end(self, source, tap)

    drain = fill


class ObjectFifo:
    """A fifo from one producer to its consumers."""

    def __init__(self, obj_type, depth=2, name=None, dims_to_stream=None):
        self.obj_type, self.depth, self.name, self.dims_to_stream = obj_type, depth, name, dims_to_stream
        self.producer, self.consumers, self.transfers = None, [], []

    def prod(self, depth=None, tile=None, channel=None):
        if self.producer is None:
            self.producer = ObjectFifoHandle(self, True, depth or self.depth, tile, channel)
        elif (tile, channel) != (None, None):
            raise ValueError(f"the producer of {self.name} is placed twice")
        return self.producer

    def cons(self, depth=None, tile=None, channel=None):
        self.consumers.append(ObjectFifoHandle(self, False, depth or self.depth, tile, channel))
        return self.consumers[-1]

    def send(self, content):
        """An object goes from the producer's memory to every consumer's."""
        if len(content) != self.obj_type.bytes:
            raise ValueError(f"an object of {self.name} has {len(content)} bytes")
        content = reordered(content, self.dims_to_stream, self.obj_type.element.itemsize)
        for consumer in self.consumers:
            consumer.queue.append(content)

    def sequence_end(self, end, source, tap):
        size = source.count if tap is None else tap.sizes[-1]
        if size % self.obj_type.count or source.element != self.obj_type.element:
            raise ValueError(f"{self.name} is given {size} values, no whole objects")
        self.transfers.append(end)
