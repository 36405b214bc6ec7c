/**
 * The CPU library's own C tests once more: kernels, conversions, interface and decoder under AddressSanitizer and UBSan, what
 * several threads share under ThreadSanitizer.
 */

import { assertPasses, buildTestProgram, type PROGRAMS } from "./_build_test_program.ts";

const PASSES: readonly {
  readonly sanitize: string;
  readonly programs: readonly (keyof typeof PROGRAMS)[];
}[] = [
  {
    sanitize: "address,undefined",
    programs: ["kernels_test", "convert_test", "library_test", "decoder_test"],
  },
  { sanitize: "thread", programs: ["library_test", "decoder_test"] },
];

for (const { sanitize, programs } of PASSES) {
  for (const name of programs) {
    Deno.test(`${name}.c finds nothing wrong under -fsanitize=${sanitize}`, async () => {
      const program = await buildTestProgram(name, { sanitize });
      if (program !== null) await assertPasses(program);
    });
  }
}
