"""A stand-in for mlir-aie, as far as kernels/iron uses it."""
