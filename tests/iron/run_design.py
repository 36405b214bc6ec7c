"""Carries out a design on the stand-in, tile kernels and all: takes a folder with what its ports are sent.

    python3 tests/iron/run_design.py NAME FOLDER

FOLDER holds `words.json` (a list: the runtime words), `COLUMN_mm2sCHANNEL` for each port that is sent something, and the
tile kernels' library as `OBJECT.so`. `COLUMN_s2mmCHANNEL` is written for each port that something comes out of.
"""

import ctypes
import json
import sys
from pathlib import Path

import catalogue
import design
from aie.iron import Kernel
from aie.iron.fifos import Link
from hardware_limits import fifos_of, place_of


def _links_in_order(module):
    """Links that read from the shim first, those that lead to it last."""
    links = {}
    for fifo in fifos_of(module):
        for end in (fifo.producer, *fifo.consumers):
            if isinstance(end.endpoint, Link):
                links[id(end.endpoint)] = end.endpoint
    return links.values()


def _send(module, folder):
    for end in module.runtime.fifos:
        if not end.is_prod:
            continue
        file = folder / f"{place_of(end)[0]}_mm2s{end.channel}"
        content = file.read_bytes() if file.exists() else b""
        size = end.fifo.obj_type.bytes
        if len(content) % size:
            raise RuntimeError(f"{file.name} ends within an object of {size} bytes")
        for start in range(0, len(content), size):
            end.fifo.send(content[start : start + size])


def _run(worker, words):
    for buffer in worker.buffers:
        if buffer.use_write_rtp:
            for index, word in enumerate(words):
                buffer[index] = word
    inputs = [end for end in worker.fifos if not end.is_prod]
    while any(end.queue for end in inputs):
        worker.core_fn(*worker.fn_args)
        if any(end.held for end in worker.fifos):
            raise RuntimeError(f"tile {worker.tile.place} keeps objects after a turn")


def main():
    """Runs it."""
    name, folder = sys.argv[1], Path(sys.argv[2])
    common, entries = catalogue.read_catalogue()
    entry = entries[name]
    libraries = {}

    def library(binary, function):
        path = folder / f"{binary}.so"
        if path not in libraries:
            libraries[path] = ctypes.CDLL(str(path))
        found = getattr(libraries[path], function)
        return lambda *addresses: found(*map(ctypes.c_void_p, addresses))

    Kernel.library = library
    module = design.DESIGNS[entry.operation].build(common, entry)
    words = json.loads((folder / "words.json").read_text())
    _send(module, folder)
    links = _links_in_order(module)
    for link in links:
        link.advance()
    for worker in module.workers:
        _run(worker, words)
    for link in links:
        link.advance()
    for fifo in fifos_of(module):
        for end in fifo.consumers:
            if end.endpoint is module.runtime:
                (folder / f"{place_of(end)[0]}_s2mm{end.channel}").write_bytes(b"".join(end.queue))
            elif end.queue:
                raise RuntimeError(f"objects of {fifo.name} are left over")


if __name__ == "__main__":
    main()
