"""How tile kernels are compiled: takes an entry, gives source, settings and object file. Needs no toolchain itself."""

from types import SimpleNamespace


def _product(entry):
    program = entry.program
    names = ("M", "K", "N", "R", "S", "T")
    sizes = (program.m, program.k, program.n, *program.subtile)
    return SimpleNamespace(
        source="product_bfp16.cc" if program.input == "bfp16" else "product.cc",
        flags=[
            *(f"-DDIM_{name}={size}" for name, size in zip(names, sizes)),
            f"-DINPUT_{program.input}",
            f"-DOUTPUT_{program.output}",
        ],
        object_file=f"product_{program.input}_{program.output}_{entry.generation}.o",
    )


def _attention(entry):
    # Columns of a result of the bf16 multiplier, the t of its r×s×t.
    width = {"npu1": 4, "npu2": 8}[entry.generation]
    return SimpleNamespace(
        source="attention.cc",
        flags=[f"-DDIM_T={width}"],
        object_file=f"attention_{entry.generation}.o",
    )


def _attention_tile(_entry):
    return SimpleNamespace(source="attention_int8.cc", flags=[], object_file="attention_int8.o")


_RECIPES = {"gemm": _product, "attention": _attention, "attention_tile": _attention_tile}


def recipe(entry):
    """Its `source` in tiles/, the compiler's `flags`, and the `object_file` that the design links."""
    return _RECIPES[entry.operation](entry)
