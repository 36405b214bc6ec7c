/**
 * Deno processes in which libxrt is AMD's own and the NPU beneath it is modelled.
 *
 * @module
 */

import { buildNpuBeneath, buildXrtShim } from "../../native/build.ts";
import { packages } from "./packages.ts";

/** All that such a process needs. */
export interface Genuine {
  /** Path of libsotto_xrt. */
  readonly shim: string;
  /** A command that runs `deno <args>` on the pretended NPU. */
  deno(args: readonly string[], settings?: string): Deno.Command;
}

/**
 * Fetches and builds what is missing.
 *
 * @throws {NoPackagesError} where the packages cannot be had.
 * @throws {BuildError} if the shim does not compile against them.
 */
export async function genuine(): Promise<Genuine> {
  const { root, libraries, loader } = await packages();
  const { path: shim } = await buildXrtShim({ xrt: root, label: "genuine" });
  const { path: beneath } = await buildNpuBeneath({ label: "genuine" });
  const deno = Deno.execPath();
  return {
    shim,
    deno(args, settings = "") {
      return new Deno.Command(loader, {
        args: ["--preload", beneath, "--library-path", libraries, deno, ...args],
        env: { SOTTO_NPU_MODEL: settings },
      });
    },
  };
}
