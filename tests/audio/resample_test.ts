import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { resampledLength, Resampler } from "../../audio/resample.ts";

/** Rates of sound cards and telephones, one that shares no divisor with 16 kHz, and both ends. */
const RATES = [
  4000,
  8000,
  11_025,
  12_000,
  22_050,
  24_000,
  32_000,
  44_100,
  48_000,
  44_099,
  96_000,
  192_000,
  384_000,
];
/** Samples at either end that the silence outside reaches into: the filter's half length at 16 kHz, and more. */
const EDGE = 600;

function resample(
  samples: Float32Array<ArrayBuffer>,
  rate: number,
  pieces: readonly number[] = [],
): Float32Array {
  const resampler = new Resampler(rate);
  const parts: Float32Array[] = [];
  let at = 0;
  for (const length of [...pieces, Infinity]) {
    parts.push(resampler.push(samples.slice(at, at + length)));
    at += length;
  }
  parts.push(resampler.finish());
  return Float32Array.from(parts.flatMap((part) => [...part]));
}

function tone(frequency: number, rate: number, seconds = 0.5): Float32Array<ArrayBuffer> {
  return Float32Array.from(
    { length: Math.round(rate * seconds) },
    (_, i) => Math.sin(2 * Math.PI * frequency * i / rate),
  );
}

/** Root mean square away from the ends. */
function level(samples: Float32Array): number {
  const middle = samples.subarray(EDGE, samples.length - EDGE);
  return Math.sqrt(middle.reduce((sum, sample) => sum + sample * sample, 0) / middle.length);
}

const decibels = (ratio: number) => 20 * Math.log10(ratio);

for (const rate of RATES) {
  const nyquist = Math.min(rate, 16_000) / 2;

  Deno.test(`Resampler keeps tones of the pass band at ${rate} Hz in time and flat within 0.01 dB`, () => {
    for (const part of [0.05, 0.4, 0.7, 0.86]) {
      const frequency = part * nyquist;
      const output = resample(tone(frequency, rate), rate);
      ok(
        Math.abs(decibels(level(output) * Math.SQRT2)) < 0.01,
        `${frequency} Hz: ${decibels(level(output) * Math.SQRT2)}`,
      );
      let worst = 0;
      for (let n = EDGE; n < output.length - EDGE; n++) {
        worst = Math.max(worst, Math.abs(output[n] - Math.sin(2 * Math.PI * frequency * n / 16_000)));
      }
      ok(worst < 1e-4, `${frequency} Hz: ${worst} from the tone at n / 16000 s`);
    }
  });

  if (rate > 16_000) {
    Deno.test(`Resampler holds tones above 8 kHz 90 dB down at ${rate} Hz`, () => {
      for (const frequency of [8010, 8500, 9500, 10_900, rate / 2 - 50]) {
        const alias = decibels(level(resample(tone(frequency, rate), rate)) * Math.SQRT2);
        if (frequency < rate / 2) ok(alias < -90, `${frequency} Hz: ${alias} dB`);
      }
    });
  }
}

Deno.test("Resampler holds images 90 dB down when the input is slower than 16 kHz", () => {
  for (const rate of [4000, 8000, 11_025]) {
    const frequency = 0.4 * rate;
    const output = resample(tone(frequency, rate), rate);
    const image = Float32Array.from(
      output,
      (sample, n) => sample - Math.sin(2 * Math.PI * frequency * n / 16_000),
    );
    ok(decibels(level(image) * Math.SQRT2) < -90, `${rate} Hz: ${decibels(level(image))} dB`);
  }
});

Deno.test("Resampler gives the same samples however the input is cut", () => {
  const input = Float32Array.from({ length: 5000 }, (_, i) => Math.sin(i * i / 4000));
  for (const rate of [8000, 44_100, 44_099, 48_000, 384_000]) {
    const whole = resample(input, rate);
    deepStrictEqual(resample(input, rate, [1, 0, 2, 3, 5, 700, 1, 1500]), whole, `${rate} Hz`);
    deepStrictEqual(resample(input, rate, Array(200).fill(17)), whole, `${rate} Hz`);
  }
});

Deno.test("Resampler makes round(samples × 16000 / rate) samples, of any number down to none", () => {
  for (const rate of RATES) {
    for (const samples of [0, 1, 2, 3, 10, 441, 1000, 3001]) {
      const expected = Math.floor(samples * 16_000 / rate + 0.5);
      strictEqual(resampledLength(samples, rate), expected);
      strictEqual(resample(new Float32Array(samples), rate).length, expected, `${samples} at ${rate} Hz`);
    }
  }
});

Deno.test("Resampler keeps a constant exactly, and passes 16 kHz on untouched", () => {
  for (const rate of RATES) {
    const output = resample(new Float32Array(rate / 2).fill(0.5), rate).slice(EDGE, -EDGE);
    ok(output.length > 0 && output.every((sample) => Math.abs(sample - 0.5) < 1e-7), `${rate} Hz`);
  }
  const input = Float32Array.from({ length: 100 }, (_, i) => Math.fround(Math.sin(i)));
  deepStrictEqual(resample(input, 16_000, [7, 30]), input);
});

Deno.test("Resampler puts a click where it was", () => {
  for (const rate of [8000, 44_100, 48_000, 192_000]) {
    const input = new Float32Array(rate);
    input[rate / 4] = 1; // at 0.25 s
    const output = resample(input, rate);
    strictEqual(output.indexOf(Math.max(...output)), 4000, `${rate} Hz`);
    for (let d = 1; d < 50; d++) {
      ok(Math.abs(output[4000 - d] - output[4000 + d]) < 1e-6, "symmetric, so without delay");
    }
  }
});
