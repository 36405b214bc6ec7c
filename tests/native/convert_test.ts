/** Conversions between number formats, from C: native/tests/convert_test.c. */

import assert from "node:assert/strict";

import { buildTestProgram, runProgram } from "./_build_test_program.ts";

Deno.test("conversions refuse every pointer, size, layout and scale that is wrong", async () => {
  const program = await buildTestProgram("convert_test");
  if (program === null) return;
  const { code, lines } = await runProgram(program);
  assert.deepEqual(lines.filter((line) => line.startsWith("FAIL")), []);
  assert.equal(code, 0, lines.join("\n"));
});
