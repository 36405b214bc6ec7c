/**
 * Prints what a pass of the base encoder gives through libxrt, as JSON: `_base_pass.ts <library> <data> <precision>`.
 *
 * @module
 */

import { basePass } from "../npu/_base_pass.ts";

const [library, data, precision] = Deno.args;
console.log(JSON.stringify(await basePass("npu", data, precision as "bf16" | "int8", library)));
