import assert from "node:assert/strict";
import { openDevice } from "../../kernels/select.ts";
import { melFrames } from "../../mel/frames.ts";
import { SpeechDetector } from "../../voice/detector.ts";
import { resolveVadParameters } from "../../voice/options.ts";
import { type Span, speechSpans } from "../../voice/spans.ts";
import { bundled, joined, noise, RATE, silence, tone } from "./_recordings.ts";

/** When somebody speaks in `08_commands` (the demo model's `truth.json`), in seconds. */
const COMMANDS = [[0.4, 2.41], [3.47, 5.42], [6.94, 10.18], [12.1, 14.83], [16.6, 18.06], [19.14, 21.84]];

async function probabilities(samples: Float32Array<ArrayBuffer>, bands = 80): Promise<Uint8Array> {
  using device = await openDevice("portable");
  const detector = new SpeechDetector(bands);
  const chunks = (async function* () {
    yield await Promise.resolve(samples);
  })();
  for await (const { power } of melFrames(chunks, { bands, device })) detector.push(power);
  return detector.finish();
}

async function speech(samples: Float32Array<ArrayBuffer>, bands?: number): Promise<Span[]> {
  return speechSpans(await probabilities(samples, bands), resolveVadParameters());
}

const plus = (a: Float32Array<ArrayBuffer>, b: Float32Array<ArrayBuffer>) =>
  a.map((value, i) => value + b[i]);

Deno.test("SpeechDetector finds the sentences of a recording, in 80 bands and in 128, loud and faint", async () => {
  const recording = await bundled("08_commands");
  const faint = recording.map((sample) => sample * 0.01);
  const fine = { minSilenceDurationMs: 500, speechPadMs: 250 };
  for (const [samples, bands] of [[recording, 80], [recording, 128], [faint, 80]] as const) {
    const spans = speechSpans(await probabilities(samples, bands), resolveVadParameters(fine));
    assert.equal(spans.length, COMMANDS.length);
    for (const [i, { start, end }] of spans.entries()) {
      assert(Math.abs(start / 100 - COMMANDS[i][0]) < 0.45, `start ${start} of ${i} in ${bands} bands`);
      assert(Math.abs(end / 100 - COMMANDS[i][1]) < 0.45, `end ${end} of ${i} in ${bands} bands`);
    }
  }
});

Deno.test("SpeechDetector finds nearly all speech in noise 15 dB below it", async () => {
  const recording = await bundled("08_commands");
  const rms = Math.sqrt(recording.reduce((sum, value) => sum + value * value, 0) / recording.length);
  const noisy = plus(recording, noise(recording.length / RATE, rms * 10 ** (-15 / 20)));
  const spans = await speech(noisy);
  const inSpeech = COMMANDS.map(([start, end]) => [start * 100, end * 100]);
  const found = inSpeech.reduce(
    (sum, [start, end]) =>
      sum +
      spans.reduce(
        (sum, span) => sum + Math.max(0, Math.min(end, span.end) - Math.max(start, span.start)),
        0,
      ),
    0,
  );
  const all = inSpeech.reduce((sum, [start, end]) => sum + end - start, 0);
  assert(found / all > 0.98, `found ${(100 * found / all).toFixed(1)} %`);
});

Deno.test("SpeechDetector finds no speech where there is none", async () => {
  const clicks = silence(5).map((_, i) => i % 8000 === 0 ? 0.9 : 0);
  for (
    const [name, samples] of Object.entries({
      "the recording without speech": await bundled("11_no_speech"),
      silence: silence(5),
      "constant level": silence(5).fill(0.5),
      "faint noise": noise(10, 0.0005),
      "loud noise": noise(10, 0.1),
      "noise that begins and ends": joined(silence(4), noise(5, 0.05), silence(4)),
      "noise that grows": noise(10, 0.1).map((value, i) => value * i / (10 * RATE)),
      "a tone that begins and ends": joined(silence(3), tone(3, 440), silence(3)),
      "tones in turn": joined(...[262, 330, 392, 523, 392, 330].map((hertz) => tone(0.5, hertz))),
      clicks,
    })
  ) {
    assert.deepEqual(await speech(samples), [], name);
  }
});

Deno.test("SpeechDetector takes recordings shorter than its reach, and none at all", async () => {
  assert.equal((await probabilities(silence(0))).length, 0);
  for (const length of [1, 160, 399, 800, 16_000]) {
    assert.equal((await probabilities(new Float32Array(length))).length, Math.ceil((length + 200) / 160));
  }
});
