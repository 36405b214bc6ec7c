import assert from "node:assert/strict";
import { LogitRow } from "../../decoder/logit_row.ts";
import { randomOfWindow, seededRandom, splitRandom } from "../../decoder/random.ts";
import { chooseAtRandom, chooseLikeliest } from "../../decoder/token_choice.ts";

const close = (a: number, b: number) => assert(Math.abs(a - b) < 1e-6, `${a} is not ${b}`);

/** Two texts, then two times. */
const row = (...logits: number[]) => new LogitRow(Float32Array.from(logits), 2);

Deno.test("chooseLikeliest() takes the first of equals and its log-probability", () => {
  const { token, logprob } = chooseLikeliest(row(-Infinity, 2, 1, 2));
  assert.equal(token, 1);
  close(logprob, -Math.log(2 + Math.exp(-1)));
});

Deno.test("chooseLikeliest() and chooseAtRandom() end a text that may not go on", () => {
  const nothing = [-Infinity, -Infinity, -Infinity, -Infinity];
  for (const choose of [chooseLikeliest, chooseAtRandom(1, () => 0.5)]) {
    assert.deepEqual(choose(row(...nothing)), { token: null, logprob: 0 });
  }
});

Deno.test("chooseAtRandom() draws as often as the heated probabilities say", () => {
  const logits = [0, -Infinity, 1, 2];
  const choose = chooseAtRandom(0.5, seededRandom(1));
  const counts = [0, 0, 0, 0];
  const draws = 20_000;
  for (let i = 0; i < draws; i++) {
    const { token, logprob } = choose(row(...logits));
    counts[token!]++;
    close(logprob, logits[token!] - Math.log(1 + Math.E + Math.E ** 2)); // at temperature 1
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

Deno.test("randomOfWindow() begins anew for each window, splitRandom() for each text", () => {
  const firsts = [0, 100, 3000].flatMap((seek) => [1, 2].map((seed) => randomOfWindow(seed, seek)()));
  assert.equal(new Set(firsts).size, firsts.length);
  assert.equal(randomOfWindow(1, 3000)(), randomOfWindow(1, 3000)());
  const random = seededRandom(1);
  assert.notEqual(splitRandom(random)(), splitRandom(random)());
});
