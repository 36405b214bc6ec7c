import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { rowsOf, wordErrors, wordsOf } from "../../bench/word_error_rows.ts";

Deno.test("wordsOf() leaves case, punctuation and hyphens out", () => {
  deepStrictEqual(wordsOf("Four o'clock, twenty-four. Büro!"), ["four", "o'clock", "twenty", "four", "büro"]);
  deepStrictEqual(wordsOf(" …\n"), []);
});

Deno.test("wordErrors() counts words replaced, left out and put in", () => {
  const errors = (heard: string, said: string) => wordErrors(wordsOf(heard), wordsOf(said));
  strictEqual(errors("a b c", "a b c"), 0);
  strictEqual(errors("a x c", "a b c"), 1);
  strictEqual(errors("a c", "a b c"), 1);
  strictEqual(errors("a b b c", "a b c"), 1);
  strictEqual(errors("b c d", "a b c"), 2);
  strictEqual(errors("", "a b"), 2);
  strictEqual(errors("a b", ""), 2);
});

Deno.test("rowsOf() judges a policy by what it adds over all hearings, with its standard error", () => {
  const rows = rowsOf("int8", [12, 10, 14, 12], [10, 10, 14, 10], 100);
  deepStrictEqual(rows.map(({ what, note }) => [what, note]), [
    ["words wrong, int8", "12.0 % (12/100)"],
    ["  heard 4 times", "12.0 % (48/400), 10 to 14"],
  ]);
  // Differences 2, 0, 0, 2: mean 1, deviation √(4/3), over √4.
  deepStrictEqual(rows[1].verdicts, [{ goal: "1.0 ± 0.6 points more ≤ 0.5", met: false }]);
  const [, better] = rowsOf("half", [8, 9], [10, 10], 100);
  deepStrictEqual(better.verdicts, [{ goal: "-1.5 ± 0.5 points more ≤ 0.5", met: true }]);
  const [, exact] = rowsOf("f32", [10, 10], [10, 10], 100);
  strictEqual(exact.verdicts, undefined);
});
