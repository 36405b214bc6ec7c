"""Takes a kernel's name, prints the MLIR of its overlay: `python3 kernels/iron/design.py encoder_bf16_npu1`.

NOT RUN WITH THE TOOLCHAIN WHERE IT WAS WRITTEN. README.md says what is checked.
"""

import argparse

import attention
import attention_tile
import product
from catalogue import read_catalogue

DESIGNS = {"gemm": product, "attention": attention, "attention_tile": attention_tile}


def main():
    """Prints a design, or the names there are."""
    common, entries = read_catalogue()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=entries, nargs="?", help="a kernel; all are listed without one")
    name = parser.parse_args().name
    if name is None:
        print("\n".join(entries))
    else:
        print(DESIGNS[entries[name].operation].build(common, entries[name]))


if __name__ == "__main__":
    main()
