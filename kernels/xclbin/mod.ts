/**
 * NPU overlay containers: reading and writing.
 *
 * @module
 */

export { inspectXclbin } from "./inspect.ts";
export type { ArgumentMetadata, KernelMetadata } from "./kernel_metadata.ts";
export {
  FIRST_BUFFER_ARGUMENT,
  MLIR_AIE_BUFFERS,
  MLIR_AIE_KERNEL,
  mlirAieKernels,
  mlirAieMemory,
  mlirAiePartition,
} from "./mlir_aie.ts";
export type { AiePartition, CdoGroup, PartitionPdi } from "./partition.ts";
export { type KernelArgument, readNpuXclbin, readXclbin, type Xclbin, type XclbinKernel } from "./read.ts";
export type { XclbinEnvelope, XclbinSection } from "./sections.ts";
export type { Connection, IpEntry, MemoryBank } from "./tables.ts";
export { packXclbin, type SectionToWrite, writeContainer, type XclbinParts } from "./write.ts";
