/**
 * Windows that are written side by side and take their steps together, so that the decoder's weights are read once for
 * all of them.
 *
 * @module
 */

import type { DecoderSession, LoadedDecoder, SessionStep } from "../kernels/device.ts";

/** A step that waits for the others, and who is to be told. */
interface Waiting {
  readonly step: SessionStep;
  readonly signal: AbortSignal | undefined;
  readonly resolve: (logits: Float32Array<ArrayBuffer>) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * A decoder whose sessions wait for each other: a step is taken when everyone who is {@linkcode LockStep.writing} has
 * asked for one. Texts may differ in length, begin at any time and end at any time.
 */
export class LockStep implements LoadedDecoder {
  readonly #decoder: LoadedDecoder;
  #writers = 0;
  #waiting: Waiting[] = [];
  #isStepping = false;

  /** @param decoder Must outlive this, and is not disposed of with it. */
  constructor(decoder: LoadedDecoder) {
    this.#decoder = decoder;
  }

  get dims(): LoadedDecoder["dims"] {
    return this.#decoder.dims;
  }

  get arithmetic(): string {
    return this.#decoder.arithmetic;
  }

  /** A session whose steps wait for those of the others. */
  open(hypotheses: number): DecoderSession {
    const session = this.#decoder.open(hypotheses);
    return {
      setFeatures: (features, signal) => session.setFeatures(features, signal),
      step: (tokens, sequences, position, rows, signal) =>
        this.#step({ session, tokens, sequences, position, rows }, signal),
      align: (tokens, heads, options) => session.align(tokens, heads, options),
      reorder: (sources) => session.reorder(sources),
      logits: session.logits,
      [Symbol.dispose]: () => session[Symbol.dispose](),
    };
  }

  stepTogether(steps: readonly SessionStep[], signal?: AbortSignal): Promise<Float32Array<ArrayBuffer>[]> {
    return this.#decoder.stepTogether(steps, signal);
  }

  /** Does work that takes steps: no step is taken before this work has asked for one, or is over. */
  async writing<T>(work: () => Promise<T>): Promise<T> {
    this.#writers++;
    try {
      return await work();
    } finally {
      this.#writers--;
      this.#stepIfAllWait();
    }
  }

  [Symbol.dispose](): void {}

  #step(step: SessionStep, signal: AbortSignal | undefined): Promise<Float32Array<ArrayBuffer>> {
    const { promise, resolve, reject } = Promise.withResolvers<Float32Array<ArrayBuffer>>();
    this.#waiting.push({ step, signal, resolve, reject });
    this.#stepIfAllWait();
    return promise;
  }

  #stepIfAllWait(): void {
    if (this.#isStepping || this.#waiting.length === 0 || this.#waiting.length < this.#writers) return;
    const taken = this.#waiting;
    this.#waiting = [];
    this.#isStepping = true;
    const tell = (told: () => void) => {
      this.#isStepping = false;
      told();
      this.#stepIfAllWait();
    };
    // A step is not ended for one of several callers: the others still want it.
    const signals = new Set(taken.map(({ signal }) => signal));
    const signal = signals.size === 1 ? taken[0].signal : undefined;
    const stepping = async () => await this.#decoder.stepTogether(taken.map(({ step }) => step), signal);
    stepping().then( // of a device that throws at once they are told as well
      (logits) => tell(() => taken.forEach(({ resolve }, i) => resolve(logits[i]))),
      (error) => tell(() => taken.forEach(({ reject }) => reject(error))),
    );
  }
}
