/**
 * What was typed, sorted by who needs it: the model, the transcription, the output.
 *
 * @module
 */

import { checkTranscribeOptions, OUTPUT_FORMATS, type OutputFormat, type Task } from "../decoder/mod.ts";
import { SottoError } from "../errors.ts";
import type { LoadModelOptions } from "../whisper_model.ts";
import type { TranscriptionOptions } from "../transcribe.ts";
import type { OptionValue, ParsedArguments } from "./arguments.ts";

/** The options of a run of the command, checked as far as they can be without a model. */
export interface CommandOptions {
  readonly files: readonly string[];
  readonly model: string;
  readonly load: LoadModelOptions;
  readonly transcription: TranscriptionOptions;
  /** Where outputs go; null if none are wanted. */
  readonly output: { readonly folder: string; readonly formats: readonly OutputFormat[] } | null;
  /** Print segments as they come. */
  readonly verbose: boolean;
}

/** The most that `loadModel()` takes. */
const MAX_THREADS = 256;

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
  const get = <T extends OptionValue>(name: string): T | undefined => values.get(name) as T | undefined;
  const transcription: TranscriptionOptions = {
    task: get<Task>("task"),
    language: get<string>("language") ?? null,
    initialPrompt: get<string>("initial_prompt") ?? null,
    carryInitialPrompt: get<boolean>("carry_initial_prompt"),
    conditionOnPreviousText: get<boolean>("condition_on_previous_text"),
    temperature: get<number>("temperature"),
    seed: get<number>("seed"),
    suppressTokens: get<string>("suppress_tokens"),
    suppressBlank: get<boolean>("suppress_blank"),
    withoutTimestamps: get<boolean>("without_timestamps"),
    maxInitialTimestamp: get<number | null>("max_initial_timestamp"),
    noSpeechThreshold: get<number | null>("no_speech_threshold"),
    logprobThreshold: get<number | null>("logprob_threshold"),
  };
  checkTranscribeOptions(transcription);
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
      threads: threads || undefined,
      library: get<string>("library"),
    },
    transcription,
    output: outputOptions(get<string>("output_dir"), get<string>("output_format")),
    verbose: get<boolean>("verbose")!,
  };
}

function outputOptions(folder: string | undefined, formats: string | undefined): CommandOptions["output"] {
  if (folder === undefined && formats === undefined) return null;
  const wanted = (formats ?? "all").split(",");
  return {
    folder: folder ?? ".",
    formats: OUTPUT_FORMATS.filter((format) => wanted.includes("all") || wanted.includes(format)),
  };
}
