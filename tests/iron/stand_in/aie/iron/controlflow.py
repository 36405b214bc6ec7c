"""A stand-in for aie.iron.controlflow: a core's program is carried out, so loops are loops."""

range_ = range
