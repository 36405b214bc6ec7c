/** The decoder and the log-mel through the C interface: native/tests/decoder_test.c. */

import assert from "node:assert/strict";

import { buildTestProgram, runProgram } from "./_build_test_program.ts";

Deno.test("the C decoder refuses what is wrong, and agrees with the reference on all threads", async () => {
  const program = await buildTestProgram("decoder_test");
  if (program === null) return;
  const { code, lines } = await runProgram(program);
  assert.deepEqual(lines.filter((line) => line.startsWith("FAIL")), []);
  assert.equal(code, 0, lines.join("\n"));
});
