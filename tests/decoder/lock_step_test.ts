import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { LockStep } from "../../decoder/lock_step.ts";
import type { DecoderSession, LoadedDecoder, SessionStep } from "../../kernels/device.ts";

/** Answers each step with the session's number, and notes which sessions stepped together. */
class CountingDecoder implements LoadedDecoder {
  readonly dims = {
    n_audio_ctx: 1,
    n_vocab: 1,
    n_text_ctx: 1,
    n_text_state: 1,
    n_text_head: 1,
    n_text_layer: 1,
  };
  readonly arithmetic = "none";
  readonly together: number[][] = [];
  readonly signals: (AbortSignal | undefined)[] = [];
  fails = false;
  readonly #numbers = new Map<DecoderSession, number>();

  open(): DecoderSession {
    const session: DecoderSession = {
      setFeatures: () => Promise.resolve(),
      step: () => Promise.reject(new Error("not together")),
      align: () => Promise.reject(new Error("nothing to align")),
      reorder: () => Promise.resolve(),
      [Symbol.dispose]: () => {},
    };
    this.#numbers.set(session, this.#numbers.size);
    return session;
  }

  stepTogether(steps: readonly SessionStep[], signal?: AbortSignal): Promise<Float32Array<ArrayBuffer>[]> {
    this.signals.push(signal);
    const numbers = steps.map(({ session }) => this.#numbers.get(session)!);
    this.together.push(numbers);
    if (this.fails) return Promise.reject(new Error("no memory"));
    return Promise.resolve(numbers.map((number) => Float32Array.of(number)));
  }

  [Symbol.dispose](): void {}
}

const step = async (session: DecoderSession) => (await session.step(Int32Array.of(0), 1, 0))[0];

async function write(together: LockStep, session: DecoderSession, steps: number): Promise<number[]> {
  return await together.writing(async () => {
    await Promise.resolve(); // all say that they write before the first asks
    const answers: number[] = [];
    for (let i = 0; i < steps; i++) answers.push(await step(session));
    return answers;
  });
}

Deno.test("LockStep takes a step when all who write have asked for one, and goes on without those who ended", async () => {
  const decoder = new CountingDecoder();
  const together = new LockStep(decoder);
  const sessions = [0, 1, 2].map(() => together.open(1));
  const texts = await Promise.all([3, 1, 2].map((steps, i) => write(together, sessions[i], steps)));
  deepStrictEqual(texts, [[0, 0, 0], [1], [2, 2]]);
  deepStrictEqual(decoder.together, [[0, 1, 2], [0, 2], [0]]);
});

Deno.test("LockStep waits for a writer that has not asked yet, and not for one that failed", async () => {
  const decoder = new CountingDecoder();
  const together = new LockStep(decoder);
  const [a, b] = [together.open(1), together.open(1)];
  const preparing = Promise.withResolvers<void>();
  const late = together.writing(async () => {
    await preparing.promise;
    return await step(b);
  });
  const early = write(together, a, 1);
  await new Promise((resolve) => setTimeout(resolve, 1));
  deepStrictEqual(decoder.together, []);
  preparing.resolve();
  deepStrictEqual(await Promise.all([late, early]), [1, [0]]);

  const failing = together.writing(() => Promise.reject(new Error("aborted")));
  await rejects(failing, /aborted/);
  deepStrictEqual(await write(together, a, 1), [0]);
});

Deno.test("LockStep tells everyone in a step that it failed, and steps again afterwards", async () => {
  const decoder = new CountingDecoder();
  const together = new LockStep(decoder);
  const sessions = [together.open(1), together.open(1)];
  decoder.fails = true;
  const failed = await Promise.allSettled(sessions.map((session) => write(together, session, 1)));
  deepStrictEqual(failed.map(({ status }) => status), ["rejected", "rejected"]);
  decoder.fails = false;
  strictEqual((await write(together, sessions[1], 1))[0], 1);
});

Deno.test("LockStep steps at once where nobody has said to write", async () => {
  const together = new LockStep(new CountingDecoder());
  strictEqual(await step(together.open(1)), 0);
});

Deno.test("LockStep tells everyone of a device that throws at once, and steps again afterwards", async () => {
  const decoder = new CountingDecoder();
  const together = new LockStep(decoder);
  const session = together.open(1);
  const { stepTogether } = decoder;
  decoder.stepTogether = () => {
    throw new Error("disposed of");
  };
  await rejects(write(together, session, 1), /disposed of/);
  decoder.stepTogether = stepTogether;
  deepStrictEqual(await write(together, session, 1), [0]);
});

Deno.test("LockStep's step is ended by the signal that all of its callers gave, and by no other", async () => {
  const decoder = new CountingDecoder();
  const together = new LockStep(decoder);
  const sessions = [together.open(1), together.open(1)];
  const [one, other] = [new AbortController().signal, new AbortController().signal];
  for (const [a, b] of [[one, one], [one, other], [one, undefined], [undefined, undefined]]) {
    await Promise.all([a, b].map((signal, i) =>
      together.writing(async () => {
        await Promise.resolve();
        return await sessions[i].step(Int32Array.of(0), 1, 0, undefined, signal);
      })
    ));
  }
  deepStrictEqual(decoder.signals.map((signal) => signal === one), [true, false, false, false]);
  deepStrictEqual(decoder.signals.slice(1), [undefined, undefined, undefined]);
});
