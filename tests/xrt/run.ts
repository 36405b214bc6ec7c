/**
 * Runs a Deno script on the pretended NPU: `deno run -A tests/xrt/run.ts <script.ts> [arguments]`. The script finds
 * libsotto_xrt's path in `SOTTO_XRT_SHIM`; `SOTTO_NPU_MODEL` says which NPU it is.
 *
 * @module
 */

import { genuine } from "./genuine.ts";

if (import.meta.main) {
  const { shim, deno } = await genuine();
  Deno.env.set("SOTTO_XRT_SHIM", shim);
  const { code } = await deno(["run", "-A", ...Deno.args], Deno.env.get("SOTTO_NPU_MODEL")).spawn().status;
  Deno.exit(code);
}
