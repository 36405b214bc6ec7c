"""Bytes at an address that C++ can be given; not a module of the real package."""

import ctypes

# The largest vector that the tile kernels load at once is aligned to this.
ALIGNMENT = 64


class Memory:
    """A typed piece of memory, aligned as the toolchain aligns buffers."""

    def __init__(self, kind, content=None):
        self.kind = kind
        self._storage = ctypes.create_string_buffer(kind.bytes + ALIGNMENT)
        start = ctypes.addressof(self._storage)
        self.address = start + -start % ALIGNMENT
        if content is not None:
            self.write(content)

    def write(self, content):
        if len(content) != self.kind.bytes:
            raise ValueError(f"{len(content)} bytes are written to {self.kind.bytes}")
        ctypes.memmove(self.address, bytes(content), len(content))

    def read(self):
        return ctypes.string_at(self.address, self.kind.bytes)
