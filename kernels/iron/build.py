"""Takes a name and a folder, leaves an xclbin there: `python3 kernels/iron/build.py encoder_npu1 --out overlays`.

A name is a kernel's of the catalogue, or `encoder_npu1` or `encoder_npu2`: the overlay of a whole encoder, which is a
container of a configuration for each of its programs. For each configuration three steps, which are printed: the tile
kernels with Peano's clang++, the design with IRON, both with aiecc into the container. `--dry-run` only prints them, and
needs no toolchain.

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

_FOLDER = Path(__file__).resolve().parent
_TARGETS = {"npu1": "aie2-none-unknown-elf", "npu2": "aie2p-none-unknown-elf"}
_FIRST_KERNEL_ID = 0x901


def encoders(entries):
    """The encoders' entries by the name of their overlay: those that read runtime words, which kernels/npu looks for."""
    found = {}
    for entry in entries.values():
        if entry.runtime is not None:
            found.setdefault(f"encoder_{entry.generation}", []).append(entry)
    return found


def _kernel(entry, index, previous):
    """What the container calls a configuration: an encoder's by its entry, any other by the toolchain's default."""
    if entry.runtime is None:
        return []
    return [
        f"--xclbin-kernel-name={entry.name}",
        f"--xclbin-instance-name={entry.name}_instance",
        f"--xclbin-kernel-id={_FIRST_KERNEL_ID + index:#x}",
        *([f"--xclbin-input={previous}"] if previous else []),
    ]


def commands(entry, container, kernel, peano, include):
    """The commands, to be run in the output folder, and the file that takes what they print, if any."""
    tiles, name = recipe(entry), entry.name
    clang = [
        f"{peano}/bin/clang++", "-O2", "-std=c++20", f"--target={_TARGETS[entry.generation]}", "-DNDEBUG",
        # The streams of Vitis' graphs, whose header Peano has not.
        "-D__AIE_API_AIE_ADF_HPP__", f"-I{include}", *tiles.flags,
        "-c", str(_FOLDER / "tiles" / tiles.source), "-o", tiles.object_file,
    ]  # fmt: skip
    design = [sys.executable, str(_FOLDER / "design.py"), name]
    aiecc = [
        "aiecc", "--no-compile-host", "--no-xchesscc", "--no-xbridge", f"--peano={peano}",
        "--aie-generate-xclbin", f"--xclbin-name={container}", *kernel,
        "--aie-generate-npu-insts", f"--npu-insts-name={name}.insts.bin",
        f"--tmpdir={name}.prj", f"{name}.mlir",
    ]  # fmt: skip
    return (clang, None), (design, f"{name}.mlir"), (aiecc, None)


def steps(name, entries, peano, include):
    """All commands for a name."""
    parts = encoders(entries).get(name) or [entries[name]]
    previous = None
    for index, entry in enumerate(parts):
        container = f"{name}.xclbin" if index == len(parts) - 1 else f"{name}.part{index}.xclbin"
        yield from commands(entry, container, _kernel(entry, index, previous), peano, include)
        previous = container


def main():
    """Builds, or prints how."""
    _, entries = read_catalogue()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=[*encoders(entries), *entries])
    parser.add_argument("--out", type=Path, default=Path("overlays"))
    parser.add_argument("--peano", default=os.environ.get("PEANO_INSTALL_DIR"), help="llvm-aie's folder")
    parser.add_argument("--include", default=os.environ.get("MLIR_AIE_INCLUDE"), help="mlir_aie's include folder")
    parser.add_argument("--dry-run", action="store_true")
    given = parser.parse_args()
    missing = [name for name in ("peano", "include") if getattr(given, name) is None]
    if missing and not given.dry_run:
        parser.error(f"--{missing[0]} is not given, nor in the environment")
    if not given.dry_run:
        given.out.mkdir(parents=True, exist_ok=True)
    for command, into in steps(given.name, entries, given.peano or "PEANO", given.include or "INCLUDE"):
        print(shlex.join(command) + (f" > {into}" if into else ""), flush=True)
        if given.dry_run:
            continue
        text = subprocess.run(command, cwd=given.out, check=True, stdout=subprocess.PIPE if into else None).stdout
        if into:
            (given.out / into).write_bytes(text)


if __name__ == "__main__":
    main()
