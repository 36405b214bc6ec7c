import assert from "node:assert/strict";
import { TrailingMinimum } from "../../voice/trailing_minimum.ts";

Deno.test("TrailingMinimum gives the least of the latest values of each stream", () => {
  let state = 7;
  const values = Array.from({ length: 100 }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return (state >>> 0) % 50;
  });
  for (const width of [1, 2, 7, 100, 101]) {
    const minimum = new TrailingMinimum(width, 2);
    const out = new Float32Array(2);
    for (const [i, value] of values.entries()) {
      minimum.push(Float32Array.of(value, -value), out);
      const latest = values.slice(Math.max(0, i + 1 - width), i + 1);
      assert.deepEqual([...out], [Math.min(...latest), -Math.max(...latest)], `width ${width}, value ${i}`);
    }
  }
});
