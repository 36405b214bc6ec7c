import assert from "node:assert/strict";
import { cutLoop, EndLoops, loopAtEnd } from "../../decoder/loops.ts";
import { LogitRow } from "../../decoder/logit_row.ts";

const repeat = (part: readonly number[], times: number) => new Array(times).fill(part).flat() as number[];

Deno.test("loopAtEnd() finds the shortest part that a text ends with again and again", () => {
  assert.deepEqual(loopAtEnd([9, ...repeat([5], 24)], 6), { firstEnd: 2, length: 1 });
  assert.deepEqual(loopAtEnd([9, 8, ...repeat([1, 2, 3, 4], 6)], 6), { firstEnd: 6, length: 4 });
  // The end of the last part is missing: the part found is another turn of the same.
  assert.deepEqual(loopAtEnd([9, 8, ...repeat([1, 2, 3, 4], 6), 1], 6), { firstEnd: 6, length: 4 });
});

Deno.test("loopAtEnd() lets few or short repetitions pass", () => {
  assert.equal(loopAtEnd(repeat([5], 23), 6), null);
  assert.equal(loopAtEnd(repeat([1, 2, 3, 4, 5, 6], 5), 6), null);
  assert.equal(loopAtEnd([...repeat([5], 40), 1, 2], 6), null);
  assert.equal(loopAtEnd([], 6), null);
});

Deno.test("cutLoop() keeps the first occurrence, and the time behind it", () => {
  const T = 100;
  const looped = [T, 9, ...repeat([1, 2, 3, 4, T + 5, T + 5], 6)];
  assert.deepEqual(cutLoop(looped, 6, T), [T, 9, 1, 2, 3, 4, T + 5]);
  assert.deepEqual(cutLoop([T, ...repeat([7], 30)], 6, T), [T, 7]);
  assert.equal(cutLoop([T, 1, 2, 3], 6, T), null);
});

Deno.test("EndLoops leaves nothing but the end behind a loop", () => {
  const filter = new EndLoops(6, { eot: 10, timestampBegin: 12 });
  const logits = (written: readonly number[]) => {
    const values = new Float32Array(16).fill(1);
    filter.apply(new LogitRow(values, 12), written);
    return [...values.keys()].filter((token) => values[token] === 1);
  };
  assert.deepEqual(logits([12, ...repeat([5], 30)]), [10]);
  assert.equal(logits([12, ...repeat([5], 20)]).length, 16);
});
