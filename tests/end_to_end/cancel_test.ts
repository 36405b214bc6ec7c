// Aborting a transcription while the text decoder is at work.

import { rejects, strictEqual } from "node:assert/strict";
import type { DecoderSession, LoadedDecoder, SessionStep } from "../../kernels/device.ts";
import { loadModel, probeDevices, type TranscriptionOptions } from "../../mod.ts";
import { transcribeAudio } from "../../transcribe.ts";
import { PROJECT_ROOT } from "../support/shared_data.ts";

const at = (path: string): string => new URL(path, PROJECT_ROOT).pathname;
const reason = new Error("enough");

type Call = "setFeatures" | "step" | "align" | "stepTogether";

/** A decoder that aborts as the first call of a kind begins, and notes what became of that call. */
class Aborting implements LoadedDecoder {
  readonly #decoder: LoadedDecoder;
  readonly #call: Call;
  readonly #controller = new AbortController();
  /** The decoder's own session behind each of ours. */
  readonly #sessions = new Map<DecoderSession, DecoderSession>();
  outcome: "not called" | "running" | "ended" | "done" = "not called";

  constructor(decoder: LoadedDecoder, call: Call) {
    this.#decoder = decoder;
    this.#call = call;
  }

  get dims() {
    return this.#decoder.dims;
  }

  get arithmetic() {
    return this.#decoder.arithmetic;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  open(hypotheses: number): DecoderSession {
    const session = this.#decoder.open(hypotheses);
    const watched = new Proxy(session, {
      get: (target, name) => {
        const member = Reflect.get(target, name, target);
        if (typeof member !== "function") return member;
        const call = (...args: unknown[]) => member.apply(target, args);
        return name === this.#call ? (...args: unknown[]) => this.#abortIn(() => call(...args)) : call;
      },
    });
    this.#sessions.set(watched, session);
    return watched;
  }

  stepTogether(steps: readonly SessionStep[], signal?: AbortSignal): Promise<Float32Array<ArrayBuffer>[]> {
    const own = steps.map((step) => ({ ...step, session: this.#sessions.get(step.session)! }));
    const call = () => this.#decoder.stepTogether(own, signal);
    return this.#call === "stepTogether" ? this.#abortIn(call) : call();
  }

  [Symbol.dispose](): void {}

  #abortIn<T>(call: () => Promise<T>): Promise<T> {
    if (this.outcome !== "not called") return call();
    this.outcome = "running";
    this.#controller.abort(reason);
    const running = call();
    running.then(() => this.outcome = "done", () => this.outcome = "ended");
    return running;
  }
}

const CASES: readonly (readonly [Call, TranscriptionOptions])[] = [
  ["setFeatures", { language: "en" }],
  ["step", { language: "en" }],
  ["step", { language: null }],
  ["align", { language: "en", wordTimestamps: true }],
  ["stepTogether", { language: "en", batchSize: 4 }],
  ["setFeatures", { batchSize: 4 }],
];

const cpu = (await probeDevices()).find(({ name }) => name === "cpu")!;
if (!cpu.usable) console.log(`skipped: aborting in the decoder's calls (${cpu.detail})`);

Deno.test({
  name: "a transcription hands its signal to every call of the text decoder",
  ignore: !cpu.usable,
  fn: async () => {
    using model = await loadModel(at("models/demo"), { device: "cpu" });
    for (const [call, options] of CASES) {
      const { device, encoder, tokenizer, alignmentHeads, warnings } = model;
      const decoder = new Aborting(model.decoder, call);
      const parts = { device, encoder, tokenizer, alignmentHeads, warnings, decoder };
      const transcribing = async () => {
        const run = transcribeAudio(parts, at("models/demo/audio/09_long.wav"), {
          ...options,
          signal: decoder.signal,
        });
        for await (const _ of run);
      };
      await rejects(transcribing, { code: "E_ABORTED", cause: reason }, call);
      strictEqual(decoder.outcome, "ended", `${call}, ${JSON.stringify(options)}`);
    }
  },
});
