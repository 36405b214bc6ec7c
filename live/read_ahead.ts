/**
 * Samples of a live source, taken in while something else is at work.
 *
 * @module
 */

import { throwIfAborted } from "../abort.ts";
import { SottoError } from "../errors.ts";

/** Reads a source ahead up to a limit, and hands out what there is. */
export class ReadAhead implements AsyncDisposable {
  readonly #iterator: AsyncIterator<Float32Array>;
  readonly #limit: number;
  #chunks: Float32Array[] = [];
  #length = 0;
  #isOver = false;
  #failure: { readonly error: unknown } | null = null;
  #pull: Promise<void> | null = null;
  #changed = Promise.withResolvers<void>();

  /**
   * Begins to read with the first {@linkcode ReadAhead.take}.
   *
   * @param limit Samples that are held; with more the source has to wait.
   */
  constructor(source: AsyncIterable<Float32Array>, limit: number) {
    this.#iterator = source[Symbol.asyncIterator]();
    this.#limit = limit;
  }

  /**
   * Waits until there are `least` samples, or the source is over, or `stop` is aborted, and takes at most `most`.
   *
   * @returns No samples at the end.
   * @throws What the source throws, once what came before is taken; E_AUDIO_VALUES if a sample is NaN or infinite; E_ABORTED.
   */
  async take(
    least: number,
    most: number,
    { signal, stop }: { readonly signal?: AbortSignal; readonly stop?: AbortSignal } = {},
  ): Promise<Float32Array<ArrayBuffer>> {
    while (this.#length < least && !this.#isOver && !stop?.aborted) {
      throwIfAborted(signal);
      this.#startPull();
      await waitFor(this.#changed.promise, [signal, stop].filter((given) => given !== undefined));
    }
    throwIfAborted(signal);
    if (this.#length < least && this.#failure) throw this.#failure.error;
    const taken = new Float32Array(Math.min(this.#length, most));
    for (let filled = 0; filled < taken.length;) {
      const [chunk] = this.#chunks;
      const part = chunk.subarray(0, taken.length - filled);
      taken.set(part, filled);
      filled += part.length;
      if (part.length === chunk.length) this.#chunks.shift();
      else this.#chunks[0] = chunk.subarray(part.length);
    }
    this.#length -= taken.length;
    this.#startPull();
    return taken;
  }

  /** Tells the source that no more is wanted. */
  async [Symbol.asyncDispose](): Promise<void> {
    const isWaiting = this.#pull !== null;
    this.#isOver = true;
    // A source that waits for a microphone would make us wait as well.
    const returned = this.#iterator.return?.();
    if (!isWaiting) await returned;
  }

  #startPull(): void {
    if (this.#pull || this.#isOver || this.#length >= this.#limit) return;
    this.#pull = this.#next().finally(() => {
      this.#pull = null;
      this.#changed.resolve();
      this.#changed = Promise.withResolvers();
      this.#startPull();
    });
  }

  async #next(): Promise<void> {
    try {
      const { done, value } = await this.#iterator.next();
      if (done) {
        this.#isOver = true;
        return;
      }
      requireFinite(value);
      // A source may use its memory again.
      this.#chunks.push(value.slice());
      this.#length += value.length;
    } catch (error) {
      this.#failure = { error };
      this.#isOver = true;
    }
  }
}

function requireFinite(samples: Float32Array): void {
  const at = samples.findIndex((sample) => !Number.isFinite(sample));
  if (at < 0) return;
  throw new SottoError(
    "E_AUDIO_VALUES",
    `Cannot transcribe live audio: a sample must be finite, got ${samples[at]}`,
  );
}

/** Waits for a promise or for one of the signals, whichever comes first. */
async function waitFor(promise: Promise<void>, signals: readonly AbortSignal[]): Promise<void> {
  const { promise: aborted, resolve } = Promise.withResolvers<void>();
  const onAbort = () => resolve();
  for (const signal of signals) signal.addEventListener("abort", onAbort);
  try {
    await Promise.race([promise, aborted]);
  } finally {
    for (const signal of signals) signal.removeEventListener("abort", onAbort);
  }
}
