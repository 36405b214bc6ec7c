import { ok, strictEqual } from "node:assert/strict";
import { divergence, logProbabilities } from "../../bench/next_token_rows.ts";

Deno.test("logProbabilities() and divergence() are those of their definitions", () => {
  const p = logProbabilities(Float32Array.of(Math.log(1), Math.log(2), Math.log(5)));
  [1 / 8, 2 / 8, 5 / 8].forEach((share, i) => ok(Math.abs(Math.exp(p[i]) - share) < 1e-6));
  strictEqual(divergence(p, p), 0);
  const q = logProbabilities(Float32Array.of(1000, 1000, 1000));
  const expected = Math.log(3) +
    [1 / 8, 2 / 8, 5 / 8].reduce((sum, share) => sum + share * Math.log(share), 0);
  ok(Math.abs(divergence(p, q) - expected) < 1e-6);
});
