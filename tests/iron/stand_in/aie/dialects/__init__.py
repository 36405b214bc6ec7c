"""A stand-in for aie.dialects."""
