/**
 * The xclbin of an overlay design, for the modelled NPU: a genuine container, whose PDI is the design as text.
 *
 * A real NPU wants compiled PDIs in its place, one for each program with a kernel of its own (kernels/iron).
 *
 * @module
 */

import { createHash } from "node:crypto";
import { roundUp } from "../../tensor/pad.ts";
import { mlirAieKernels, mlirAieMemory, mlirAiePartition } from "../xclbin/mlir_aie.ts";
import { uuidText } from "../xclbin/sections.ts";
import { packXclbin } from "../xclbin/write.ts";
import { checkDesign, designText, type OverlayDesign } from "./design.ts";
import type { Generation } from "./transaction.ts";

/** Columns that overlays may start at: XDNA1's column 0 has no shim DMA to host memory. */
const FIRST_COLUMN: Readonly<Record<Generation, number>> = { npu1: 1, npu2: 0 };
const LAST_COLUMN: Readonly<Record<Generation, number>> = { npu1: 4, npu2: 7 };
/** A PDI is a whole number of these. */
const PDI_ALIGNMENT = 16;

/** The PDI that names a design to the model. */
export function modelledPdi(design: OverlayDesign): Uint8Array<ArrayBuffer> {
  checkDesign(design);
  const text = new TextEncoder().encode(designText(design) + "\0");
  const pdi = new Uint8Array(roundUp(text.length, PDI_ALIGNMENT));
  pdi.set(text);
  return pdi;
}

/**
 * The container of a design; the same design always gives the same bytes.
 *
 * @throws {SottoError} E_OPTION if it cannot be an overlay's.
 */
export function modelledXclbin(design: OverlayDesign): Uint8Array<ArrayBuffer> {
  const pdi = modelledPdi(design);
  const first = FIRST_COLUMN[design.generation];
  const places = LAST_COLUMN[design.generation] - first - design.columns + 2;
  const startColumns = Array.from({ length: places }, (_, index) => first + index);
  const uuid = uuidText(createHash("sha256").update(pdi).digest().subarray(0, 16));
  return packXclbin({
    partition: mlirAiePartition(design.columns, startColumns, uuid),
    kernels: mlirAieKernels(),
    memory: mlirAieMemory(),
    pdi: () => pdi,
  });
}
