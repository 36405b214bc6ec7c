/**
 * Runs the behaviours of one setting on a library, in a process of its own: `_child.ts <library> <settings> <data>`. Prints a line
 * of JSON for each: its name, and what went wrong or null.
 *
 * @module
 */

import { BEHAVIOURS } from "../npu/_behaviours.ts";
import { Npu } from "../npu/_npu.ts";

const [library, settings, data] = Deno.args;
const npu = new Npu(library);
for (const { name, settings: wanted, body } of BEHAVIOURS) {
  if (wanted !== settings) continue;
  let fault: string | null = null;
  try {
    await body(npu, data);
  } catch (error) {
    fault = (error as Error).stack ?? String(error);
  }
  console.log(JSON.stringify([name, fault]));
}
