/** Every kernel of every variant this CPU can run, against its definition: native/tests/kernels_test.c. */

import assert from "node:assert/strict";

import { buildTestProgram, runProgram } from "./_build_test_program.ts";

Deno.test("every kernel of every variant agrees with its definition over sizes that straddle its tiles", async (t) => {
  const program = await buildTestProgram("kernels_test");
  if (program === null) return;
  const { code, lines } = await runProgram(program);
  let tested = 0;
  for (const line of lines) {
    const result = /^(ok|FAIL)\s+(\S+)/.exec(line);
    if (result === null) continue;
    tested++;
    await t.step(result[2], () => assert.equal(result[1], "ok", lines.join("\n")));
  }
  assert(tested > 0, lines.join("\n"));
  assert.equal(code, 0, lines.join("\n"));
});
