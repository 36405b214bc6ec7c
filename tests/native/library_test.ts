/** The library's interface, from C: native/tests/library_test.c. */

import { assertPasses, buildTestProgram } from "./_build_test_program.ts";

Deno.test("the C interface refuses what is wrong, and does what is right from several threads", async () => {
  const program = await buildTestProgram("library_test");
  if (program !== null) await assertPasses(program);
});
