/**
 * Prints what the launches of `../npu/_launches.ts` give on a library, as JSON: `_digests.ts <library> <data>`.
 *
 * @module
 */

import { digests } from "../npu/_launches.ts";
import { Npu } from "../npu/_npu.ts";

const [library, data] = Deno.args;
console.log(JSON.stringify(await digests(new Npu(library), data)));
