/**
 * Where the time of a whole transcription goes: every call of the decoder is timed, and what lies between two of its
 * steps.
 *
 * @module
 */

import { openAudio } from "../audio/mod.ts";
import type { DecoderSession, LoadedDecoder } from "../kernels/device.ts";
import { StageClock } from "../run_report.ts";
import { transcribeAudio } from "../transcribe.ts";
import type { TranscriptionOptions } from "../transcription_options.ts";
import type { WhisperModel } from "../whisper_model.ts";
import { peakMemory } from "./peers/peak_memory.ts";

/** Seconds of a transcription by what was done. */
export interface RunCost {
  /** Length of the recording. */
  readonly audio: number;
  /** From the call to the result. */
  readonly total: number;
  /** Reading and decoding the recording, as often as it is read; timed on its own. */
  readonly reading: number;
  /** Log-mel, its windows, and where somebody speaks. */
  readonly mel: number;
  /** Log-mel to features. */
  readonly encoder: number;
  /** The decoder's network, as it writes. */
  readonly decoder: number;
  /** The text once more through the decoder, and its path, for the times of words. */
  readonly align: number;
  /** Rules, choice of tokens: between two steps of the decoder. */
  readonly tokens: number;
  /** What is left: segments, texts, words from their path; below 0 where windows are worked on side by side. */
  readonly rest: number;
  readonly segments: number;
  /** Windows that were encoded. */
  readonly windows: number;
}

/** A transcription, in its process. */
export interface TranscriptionCost extends RunCost {
  /** The plain transcription that it is compared with; null where it is not. */
  readonly plain: RunCost | null;
  /** Bytes at most of the whole process. */
  readonly peak: number | null;
}

/** Recordings up to this length (`mel/windows.ts`) are read once. */
const READ_ONCE_SECONDS = 300;

/** How a transcription is measured. */
export interface CostOptions extends TranscriptionOptions {
  /** How often it counts, the quickest time being the measure; 0: once, cold. */
  readonly rounds: number;
  /** What it is compared with, in turns. */
  readonly plain?: TranscriptionOptions;
}

/** Transcribes a recording a number of times. */
export async function transcriptionCost(
  model: WhisperModel,
  recording: string,
  { rounds, plain, ...options }: CostOptions,
): Promise<TranscriptionCost> {
  const costs: RunCost[] = [];
  const others: RunCost[] = [];
  for (let round = rounds === 0 ? 0 : -1; round < Math.max(1, rounds); round++) {
    const cost = await once(model, recording, options);
    const other = plain && await once(model, recording, plain);
    if (round < 0) continue; // warms up
    costs.push(cost);
    if (other) others.push(other);
  }
  return {
    ...quickest(costs),
    plain: others.length === 0 ? null : quickest(others),
    peak: await peakMemory(),
  };
}

function quickest(costs: readonly RunCost[]): RunCost {
  return costs.reduce((best, cost) => cost.total < best.total ? cost : best);
}

async function once(
  model: WhisperModel,
  recording: string,
  options: TranscriptionOptions,
): Promise<RunCost> {
  const clock = new StageClock();
  const { tokenizer, alignmentHeads, warnings } = model;
  const { device, encoder } = model;
  const gaps = new Gaps();
  const together = timed(model.decoder, clock, { stepTogether: "decoder" });
  const decoder: LoadedDecoder = new Proxy(model.decoder, {
    get: (target, name) =>
      name === "open"
        ? (hypotheses: number) => gaps.watch(timed(target.open(hypotheses), clock, SESSION))
        : Reflect.get(together, name),
  });
  const parts = { device, encoder, decoder, tokenizer, alignmentHeads, warnings };
  const work = transcribeAudio(parts, recording, options);
  const begun = performance.now();
  let segments = 0;
  let step = await work.next();
  for (; !step.done; step = await work.next()) segments++;
  const total = (performance.now() - begun) / 1000;
  const { seconds, windows } = step.value.run;
  const reading = await readingSeconds(recording) * (seconds.audio > READ_ONCE_SECONDS ? 2 : 1);
  const [decoderSeconds, align] = ["decoder", "align"].map((stage) => clock.seconds(stage));
  return {
    audio: seconds.audio,
    total,
    reading,
    mel: seconds.mel - reading,
    encoder: seconds.encoder,
    decoder: decoderSeconds,
    align,
    tokens: gaps.seconds,
    rest: seconds.decoder - decoderSeconds - align - gaps.seconds,
    segments,
    windows,
  };
}

const SESSION = { setFeatures: "decoder", step: "decoder", align: "align", reorder: "decoder" };

/** An object some of whose methods count their time to a stage. */
function timed<T extends object>(
  object: T,
  clock: StageClock,
  stages: Readonly<Record<string, string>>,
): T {
  return new Proxy(object, {
    get(target, name) {
      const member = memberOf(target, name);
      const stage = stages[String(name)];
      if (stage === undefined) return member;
      return (...args: unknown[]) => clock.time(stage, () => (member as Method)(...args));
    },
  });
}

type Method = (...args: unknown[]) => Promise<unknown>;

/** A member as the object itself would give it: private fields are not those of a proxy. */
function memberOf(target: object, name: string | symbol): unknown {
  const member = Reflect.get(target, name, target);
  return typeof member === "function" ? member.bind(target) : member;
}

/** Time between a step's end and the next step's begin, of one session at a time. */
class Gaps {
  seconds = 0;
  #since: number | null = null;

  watch(session: DecoderSession): DecoderSession {
    return new Proxy(session, {
      get: (target, name) => {
        const member = Reflect.get(target, name, target);
        if (name !== "step" && name !== "reorder" && name !== "setFeatures") return member;
        return async (...args: unknown[]) => {
          if (name !== "setFeatures" && this.#since !== null) {
            this.seconds += (performance.now() - this.#since) / 1000;
          }
          const result = await (member as Method)(...args);
          this.#since = name === "setFeatures" ? null : performance.now();
          return result;
        };
      },
    });
  }
}

async function readingSeconds(recording: string): Promise<number> {
  const begun = performance.now();
  const source = await openAudio(recording);
  await using stream = await source.open();
  for await (const chunk of stream) chunk.buffer.transfer(0);
  return (performance.now() - begun) / 1000;
}
