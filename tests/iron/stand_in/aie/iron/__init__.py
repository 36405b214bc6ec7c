"""A stand-in for aie.iron of mlir-aie 1.4: the same names and arguments, of which it keeps what was said."""

from .fifos import ObjectFifo, ObjectFifoHandle
from .memory import Memory

__all__ = ["Buffer", "Kernel", "ObjectFifo", "Program", "Runtime", "TaskGroup", "Worker"]


class Kernel:
    """A function of a tile kernels' object file."""

    # Finds a function by object file and name; whoever runs a design sets it.
    library = None

    def __init__(self, name, bin_name, arg_types):
        self.name, self.bin_name, self.arg_types = name, bin_name, arg_types

    def __call__(self, *arguments):
        for argument, kind in zip(arguments, self.arg_types, strict=True):
            if argument.kind != kind:
                raise TypeError(f"{self.name} of {self.bin_name} is given an array of another type")
        Kernel.library(self.bin_name, self.name)(*(argument.address for argument in arguments))


class Buffer(Memory):
    """Memory of a compute tile that is no fifo's."""

    def __init__(self, type, name=None, tile=None, use_write_rtp=False, address=None):
        super().__init__(type)
        self.name, self.tile, self.use_write_rtp, self.address_in_tile = name, tile, use_write_rtp, address

    def __getitem__(self, index):
        return int.from_bytes(self.read()[4 * index : 4 * index + 4], "little", signed=True)

    def __setitem__(self, index, value):
        if not self.use_write_rtp:
            raise ValueError(f"{self.name} cannot be written from a sequence")
        content = bytearray(self.read())
        content[4 * index : 4 * index + 4] = value.to_bytes(4, "little", signed=True)
        self.write(content)


class Worker:
    """A compute tile's program, run without end."""

    def __init__(self, core_fn, fn_args, *, tile, stack_size, dynamic_objfifo_lowering):
        self.core_fn, self.fn_args, self.tile, self.stack_size = core_fn, fn_args, tile, stack_size
        self.dynamic = dynamic_objfifo_lowering
        for end in self.fifos:
            end._link(self)
        for buffer in self.buffers:
            if buffer.tile is None:
                buffer.tile = tile

    def _of(self, kind):
        return [argument for argument in self.fn_args if isinstance(argument, kind)]

    @property
    def fifos(self):
        return self._of(ObjectFifoHandle)

    @property
    def buffers(self):
        return self._of(Buffer)

    @property
    def kernels(self):
        return self._of(Kernel)


class TaskGroup:
    """Transfers that are waited for together."""

    current = []

    def __init__(self):
        TaskGroup.current.append(self)

    def finish(self):
        TaskGroup.current.remove(self)


class Runtime:
    """The sequence that comes with a design."""

    def __init__(self, sequence, fn_args):
        self.sequence, self.fn_args = sequence, fn_args

    @property
    def fifos(self):
        return [argument for argument in self.fn_args if isinstance(argument, ObjectFifoHandle)]


class Module:
    """A design."""

    def __init__(self, device, runtime, workers):
        self.device, self.runtime, self.workers = device, runtime, workers


class Program:
    """A design before it is put together."""

    def __init__(self, device, rt, workers):
        self.module = Module(device, rt, workers)

    def resolve_program(self):
        runtime = self.module.runtime
        for end in runtime.fifos:
            end._link(runtime)
        runtime.sequence(*runtime.fn_args)
        if TaskGroup.current:
            raise ValueError("a task group is not finished")
        for end in runtime.fifos:
            if end not in end.fifo.transfers:
                raise ValueError(f"the sequence leaves out {end.fifo.name}")
        return self.module
