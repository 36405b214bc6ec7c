import assert from "node:assert/strict";
import { wordsBeforeCut } from "../../live/seam.ts";

const words = (text: string) => text.split(" ").filter(Boolean);
const count = (certain: string, before: string, behind: string) =>
  wordsBeforeCut(words(certain), { before: words(before), behind: words(behind) });

Deno.test("wordsBeforeCut() finds the cut by what is read on both sides", () => {
  assert.equal(count("a b c d e", "a b c", "d e f g"), 3);
  assert.equal(count("a b c d e", "a b c d e", "f"), 5);
  assert.equal(count("a b c d e", "", "a b c d e f"), 0);
  assert.equal(count("", "a", "b"), 0);
});

Deno.test("wordsBeforeCut() takes all words where more was said before the cut", () => {
  assert.equal(count("a b c", "a b c d e", "f g"), 3);
});

Deno.test("wordsBeforeCut() bears words that are misread, missing and made up", () => {
  assert.equal(count("the cat sat. It ran home", "The cats sat.", "it ran home and"), 3);
  assert.equal(count("a b c d e f", "a c d", "e f g"), 4);
  assert.equal(count("a b c d e f", "a b x y c", "d f"), 3);
});

Deno.test("wordsBeforeCut() tells sentences that are said twice apart", () => {
  assert.equal(count("play jazz . play jazz . stop", "play jazz .", "play jazz . stop now"), 3);
  assert.equal(count("play jazz . play jazz . stop", "play jazz . play jazz .", "stop now"), 6);
});
