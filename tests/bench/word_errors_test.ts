import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { wordErrors, wordsOf } from "../../bench/word_error_rows.ts";

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
