// Calls of the text decoder that are aborted: before they begin, and while they run.

import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { CpuDevice } from "../../kernels/cpu/device.ts";
import type { Device } from "../../kernels/device.ts";
import { openPortableDevice } from "../../kernels/portable/device.ts";
import { openCheckpoint } from "../../model/open.ts";
import { LIBRARY_PATH, testWithLibrary, variants } from "../support/cpu_library.ts";
import { PROJECT_ROOT } from "../support/shared_data.ts";

const demo = await openCheckpoint(new URL("models/demo", PROJECT_ROOT).pathname);
const dims = demo.dims.decoder!;
const features = Float32Array.from(
  { length: dims.n_audio_ctx * dims.n_text_state },
  (_, i) => Math.sin(i * 0.7) + Math.cos(i * 0.013),
);

const SEQUENCES = 16;
const prompt = (count: number) => Int32Array.from({ length: count }, (_, i) => i * 131 % dims.n_vocab);
/** 35 thousand million operations: too many for two threads to have done when the event loop turns. */
const LONG = prompt(SEQUENCES * (dims.n_text_ctx - 2));
const HEADS = [[2, 0], [0, 1]] as const;
const reason = new Error("enough");
const stopped = { code: "E_ABORTED", message: "Stopped by the caller", cause: reason };

/** Begins a call and aborts it as soon as the event loop turns. */
async function abortedMeanwhile(call: (signal: AbortSignal) => Promise<unknown>): Promise<void> {
  const controller = new AbortController();
  const running = rejects(call(controller.signal), stopped);
  setTimeout(() => controller.abort(reason), 1);
  await running;
}

async function endsCalls(device: Device): Promise<void> {
  using decoder = await device.loadDecoder(dims, demo.weights);
  using session = decoder.open(SEQUENCES);
  using other = decoder.open(SEQUENCES);
  const last = async () => (await session.step(prompt(3 * SEQUENCES), SEQUENCES, 1)).slice();
  for (const each of [session, other]) {
    await each.setFeatures(features);
    await each.step(prompt(SEQUENCES), SEQUENCES, 0);
  }
  const expected = await last();

  const early = AbortSignal.abort(reason);
  await rejects(session.setFeatures(features, early), stopped);
  await rejects(session.step(LONG, SEQUENCES, 1, undefined, early), stopped);
  const options = { start: 1, positions: 1500, vocabulary: 100 };
  await rejects(session.align(prompt(400), HEADS, { ...options, signal: early }), stopped);
  deepStrictEqual(await last(), expected, "after calls that did not begin");

  await abortedMeanwhile((signal) => session.step(LONG, SEQUENCES, 1, undefined, signal));
  await rejects(session.step(prompt(SEQUENCES), SEQUENCES, 2), /position/, "only what was before is held");
  deepStrictEqual(await last(), expected, "after a step");

  const steps = [session, other].map((session) => ({
    session,
    tokens: LONG,
    sequences: SEQUENCES,
    position: 1,
  }));
  await abortedMeanwhile((signal) => decoder.stepTogether(steps, signal));
  deepStrictEqual(await last(), expected, "after a joint step");
}

Deno.test("a session's calls end soon after they are aborted, and it goes on as before (portable)", async () => {
  using device = openPortableDevice();
  await endsCalls(device);
});

const isOneCore = navigator.hardwareConcurrency === 1;
if (isOneCore) {
  console.log("skipped: calls that are aborted behind another one (one core: they do not begin)");
}

for (const variant of variants()) {
  testWithLibrary(
    `a session's calls end soon after they are aborted, and it goes on as before (${variant})`,
    async () => {
      using device = CpuDevice.open({ library: LIBRARY_PATH, variant, threads: 2 });
      await endsCalls(device);
    },
  );

  if (isOneCore) continue;
  testWithLibrary(
    `features and alignments that are aborted leave a session that says what it lacks (${variant})`,
    async () => {
      using device = CpuDevice.open({ library: LIBRARY_PATH, variant, threads: 2 });
      using decoder = await device.loadDecoder(dims, demo.weights);
      using other = decoder.open(SEQUENCES);
      await other.setFeatures(features);
      using session = decoder.open(1);
      const text = prompt(40);
      const options = { start: 1, positions: 1500, vocabulary: 100 };
      await session.setFeatures(features);
      const expected = await session.align(text, HEADS, options);

      /** Begins a call while another one has all threads, so that it is aborted before it is done. */
      const abortedBehind = async (call: (signal: AbortSignal) => Promise<unknown>) => {
        const busy = new AbortController();
        const ahead = rejects(other.step(LONG, SEQUENCES, 0, undefined, busy.signal), stopped);
        await new Promise((resume) => setTimeout(resume, 5));
        const controller = new AbortController();
        const running = rejects(call(controller.signal), stopped);
        controller.abort(reason);
        busy.abort(reason);
        await Promise.all([ahead, running]);
      };
      await abortedBehind((signal) => session.setFeatures(features, signal));
      await rejects(session.step(Int32Array.of(1), 1, 0), /no features were set/);
      await session.setFeatures(features);
      await abortedBehind((signal) => session.align(text, HEADS, { ...options, signal }));
      await rejects(session.step(Int32Array.of(1), 1, 1), /holds 0 tokens/);
      deepStrictEqual(await session.align(text, HEADS, options), expected);
    },
  );
}

testWithLibrary("a call that waits for its turn is aborted without it", async () => {
  using device = CpuDevice.open({ library: LIBRARY_PATH, threads: 2 });
  using decoder = await device.loadDecoder(dims, demo.weights);
  using session = decoder.open(SEQUENCES);
  await session.setFeatures(features);
  const first = new AbortController();
  const running = session.step(LONG, SEQUENCES, 0, undefined, first.signal);
  let isRunning = true;
  const ended = rejects(running, stopped).finally(() => isRunning = false);
  const second = new AbortController();
  const waiting = session.step(prompt(SEQUENCES), SEQUENCES, 0, undefined, second.signal);
  second.abort(reason);
  await rejects(waiting, stopped);
  strictEqual(isRunning, true);
  first.abort(reason);
  await ended;
});
