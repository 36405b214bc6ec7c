import assert from "node:assert/strict";
import { clipsBetween, clipSeconds, nextPlace } from "../../decoder/clips.ts";

Deno.test("clipSeconds() reads a list or a text, and refuses what goes back", () => {
  assert.deepEqual(clipSeconds("0"), [0]);
  assert.deepEqual(clipSeconds(" 1.5, 2,7 "), [1.5, 2, 7]);
  assert.deepEqual(clipSeconds([]), []);
  for (const wrong of ["1,x", "-1", "2,1", [3, 2], [NaN], [Infinity], 5, null]) {
    assert.equal(clipSeconds(wrong), null, JSON.stringify(wrong));
  }
});

Deno.test("clipsBetween() pairs starts with ends, the last one open", () => {
  assert.deepEqual(clipsBetween([]), [{ start: 0, end: null }]);
  assert.deepEqual(clipsBetween([1, 2.5, 7]), [{ start: 100, end: 250 }, { start: 700, end: null }]);
});

Deno.test("nextPlace() leads through the clips and past what is empty or behind the end", () => {
  const clips = clipsBetween([1, 2, 3, 3, 4, 40, 50]);
  const places = [0, 150, 200, 399, 4000].map((seek) => nextPlace(clips, seek, 3500));
  assert.deepEqual(places, [
    { seek: 100, room: 100 },
    { seek: 150, room: 50 },
    { seek: 400, room: 3100 },
    { seek: 400, room: 3100 },
    null,
  ]);
});
