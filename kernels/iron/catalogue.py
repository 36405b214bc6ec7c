"""The catalogue of kernels: takes catalogue.jsonl, gives entries.

Sizes are decided in kernels/npu/catalogue.ts alone; `deno run kernels/iron/catalogue_lines.ts` writes the file.
"""

import json
from pathlib import Path
from types import SimpleNamespace

_FILE = Path(__file__).with_name("catalogue.jsonl")


def read_catalogue():
    """What all entries have in common (tile memory in bytes, runtime words), and the entries by their names.

    An entry has name, operation, generation, columns, rows, runtime, program, tile, width: see IronEntry of
    catalogue_lines.ts.
    """
    common, *entries = (
        json.loads(line, object_hook=lambda fields: SimpleNamespace(**fields))
        for line in _FILE.read_text(encoding="utf-8").splitlines()
    )
    return common, {entry.name: entry for entry in entries}
