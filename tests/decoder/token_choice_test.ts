import assert from "node:assert/strict";
import {
  chooseAtRandom,
  chooseLikeliest,
  logSumExp,
  probabilityOf,
  seededRandom,
} from "../../decoder/token_choice.ts";

const close = (a: number, b: number) =>
  assert(Math.abs(a - b) < 1e-12 * Math.max(1, Math.abs(b)), `${a} is not ${b}`);

Deno.test("chooseLikeliest() takes the first of equals and its log-probability", () => {
  const { token, logprob } = chooseLikeliest(Float32Array.of(-Infinity, 2, 1, 2));
  assert.equal(token, 1);
  close(logprob, -Math.log(2 + Math.exp(-1)));
});

Deno.test("logSumExp() equals its definition for logits of any height", () => {
  for (const height of [0, 1000, -1000]) {
    const logits = Float32Array.of(height + 1, height, -Infinity, height - 60);
    close(logSumExp(logits, height + 1), height + Math.log(Math.E + 1));
  }
});

Deno.test("probabilityOf() sums to 1 over a vocabulary", () => {
  const logits = Float32Array.from({ length: 100 }, (_, i) => Math.sin(i) * 8);
  close([...logits.keys()].reduce((sum, token) => sum + probabilityOf(token, logits), 0), 1);
});

Deno.test("chooseAtRandom() draws as often as the heated probabilities say", () => {
  const logits = Float32Array.of(0, -Infinity, 1, 2);
  const choose = chooseAtRandom(0.5, seededRandom(1));
  const counts = [0, 0, 0, 0];
  const draws = 20_000;
  for (let i = 0; i < draws; i++) {
    const { token, logprob } = choose(logits);
    counts[token]++;
    close(logprob, logits[token] - Math.log(1 + Math.E + Math.E ** 2)); // at temperature 1
  }
  const weights = [1, 0, Math.exp(2), Math.exp(4)];
  const sum = weights.reduce((a, b) => a + b);
  // Four standard deviations of a binomial share are at most 4 · √(0.25 / draws) = 0.014.
  weights.forEach((weight, token) => assert(Math.abs(counts[token] / draws - weight / sum) < 0.014));
  assert.equal(counts[1], 0);
});

Deno.test("seededRandom() repeats itself for a seed, fills [0, 1) evenly, and differs between seeds", () => {
  const random = seededRandom(7);
  const again = seededRandom(7);
  const buckets = new Array(16).fill(0);
  for (let i = 0; i < 16_000; i++) {
    const value = random();
    assert.equal(again(), value);
    buckets[Math.floor(value * 16)]++;
  }
  // χ² with 15 degrees of freedom stays below 38 in 999 of 1000 cases.
  assert(buckets.reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0) < 38);
  assert.notEqual(seededRandom(8)(), seededRandom(7)());
});
