/**
 * By which kernels an overlay's programs are called. An overlay that is one configuration of the array has one,
 * `MLIR_AIE`, for all of them. One that holds a configuration for each program, as `kernels/iron` compiles an encoder's,
 * has a kernel for each, named after its entry of the catalogue.
 *
 * @module
 */

import { MLIR_AIE_KERNEL } from "../xclbin/mlir_aie.ts";
import { CATALOGUE } from "./catalogue.ts";
import type { OverlayDesign, TileProgram } from "./design.ts";

/** The name of the catalogue's entry for a program of an encoder's overlay; null if it is none's. */
function entryOf(program: TileProgram): string | null {
  return CATALOGUE.find(({ design, program: index }) =>
    design !== null && design.runtime !== null && design.programs[index] === program
  )?.name ?? null;
}

/**
 * The kernel of each program of a design.
 *
 * @param kernels Those of the container.
 * @returns A name for each program; null for one that the container has no kernel for.
 */
export function programKernels(design: OverlayDesign, kernels: readonly string[]): (string | null)[] {
  return design.programs.map((program) => {
    if (kernels.includes(MLIR_AIE_KERNEL)) return MLIR_AIE_KERNEL;
    const name = entryOf(program);
    return name !== null && kernels.includes(name) ? name : null;
  });
}

/** The part of a design that a container with these kernels can run; the design itself where that is all of it. */
export function designWithin(design: OverlayDesign, kernels: readonly string[]): OverlayDesign {
  const names = programKernels(design, kernels);
  if (!names.includes(null)) return design;
  return { ...design, programs: design.programs.filter((_, index) => names[index] !== null) };
}
