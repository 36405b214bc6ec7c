/** The library's interface, from C: native/tests/library_test.c. */

import assert from "node:assert/strict";

import { buildTestProgram, runProgram } from "./_build_test_program.ts";

Deno.test("the C interface refuses what is wrong, and does what is right from several threads", async () => {
  const program = await buildTestProgram("library_test");
  if (program === null) return;
  const { code, lines } = await runProgram(program);
  assert.deepEqual(lines.filter((line) => line.startsWith("FAIL")), []);
  assert.equal(code, 0, lines.join("\n"));
});
