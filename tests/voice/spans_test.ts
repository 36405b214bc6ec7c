import assert from "node:assert/strict";
import { SottoError } from "../../errors.ts";
import { resolveVadParameters, VAD_DEFAULTS, type VadParameters } from "../../voice/options.ts";
import { speechSpans } from "../../voice/spans.ts";

/** Probabilities from stretches of [frames, probability]. */
const of = (...stretches: readonly (readonly [frames: number, probability: number])[]) =>
  Uint8Array.from(stretches.flatMap(([frames, p]) => new Array<number>(frames).fill(Math.round(p * 255))));

const bare = { minSpeechDurationMs: 0, speechPadMs: 0, minSilenceDurationMs: 100 };
const spans = (probabilities: Uint8Array, parameters: VadParameters = {}) =>
  speechSpans(probabilities, resolveVadParameters({ ...bare, ...parameters }))
    .map(({ start, end }) => [start, end]);

Deno.test("speechSpans() begins at the threshold and ends where it stays below the lower one", () => {
  assert.deepEqual(spans(of([20, 0], [30, 0.6], [20, 0.4], [30, 0.1])), [[20, 70]]);
  assert.deepEqual(spans(of([20, 0], [30, 0.6], [20, 0.4]), { negThreshold: 0.5 }), [[20, 50]]);
});

Deno.test("speechSpans() joins speech over pauses shorter than the shortest silence", () => {
  assert.deepEqual(spans(of([30, 1], [9, 0], [30, 1])), [[0, 69]]);
  assert.deepEqual(spans(of([30, 1], [10, 0], [30, 1])), [[0, 30], [40, 70]]);
});

Deno.test("speechSpans() drops what is too short, and pads the rest without overlap", () => {
  const probabilities = of([50, 0], [5, 1], [50, 0], [40, 1], [30, 0], [40, 1], [50, 0]);
  assert.deepEqual(spans(probabilities, { minSpeechDurationMs: 60 }), [[105, 145], [175, 215]]);
  assert.deepEqual(spans(probabilities, { minSpeechDurationMs: 60, speechPadMs: 100 }), [[95, 155], [
    165,
    225,
  ]]);
  assert.deepEqual(spans(probabilities, { minSpeechDurationMs: 60, speechPadMs: 400 }), [[65, 255]]);
});

Deno.test("speechSpans() cuts long speech at its quietest place, and covers all of it", () => {
  const probabilities = of([150, 1], [10, 0.4], [300, 1]);
  assert.deepEqual(spans(probabilities, { maxSpeechDurationS: 2 }), [[0, 158], [158, 358], [358, 460]]);
});

Deno.test("speechSpans() finds nothing in nothing", () => {
  assert.deepEqual(spans(new Uint8Array()), []);
  assert.deepEqual(spans(of([100, 0.2])), []);
});

Deno.test("resolveVadParameters() completes, and refuses what is unknown or out of range", () => {
  assert.deepEqual(resolveVadParameters(), VAD_DEFAULTS);
  assert.equal(resolveVadParameters({ threshold: 0.8 }).negThreshold, 0.65);
  assert.equal(resolveVadParameters({ threshold: 0.05, negThreshold: null }).negThreshold, 0.01);
  for (
    const [wrong, message] of [
      [{ threshold: 1.5 }, /vadParameters\.threshold must be a probability of 0…1; got 1\.5/],
      [{ negThreshold: 0.6 }, /must be at most vadParameters\.threshold; got 0\.6 and 0\.5/],
      [{ speechPadMs: -1 }, /speechPadMs must be milliseconds of 0 or more; got -1/],
      [{ minSilenceDurationMs: "1" }, /got "1"/],
      [{ maxSpeechDurationS: 0.5 }, /seconds of 1 or more/],
      [{ treshold: 0.5 }, /treshold is not one of them/],
    ] as [VadParameters, RegExp][]
  ) {
    assert.throws(
      () => resolveVadParameters(wrong),
      (error) => error instanceof SottoError && error.code === "E_OPTION" && message.test(error.message),
    );
  }
});
