import assert from "node:assert/strict";
import { Pace } from "../../cli/pace.ts";

Deno.test("Pace tells rate and time left from the windows so far", () => {
  let now = 0;
  const pace = new Pace(() => now);
  assert.equal(pace.note(0, 60_000), "");
  now = 1000;
  assert.equal(pace.note(3000, 60_000), ", 30 × real time, 0:19 left");
  now = 21_000;
  assert.equal(pace.note(6000, 60_000), ", 2.9 × real time, 3:09 left");
});
