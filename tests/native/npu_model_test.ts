/** The NPU's model from inside, with sanitizers: native/tests/npu_model_test.c. */

import { buildNpuProgram } from "../../native/build.ts";
import { oneRound, oneTile } from "../npu/_one_tile.ts";
import { assertPasses, unlessMissing } from "./_build_test_program.ts";

const PROGRAM = "matmul tile 16 24 20 subtile 4 8 4 a bf16 b bf16 c f32";
const STEPS = 3;
/** Bytes of A, B and C. */
const SIZES = [2 * 16 * 24 * STEPS, 2 * 24 * 20 * STEPS, 4 * 16 * 20] as const;

/** What the test of refused memory stands before. */
const ALLOCATORS = ["malloc", "calloc", "realloc", "aligned_alloc", "free"] as const;

async function build(name: string, sanitize?: string, wrapped?: readonly string[]): Promise<string | null> {
  const options = { sanitize };
  return await unlessMissing(
    name,
    options,
    () => buildNpuProgram(name, [`tests/${name}.c`], options, wrapped),
  );
}

/** Runs a program on a product of one tile; fails if it says FAIL. */
async function runOnProduct(program: string): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeFile(`${folder}/one.xclbin`, oneTile(PROGRAM));
    const stream = oneRound([0, STEPS, 0, 0], SIZES);
    await Deno.writeFile(`${folder}/stream`, new Uint8Array(stream.buffer));
    const args = [`${folder}/one.xclbin`, `${folder}/stream`, ...SIZES.map(String)];
    await assertPasses(program, args);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

for (const sanitize of [undefined, "address,undefined", "thread"]) {
  const title = sanitize === undefined ? "" : ` (${sanitize})`;
  Deno.test(`the NPU's model survives hostile overlays, containers and streams, and several threads${title}`, async () => {
    const program = await build("npu_model_test", sanitize);
    if (program !== null) await runOnProduct(program);
  });
}

Deno.test("the emulated NPU answers with a status wherever memory is refused, and loses none", async () => {
  const program = await build("npu_memory_test", undefined, ALLOCATORS);
  if (program !== null) await runOnProduct(program);
});
