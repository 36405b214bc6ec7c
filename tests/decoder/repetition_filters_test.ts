import assert from "node:assert/strict";
import { LogitRow } from "../../decoder/logit_row.ts";
import { NoRepeatNgrams, RepetitionPenalty } from "../../decoder/repetition_filters.ts";

Deno.test("RepetitionPenalty lowers what was written, once, on either side of zero", () => {
  const logits = Float32Array.of(4, -4, 4, 0, 1);
  new RepetitionPenalty(2).apply(new LogitRow(logits, 4), [0, 1, 0, 0, 3]);
  assert.deepEqual([...logits], [2, -8, 4, 0, 1]);
});

Deno.test("NoRepeatNgrams forbid the token that would complete an n-gram again", () => {
  const forbidden = (n: number, written: number[]) => {
    const logits = new Float32Array(6);
    new NoRepeatNgrams(n).apply(new LogitRow(logits, 5), written);
    return [...logits.keys()].filter((token) => logits[token] === -Infinity);
  };
  assert.deepEqual(forbidden(1, [0, 2]), [0, 2]);
  assert.deepEqual(forbidden(2, [1, 2, 1, 3, 1]), [2, 3]);
  assert.deepEqual(forbidden(3, [1, 2, 4, 1, 2]), [4]);
  assert.deepEqual(forbidden(3, [1, 2, 4, 2, 2]), []);
  assert.deepEqual(forbidden(3, [1, 1]), []);
  assert.deepEqual(forbidden(2, [1, 1]), [1]);
  assert.deepEqual(forbidden(4, []), []);
});
