/**
 * Whether an overlay can run on a device and be called as overlays are called here, before libxrt sees it.
 *
 * @module
 */

import { SottoError } from "../../errors.ts";
import { didYouMean } from "../../nearest.ts";
import { FIRST_BUFFER_ARGUMENT, MLIR_AIE_BUFFERS, MLIR_AIE_KERNEL } from "../xclbin/mlir_aie.ts";
import { readNpuXclbin, type Xclbin, type XclbinKernel } from "../xclbin/read.ts";
import type { OverlayDesign } from "./design.ts";
import { designOfPdi } from "./design_text.ts";
import { programKernels } from "./program_kernels.ts";
import type { Generation } from "./transaction.ts";

/** What an overlay is checked against. */
export interface OverlayHost {
  /** The device's generation. */
  readonly generation: Generation;
  /** Columns of compute tiles that it has. */
  readonly columns: number;
  /** The kernel that will be called; default `MLIR_AIE`. */
  readonly kernel?: string;
  /** What it is to run: where there is no `MLIR_AIE`, a kernel for its first program at least must be there. */
  readonly runs?: OverlayDesign;
}

/** An overlay that may be loaded. */
export interface CheckedOverlay {
  /** What its container holds. */
  readonly xclbin: Xclbin;
  /** The kernel that will be called. */
  readonly kernel: XclbinKernel;
  /** Its design, where its PDI is a modelled one. */
  readonly design: OverlayDesign | null;
}

function refuse(rule: string, found: unknown, hint = ""): never {
  throw new SottoError("E_XCLBIN", `Cannot load the overlay because ${rule}: got ${found}`, { hint });
}

/** Refuses a kernel that is not called with (opcode, instructions, instruction count, buffers…). */
function requireArguments({ name, arguments: found }: XclbinKernel): void {
  const kinds = found.map(({ kind }) => kind).join(" ");
  const wanted = ["scalar", "global", "scalar", ...new Array(MLIR_AIE_BUFFERS).fill("global")].join(" ");
  if (!wanted.startsWith(kinds) || found.length <= FIRST_BUFFER_ARGUMENT) {
    refuse(
      `kernel ${name} must take a scalar, instructions, a scalar, and up to ${MLIR_AIE_BUFFERS} buffers`,
      kinds,
    );
  }
  if (found.some(({ kind, bank }) => kind === "global" && bank === null)) {
    refuse(`every buffer of kernel ${name} must be connected to memory`, "one that is not");
  }
}

/**
 * Checks an overlay.
 *
 * @param bytes Of an xclbin.
 * @throws {SottoError} E_XCLBIN if it is malformed, for another NPU, wider than the device, or lacks the kernel.
 */
export function checkOverlay(bytes: Uint8Array, host: OverlayHost): CheckedOverlay {
  const xclbin = readNpuXclbin(bytes);
  const { partition, kernels } = xclbin;
  if (partition.columnWidth > host.columns) {
    refuse(`the device has ${host.columns} columns`, `an overlay of ${partition.columnWidth}`);
  }
  const design = designOfPdi(partition.pdis[0].image);
  if (design !== null && design.generation !== host.generation) {
    refuse(`the device is ${host.generation}`, `an overlay for ${design.generation}`);
  }
  const names = kernels.map((kernel) => kernel.name);
  const own = host.runs === undefined ? [] : programKernels(host.runs, names);
  const name = host.kernel ?? own[0] ?? MLIR_AIE_KERNEL;
  const kernel = kernels.find((kernel) => kernel.name === name);
  if (kernel === undefined) {
    refuse(`it must have a kernel ${name}`, names.join(", "), didYouMean(name, names));
  }
  for (const called of kernels) if (called === kernel || own.includes(called.name)) requireArguments(called);
  return { xclbin, kernel, design };
}
