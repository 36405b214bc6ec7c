"""Takes a kernel's name and a folder, leaves its xclbin there: `python3 kernels/iron/build.py NAME --out FOLDER`.

Three steps, each printed: the tile kernels with Peano's clang++, the design with IRON, both into one overlay with aiecc.
`--dry-run` only prints them, and needs no toolchain.

NOT RUN WITH THE TOOLCHAIN WHERE IT WAS WRITTEN. README.md says what is checked.
"""

import argparse
import os
import shlex
import subprocess
import sys
from pathlib import Path

from catalogue import read_catalogue
from recipes import recipe

_FOLDER = Path(__file__).parent
_TARGETS = {"npu1": "aie2-none-unknown-elf", "npu2": "aie2p-none-unknown-elf"}


def commands(entry, peano, include):
    """The commands, to be run in the output folder; the second one's output is the overlay's MLIR."""
    tiles = recipe(entry)
    clang = [
        f"{peano}/bin/clang++", "-O2", "-std=c++20", f"--target={_TARGETS[entry.generation]}", "-DNDEBUG",
        # The streams of Vitis' graphs, whose header Peano has not.
        "-D__AIE_API_AIE_ADF_HPP__", f"-I{include}", *tiles.flags,
        "-c", str(_FOLDER / "tiles" / tiles.source), "-o", tiles.object_file,
    ]  # fmt: skip
    design = [sys.executable, str(_FOLDER / "design.py"), entry.name]
    name = entry.name
    aiecc = [
        "aiecc", "--no-compile-host", "--no-xchesscc", "--no-xbridge", f"--peano={peano}",
        "--aie-generate-xclbin", f"--xclbin-name={name}.xclbin",
        "--aie-generate-npu-insts", f"--npu-insts-name={name}.insts.bin",
        f"--tmpdir={name}.prj", f"{name}.mlir",
    ]  # fmt: skip
    return clang, design, aiecc


def main():
    """Builds, or prints how."""
    _, entries = read_catalogue()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=entries)
    parser.add_argument("--out", type=Path, default=Path("overlays"))
    parser.add_argument("--peano", default=os.environ.get("PEANO_INSTALL_DIR"), help="llvm-aie's folder")
    parser.add_argument("--include", default=os.environ.get("MLIR_AIE_INCLUDE"), help="mlir_aie's include folder")
    parser.add_argument("--dry-run", action="store_true")
    given = parser.parse_args()
    missing = [name for name in ("peano", "include") if getattr(given, name) is None]
    if missing and not given.dry_run:
        parser.error(f"--{missing[0]} is not given, nor in the environment")
    entry = entries[given.name]
    clang, design, aiecc = commands(entry, given.peano or "PEANO", given.include or "INCLUDE")
    mlir = given.out / f"{entry.name}.mlir"
    for command, into in ((clang, None), (design, mlir), (aiecc, None)):
        print(shlex.join(command) + (f" > {into.name}" if into else ""), flush=True)
        if given.dry_run:
            continue
        given.out.mkdir(parents=True, exist_ok=True)
        text = subprocess.run(command, cwd=given.out, check=True, stdout=subprocess.PIPE if into else None).stdout
        if into:
            into.write_bytes(text)


if __name__ == "__main__":
    main()
