/** The decoder and the log-mel through the C interface: native/tests/decoder_test.c. */

import { assertPasses, buildTestProgram } from "./_build_test_program.ts";

Deno.test("the C decoder refuses what is wrong, and agrees with the reference on all threads", async () => {
  const program = await buildTestProgram("decoder_test");
  if (program !== null) await assertPasses(program);
});
