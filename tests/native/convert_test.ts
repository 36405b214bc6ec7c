/** Conversions between number formats, from C: native/tests/convert_test.c. */

import { assertPasses, buildTestProgram } from "./_build_test_program.ts";

Deno.test("conversions refuse every pointer, size, layout and scale that is wrong", async () => {
  const program = await buildTestProgram("convert_test");
  if (program !== null) await assertPasses(program);
});
