"""Builds every design on the stand-in and prints, as JSON by name, what it is made of and what does not fit.

    python3 tests/iron/describe_designs.py [NAME FIELD=NUMBER…]

With a name, that one alone, with other sizes in its program.
"""

import json
import sys

import catalogue
import design
from aie.iron.fifos import Link
from hardware_limits import channels_of, complaints, compute_bytes, place_of
from recipes import recipe


def _reach(handle):
    """The compute tiles that an end of the shim's leads to, or comes from."""
    tiles, ends = set(), handle.fifo.consumers if handle.is_prod else [handle.fifo.producer]
    for end in ends:
        if isinstance(end.endpoint, Link):
            for other in end.endpoint.targets if handle.is_prod else end.endpoint.sources:
                tiles |= _reach(other)
        else:
            tiles.add(place_of(end))
    return tiles


def describe(common, entry):
    """What the tests compare with the catalogue and with the streams."""
    module = design.DESIGNS[entry.operation].build(common, entry)
    ports = {}
    for end in module.runtime.fifos:
        column, row = place_of(end)
        way = "mm2s" if end.is_prod else "s2mm"
        ports[f"{column}/{way}{end.channel}"] = {
            "row": row,
            "objectBytes": end.fifo.obj_type.bytes,
            "tiles": sorted(_reach(end)),
        }
    worker = module.workers[0]
    buffers, pinned = compute_bytes(worker)
    return {
        "device": [module.device.generation, module.device.columns],
        "tiles": sorted(each.tile.place for each in module.workers),
        "ports": ports,
        "kernels": sorted({(kernel.bin_name, kernel.name) for each in module.workers for kernel in each.kernels}),
        "recipe": vars(recipe(entry)),
        "bufferBytes": sum(buffers),
        "outputDepth": next(end.depth for end in worker.fifos if end.is_prod),
        "pinned": pinned,
        "descriptors": max(use["descriptors"] for use in channels_of(module).values()),
        "complaints": list(complaints(module)),
    }


def main():
    """Prints all, or one."""
    common, entries = catalogue.read_catalogue()
    if len(sys.argv) > 1:
        name, *changes = sys.argv[1:]
        entries = {name: entries[name]}
        for field, number in (change.split("=") for change in changes):
            setattr(entries[name].program, field, int(number))
    print(json.dumps({name: describe(common, entry) for name, entry in entries.items()}))


if __name__ == "__main__":
    main()
