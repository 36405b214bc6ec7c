/**
 * What was typed, sorted by who needs it: the model, the transcription, the output.
 *
 * @module
 */

import {
  FURTHER_FORMATS,
  OUTPUT_FORMATS,
  type OutputFormat,
  type SubtitleOptions,
  type Task,
} from "../decoder/mod.ts";
import { SottoError } from "../errors.ts";
import type { NpuPrecision } from "../kernels/mod.ts";
import type { LoadModelOptions } from "../whisper_model.ts";
import { checkTranscriptionOptions, type TranscriptionOptions } from "../transcription_options.ts";
import type { ParsedArguments } from "./arguments.ts";
import { longFormArguments } from "./long_form_options.ts";
import type { OptionValue } from "./option_entry.ts";
import { wordArguments } from "./word_options.ts";

/** The options of a run of the command, checked as far as they can be without a model. */
export interface CommandOptions {
  readonly files: readonly string[];
  readonly model: string;
  readonly load: LoadModelOptions;
  readonly transcription: TranscriptionOptions;
  /** How words are laid out in subtitles. */
  readonly subtitles: SubtitleOptions;
  /** What has no effect, a line each. */
  readonly warnings: readonly string[];
  /** Where outputs go; null if none are wanted. */
  readonly output: { readonly folder: string; readonly formats: readonly OutputFormat[] } | null;
  /** Print segments as they come. */
  readonly verbose: boolean;
  /** Keep journals beside the outputs, and go on with those that are there. */
  readonly resume: boolean;
}

/** The most that `loadModel()` takes. */
const MAX_THREADS = 256;

/** The value of an option; undefined where it was not given and has no default. */
type Getter = <T extends OptionValue>(name: string) => T | undefined;

/**
 * Sorts and checks the options.
 *
 * @throws {SottoError} E_OPTION if no file is given, `-` is given twice, or an option is out of range.
 */
export function commandOptions({ values, files }: ParsedArguments): CommandOptions {
  if (files.length === 0) {
    throw new SottoError("E_OPTION", "no file to transcribe", {
      hint: "--help shows examples; - is standard input.",
    });
  }
  if (files.filter((file) => file === "-").length > 1) {
    throw new SottoError("E_OPTION", "standard input (-) can be read only once");
  }
  if (values.get("resume")) checkResumable(files, values);
  checkNpuOptions(values);
  const get: Getter = <T extends OptionValue>(name: string) => values.get(name) as T | undefined;
  const words = wordArguments(values);
  const transcription: TranscriptionOptions = {
    task: get<Task>("task"),
    language: languageOption(get<string>("language")),
    initialPrompt: get<string>("initial_prompt") ?? null,
    carryInitialPrompt: get<boolean>("carry_initial_prompt"),
    conditionOnPreviousText: get<boolean>("condition_on_previous_text") ??
      (typeof values.get("batch_size") === "number" ? undefined : true),
    multilingual: get<boolean>("multilingual"),
    languageDetectionSegments: get<number>("language_detection_segments"),
    languageDetectionThreshold: get<number>("language_detection_threshold"),
    hotwords: get<string>("hotwords") ?? null,
    prefix: get<string>("prefix") ?? null,
    ...searchOptions(get),
    suppressTokens: get<string>("suppress_tokens"),
    suppressBlank: get<boolean>("suppress_blank"),
    withoutTimestamps: get<boolean>("without_timestamps"),
    maxInitialTimestamp: get<number | null>("max_initial_timestamp"),
    compressionRatioThreshold: get<number | null>("compression_ratio_threshold"),
    noSpeechThreshold: get<number | null>("no_speech_threshold"),
    logprobThreshold: get<number | null>("logprob_threshold"),
    ...words.transcription,
    ...longFormArguments(values),
  };
  checkTranscriptionOptions(transcription);
  const threads = get<number>("threads")!;
  if (threads < 0 || threads > MAX_THREADS) {
    throw new SottoError("E_OPTION", `--threads must be 0 to ${MAX_THREADS}: got ${threads}`);
  }
  return {
    files,
    model: get<string>("model")!,
    load: {
      modelDir: get<string>("model_dir"),
      offline: get<boolean>("offline"),
      device: get<"auto">("device"),
      precision: get<"auto">("precision"),
      precisionFile: get<string>("precision_file"),
      threads: threads || undefined,
      library: get<string>("library"),
      npuOverlay: get<string>("npu_overlay"),
      npuPrecision: get<NpuPrecision>("npu_precision"),
    },
    transcription,
    subtitles: words.subtitles,
    warnings: words.warnings,
    output: outputOptions(get<string>("output_dir"), get<string>("output_format")),
    verbose: get<boolean>("verbose")!,
    resume: get<boolean>("resume")!,
  };
}

/** What stands for the language where it is to be found out, besides leaving the option out. */
const AUTOMATIC: readonly string[] = ["auto", "None"];

function languageOption(typed: string | undefined): string | null {
  return typed === undefined || AUTOMATIC.includes(typed) ? null : typed;
}

/** What is said of an NPU must be for one: `auto` takes it where an overlay is given. */
function checkNpuOptions(values: ParsedArguments["values"]): void {
  const device = values.get("device") as string;
  const takesNpu = device.startsWith("npu") || (device === "auto" && values.get("npu_overlay") !== undefined);
  const idle = ["npu_overlay", "npu_precision"].find((name) => values.get(name) !== undefined);
  if (takesNpu || idle === undefined) return;
  throw new SottoError("E_OPTION", `--${idle} says nothing to --device ${device}: it is for an NPU`, {
    hint: device === "auto"
      ? "Add --npu_overlay, or --device npu-emulated."
      : "Leave it out, or add --device npu.",
  });
}

/** What is gone on with must be the same recording again, and there must be a place for the journal. */
function checkResumable(files: readonly string[], values: ParsedArguments["values"]): void {
  if (values.get("output_dir") === undefined && values.get("output_format") === undefined) {
    throw new SottoError("E_OPTION", "--resume needs output files: what is finished is kept beside them", {
      hint: "Add -o FOLDER or -f FORMAT.",
    });
  }
  const stream = files.find((file) => file === "-" || /^https?:/i.test(file));
  if (stream !== undefined) {
    throw new SottoError("E_OPTION", `--resume needs files: got ${stream}`, {
      hint: "Save the recording first.",
    });
  }
}

/** Beams at temperature 0, samples above, where neither is given (openai-whisper's command). */
const WIDTH = 5;

/** How the text of a window is searched for. */
function searchOptions(get: Getter): TranscriptionOptions {
  const temperature = temperatures(
    get<number>("temperature")!,
    get<number | null>("temperature_increment_on_fallback") ?? null,
  );
  const beams = temperature.includes(0) ? WIDTH : undefined;
  const samples = temperature.some((value) => value > 0) ? WIDTH : undefined;
  const given = (name: string, otherwise: number | undefined) => {
    const value = get<number | null>(name);
    return value === undefined ? otherwise : value;
  };
  return {
    temperature,
    beamSize: given("beam_size", beams),
    bestOf: given("best_of", samples),
    patience: get<number | null>("patience"),
    lengthPenalty: get<number | null>("length_penalty"),
    seed: get<number>("seed"),
    repetitionPenalty: get<number>("repetition_penalty"),
    noRepeatNgramSize: get<number>("no_repeat_ngram_size"),
    maxNewTokens: get<number | null>("max_new_tokens"),
  };
}

/** From the first temperature up to 1. The sum's rounding is allowed for, as openai-whisper's command does. */
function temperatures(first: number, increment: number | null): number[] {
  if (!(first >= 0 && first <= 1)) {
    throw new SottoError("E_OPTION", `--temperature must be 0 to 1: got ${first}`);
  }
  if (increment === null) return [first];
  if (!(increment > 0)) {
    throw new SottoError(
      "E_OPTION",
      `--temperature_increment_on_fallback must be above 0, or None: got ${increment}`,
    );
  }
  const steps = Math.floor((1 - first + 1e-6) / increment);
  const others = Array.from(
    { length: Math.max(0, steps) },
    (_, i) => Math.min(1, first + (i + 1) * increment),
  );
  return [first, ...others];
}

function outputOptions(folder: string | undefined, formats: string | undefined): CommandOptions["output"] {
  if (folder === undefined && formats === undefined) return null;
  const wanted = (formats ?? "all").split(",");
  return {
    folder: folder ?? ".",
    formats: [
      ...OUTPUT_FORMATS.filter((format) => wanted.includes("all") || wanted.includes(format)),
      ...FURTHER_FORMATS.filter((format) => wanted.includes(format)),
    ],
  };
}
