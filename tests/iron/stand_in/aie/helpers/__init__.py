"""A stand-in for aie.helpers."""
