/**
 * What was typed about the way through a recording: voice activity, clips, loops, going on.
 *
 * @module
 */

import { SottoError } from "../errors.ts";
import type { TranscriptionOptions } from "../transcription_options.ts";
import { resolveVadParameters, type VadParameters } from "../voice/mod.ts";
import type { OptionEntry, OptionValue } from "./option_entry.ts";

/** Parameters of voice activity and the names they are typed by. */
const VAD_NAMES: Readonly<Record<keyof VadParameters, string>> = {
  threshold: "vad_threshold",
  negThreshold: "vad_neg_threshold",
  minSpeechDurationMs: "vad_min_speech_duration_ms",
  maxSpeechDurationS: "vad_max_speech_duration_s",
  minSilenceDurationMs: "vad_min_silence_duration_ms",
  speechPadMs: "vad_speech_pad_ms",
};

/** The entries of the option table. */
export const LONG_FORM_ENTRIES: readonly OptionEntry[] = [
  {
    name: "clip_timestamps",
    kind: "text",
    default: "0",
    help: "seconds of start, end, start, end … of what is transcribed; without the last end, to the end",
  },
  {
    name: "audio_timeout",
    kind: "number",
    default: "60",
    help: "seconds that a decoder or a server may be silent before it is ended",
  },
  {
    name: "loop_threshold",
    kind: "optional number",
    help:
      "end a text that repeats the same words this many times in a row, 24 tokens at least; 6 is a good value",
  },
  {
    name: "batch_size",
    kind: "optional number",
    help: "cut the recording at pauses into independent windows, and have this many in progress at a time",
  },
  {
    name: "stdin_pcm",
    kind: "boolean",
    default: "False",
    help:
      "transcribe standard input as it is spoken: 16-bit samples, one channel, 16 kHz (arecord -t raw -f S16_LE -r 16000)",
  },
  {
    name: "vad_filter",
    kind: "boolean",
    default: "False",
    help: "leave out what is not speech; times stay those of the recording",
  },
  {
    name: "vad_threshold",
    kind: "number",
    help:
      "speech begins where it is at least this likely, 0 to 1; needs --vad_filter, as do all of vad_ (0.5)",
  },
  {
    name: "vad_model",
    kind: "text",
    help: "tell speech by Silero's network in this ONNX file; ONNX Runtime comes from npm",
  },
  { name: "vad_neg_threshold", kind: "optional number", help: "it ends where it stays below (0.15 lower)" },
  { name: "vad_min_speech_duration_ms", kind: "number", help: "shorter speech is left out (120)" },
  { name: "vad_max_speech_duration_s", kind: "number", help: "longer speech is cut at a pause (unlimited)" },
  { name: "vad_min_silence_duration_ms", kind: "number", help: "silence that ends speech (2000)" },
  { name: "vad_speech_pad_ms", kind: "number", help: "what is kept before and behind speech (400)" },
];

/**
 * Sorts and checks these options.
 *
 * @throws {SottoError} E_OPTION if one is out of range, or needs voice activity and it is not asked for.
 */
export function longFormArguments(
  values: ReadonlyMap<string, OptionValue>,
): Pick<
  TranscriptionOptions,
  | "clipTimestamps"
  | "loopThreshold"
  | "batchSize"
  | "vadFilter"
  | "vadParameters"
  | "vadModel"
  | "timeoutSeconds"
> {
  const get = <T extends OptionValue>(name: string): T | undefined => values.get(name) as T | undefined;
  const vadFilter = get<boolean>("vad_filter")!;
  const given = Object.entries(VAD_NAMES).filter(([, name]) => get(name) !== undefined);
  if (given.length > 0 && !vadFilter) {
    throw new SottoError("E_OPTION", `--${given[0][1]} needs voice activity`, {
      hint: "Add --vad_filter True.",
    });
  }
  const batchSize = get<number | null>("batch_size");
  const vadModel = get<string>("vad_model");
  if (vadModel !== undefined && !vadFilter && (batchSize ?? null) === null) {
    throw new SottoError("E_OPTION", "--vad_model needs voice activity or batches", {
      hint: "Add --vad_filter True.",
    });
  }
  const vadParameters: VadParameters = Object.fromEntries(given.map(([key, name]) => [key, get(name)]));
  resolveVadParameters(vadParameters, {
    spelled: (name) => `--${VAD_NAMES[name as keyof VadParameters]}`,
  });
  return {
    timeoutSeconds: get<number>("audio_timeout"),
    clipTimestamps: get<string>("clip_timestamps"),
    loopThreshold: get<number | null>("loop_threshold"),
    batchSize,
    vadFilter,
    vadParameters: vadFilter ? vadParameters : undefined,
    vadModel: vadModel ?? null,
  };
}
