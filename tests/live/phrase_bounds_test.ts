import assert from "node:assert/strict";
import { firstPhrase } from "../../live/phrase_bounds.ts";

/** Frames of speech ("s", certain) and silence (".", none), 10 ms each: `s30 .5`. */
const frames = (spelled: string) =>
  Uint8Array.from(
    spelled.split(" ").flatMap((run) => new Array(Number(run.slice(1))).fill(run[0] === "s" ? 255 : 0)),
  );

Deno.test("firstPhrase() ends at a pause, and says where speech goes on", () => {
  assert.equal(firstPhrase(frames(".200"), 70), null);
  assert.deepEqual(firstPhrase(frames(".20 s100 .80"), 70), { start: 20, end: 120, next: null });
  assert.deepEqual(firstPhrase(frames(".20 s100 .60 s50 .10"), 70), { start: 20, end: 230, next: null });
  assert.deepEqual(firstPhrase(frames(".20 s100 .80 s50 .10"), 70), { start: 20, end: 120, next: 200 });
});

Deno.test("firstPhrase() does not end in a sound that may be the beginning of a word", () => {
  // 50 ms of a word have come, too little to be told as speech: the phrase goes on.
  assert.deepEqual(firstPhrase(frames(".20 s100 .40 s5 .30"), 70), { start: 20, end: 165, next: null });
  assert.deepEqual(firstPhrase(frames(".20 s5 .40 s100 .30"), 70), { start: 20, end: 165, next: null });
  assert.deepEqual(firstPhrase(frames("s100 .80 s5 .20 s100 .30"), 70), { start: 0, end: 100, next: 180 });
});

Deno.test("firstPhrase() does not begin with clicks alone", () => {
  assert.equal(firstPhrase(frames(".20 s5 .90 s5 .90"), 70), null);
});
