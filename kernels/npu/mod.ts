/**
 * The NPU's kernels, streams, plans and choices; everything of it is data and arithmetic, no device is touched.
 *
 * @module
 */

export {
  type AttentionProblem,
  attentionProgram,
  attentionRows,
  attentionStream,
} from "./attention_stream.ts";
export {
  type AttentionKernel,
  CATALOGUE,
  ENCODER_NPU1,
  ENCODER_NPU2,
  type GemmKernel,
  gemmKernelNamed,
  type Kernel,
  type KernelLayout,
  kernelNamed,
  type ProductSize,
  programOf,
  tilesOf,
} from "./catalogue.ts";
export { clockOf, type ClockType, clockTypeOf, inRunlist, MODELLED_CLOCKS, type NpuClock } from "./clock.ts";
export { modelledPdi, modelledXclbin } from "./container.ts";
export {
  attentionOnCpu,
  costOfAttention,
  costOfProduct,
  costOnCpu,
  type HostRates,
  type NpuCost,
} from "./cost_model.ts";
export { demandsOf, productOf } from "./demands.ts";
export {
  type AttentionProgram,
  bytesOf,
  checkDesign,
  designText,
  type MatmulProgram,
  type OverlayDesign,
  type TileProgram,
  type TileType,
  type VectorProgram,
} from "./design.ts";
export { designOfPdi } from "./design_text.ts";
export { disassemble } from "./disassemble.ts";
export {
  type Granularity,
  granularityOf,
  type MatrixPlace,
  type Product,
  productStream,
  type WholeBuffer,
  wholeBufferStream,
} from "./instructions.ts";
export { type CheckedOverlay, checkOverlay, type OverlayHost } from "./overlay_check.ts";
export {
  type AttentionChoice,
  type AttentionDemand,
  type DevicePolicy,
  explainSelection,
  type ProductChoice,
  type ProductDemand,
  rowThreshold,
  type RunDemand,
  type Selection,
  selectKernels,
} from "./select.ts";
export type { Direction, DmaPattern } from "./shim_dma.ts";
export { checkStream, type DmaTask, type StreamReport } from "./stream_check.ts";
export {
  type AttentionPlan,
  type BytesEachWay,
  launchesOf,
  planAttention,
  planProduct,
  planStream,
  type ProductLaunch,
  type ProductPlan,
  streamOperations,
} from "./tiling.ts";
export {
  decodeTransaction,
  encodeTransaction,
  formatInstructionText,
  type Generation,
  type Operation,
  parseInstructionText,
  type Transaction,
  type TransactionVersion,
} from "./transaction.ts";
