// Windows in progress side by side, when whoever asked for them leaves.

import assert from "node:assert/strict";
import { type RunControls, transcribeBatches } from "../../decoder/mod.ts";
import type { DecoderSession, LoadedDecoder, SessionStep } from "../../kernels/device.ts";
import { demoTokenizer } from "./_demo_model.ts";
import { LIKELY } from "./_scripted_decoder.ts";

const tokenizer = await demoTokenizer();
const { special, vocabularySize } = tokenizer;
const WORD = tokenizer.encode(" the")[0];
const FRAMES = 3000;
/** A window that holds one word from its begin to its end. */
const SHORT = [special.timestampBegin, WORD, special.timestampBegin + 1500, special.eot];

/** Writes `SHORT` in the windows it is told of, and in the others as much as there is room for. */
class Writer implements LoadedDecoder {
  readonly dims = {
    n_audio_ctx: 1500,
    n_vocab: vocabularySize,
    n_text_ctx: 448,
    n_text_state: 1,
    n_text_head: 1,
    n_text_layer: 1,
  };
  readonly arithmetic = "none";
  steps = 0;
  opened = 0;
  readonly #isShort: (window: number) => boolean;
  readonly #windows = new Map<DecoderSession, { window: number; written: number }>();

  constructor(isShort: (window: number) => boolean) {
    this.#isShort = isShort;
  }

  open(): DecoderSession {
    this.opened++;
    const session: DecoderSession = {
      setFeatures: ([window]) => {
        this.#windows.set(session, { window, written: 0 });
        return Promise.resolve();
      },
      step: () => Promise.reject(new Error("not together")),
      align: () => Promise.reject(new Error("nothing to align")),
      reorder: () => Promise.resolve(),
      [Symbol.dispose]: () => void this.opened--,
    };
    return session;
  }

  stepTogether(steps: readonly SessionStep[]): Promise<Float32Array<ArrayBuffer>[]> {
    this.steps++;
    return Promise.resolve(steps.map(({ session, rows }) => {
      const logits = new Float32Array((rows?.length ?? 1) * vocabularySize);
      const at = this.#windows.get(session)!;
      const token = this.#isShort(at.window) ? SHORT[at.written++] : WORD;
      logits[logits.length - vocabularySize + token] = LIKELY;
      return logits;
    }));
  }

  [Symbol.dispose](): void {}
}

/** A run over whole windows, and which were encoded. */
function batches(
  decoder: Writer,
  { windows, batchSize, ...controls }: { windows: number; batchSize: number } & RunControls,
) {
  const encoded: number[] = [];
  const run = transcribeBatches(
    {
      contentFrames: windows * FRAMES,
      window: (seek) => Promise.resolve(Float32Array.of(seek / FRAMES)),
    },
    {
      decoder,
      tokenizer,
      encode: (mel) => {
        encoded.push(mel[0]);
        return Promise.resolve(mel);
      },
      alignmentHeads: [],
    },
    {
      cuts: Array.from({ length: windows }, (_, i) => ({ start: i * FRAMES, end: (i + 1) * FRAMES })),
      batchSize,
      language: "en",
      temperature: 0,
      ...controls,
    },
  );
  return { run, encoded };
}

Deno.test("transcribeBatches() ends the windows in progress when its segments are no longer wanted", async () => {
  const decoder = new Writer((window) => window === 0);
  const { run, encoded } = batches(decoder, { windows: 6, batchSize: 3 });
  assert.equal((await run.next()).value && true, true);
  const before = decoder.steps;
  await run.return(undefined as never);
  assert(decoder.steps - before <= 3, `${decoder.steps - before} steps for no one`);
  assert(encoded.length <= 4, `${encoded.length} windows encoded`);
  assert.equal(decoder.opened, 0);
});

Deno.test("transcribeBatches() ends the windows in progress when one of them fails", async () => {
  const decoder = new Writer((window) => window === 0);
  const onWindow = () => {
    throw new Error("no place to write to");
  };
  const { run } = batches(decoder, { windows: 6, batchSize: 3, onWindow });
  await assert.rejects(run.next(), /no place to write to/);
  assert(decoder.steps <= 12, `${decoder.steps} steps`);
  assert.equal(decoder.opened, 0);
});

Deno.test("transcribeBatches() begins no window after it was stopped", async () => {
  const decoder = new Writer(() => true);
  const stop = new AbortController();
  const { run, encoded } = batches(decoder, { windows: 8, batchSize: 2, stop: stop.signal });
  const first = run.next();
  while (decoder.steps === 0) await Promise.resolve();
  stop.abort();
  let step = await first;
  let segments = 0;
  for (; !step.done; step = await run.next()) segments++;
  assert.deepEqual(encoded, [0, 1]);
  assert.equal(segments, 2);
  assert.equal(step.value.isComplete, false);
});

Deno.test("transcribeBatches() begins no window after it was aborted", async () => {
  const decoder = new Writer(() => true);
  const controller = new AbortController();
  const { run, encoded } = batches(decoder, { windows: 8, batchSize: 2, signal: controller.signal });
  const first = run.next();
  while (decoder.steps === 0) await Promise.resolve();
  controller.abort(new Error("enough"));
  await assert.rejects(first, { code: "E_ABORTED" });
  assert.deepEqual(encoded, [0, 1]);
  assert.equal(decoder.opened, 0);
});
