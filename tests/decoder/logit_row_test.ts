import assert from "node:assert/strict";
import { LogitRow } from "../../decoder/logit_row.ts";
import { seededRandom } from "../../decoder/random.ts";

const V = 1000;
const FIRST_TIME = 900;
const random = seededRandom(5);
const logits = (spread: number): Float32Array<ArrayBuffer> =>
  Float32Array.from({ length: V }, () => (random() + random() + random() - 1.5) * spread);

/** By definition, in F64. */
function logSum(values: Iterable<number>): number {
  const list = [...values];
  const highest = Math.max(...list);
  return highest + Math.log(list.reduce((sum, value) => sum + Math.exp(value - highest), 0));
}

const close = (actual: number, expected: number) =>
  assert(Math.abs(actual - expected) < 1e-6, `${actual}, not ${expected}`);

Deno.test("LogitRow sums exponentials to 1e-6, however far the logits spread and wherever they lie", () => {
  for (const spread of [0, 0.1, 5, 30, 500]) {
    for (const height of [0, 1000, -1000]) {
      const values = logits(spread).map((value) => value + height);
      const row = new LogitRow(values.slice(), FIRST_TIME);
      close(row.logSum() - height, logSum(values) - height);
      close(row.logSumOfTimes() - height, logSum(values.slice(FIRST_TIME)) - height);
    }
  }
});

Deno.test("LogitRow finds the highest of text and times, and of both in falling order", () => {
  for (const most of [1, 2, 6]) {
    const values = logits(10);
    const row = new LogitRow(values.slice(), FIRST_TIME, { most });
    const ranked = [...values.keys()].sort((a, b) => values[b] - values[a]);
    const found: number[] = [];
    row.forBest((token, logit) => {
      found.push(token);
      assert.equal(logit, values[token]);
    });
    assert.deepEqual(found, ranked.slice(0, most));
    assert.equal(row.likeliest, ranked[0]);
    assert.equal(row.text.tokens[0], ranked.find((token) => token < FIRST_TIME));
    assert.equal(row.times.tokens[0], ranked.find((token) => token >= FIRST_TIME));
  }
});

Deno.test("LogitRow takes the lower id of equal logits", () => {
  const row = new LogitRow(Float32Array.of(1, 2, 2, 2, 2, 0), 3, { most: 3 });
  const found: number[] = [];
  row.forBest((token) => void found.push(token));
  assert.deepEqual(found, [1, 2, 3]);
});

Deno.test("LogitRow notices every change", () => {
  const values = Float32Array.of(1, 5, 3, 2, 4);
  const row = new LogitRow(values, 3);
  assert.equal(row.likeliest, 1);
  row.forbid(1);
  assert.equal(row.likeliest, 4);
  row.set(0, 9);
  assert.equal(row.likeliest, 0);
  row.forbidRange(0, 3);
  assert.equal(row.likeliest, 4);
  row.forbidRange(4, 5);
  assert.equal(row.likeliest, 3);
  close(row.logSum(), 2);
  row.forbidRange(0, 5);
  assert.equal(row.likeliest, null);
  assert.equal(row.logSum(), -Infinity);
  assert.equal(row.draw(1, 0.5), null);
  row.take(Float32Array.of(0, 0, 7, 0, 0));
  assert.equal(row.likeliest, 2);
});

Deno.test("LogitRow passes over NaN", () => {
  const row = new LogitRow(Float32Array.of(NaN, 1, NaN, NaN, 2), 3);
  assert.equal(row.likeliest, 4);
  close(row.logSum(), logSum([1, 2]));
});

Deno.test("LogitRow draws every token that is allowed, and no other, at the ends of the interval too", () => {
  const row = new LogitRow(Float32Array.of(0, -Infinity, 0, -Infinity, 0), 3);
  assert.deepEqual([0, 0.34, 0.67, 1 - 2 ** -32].map((uniform) => row.draw(1, uniform)), [0, 2, 4, 4]);
});
