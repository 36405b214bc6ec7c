/**
 * The options of the command as data: one table feeds parsing, help and suggestions.
 *
 * Names and meanings are those of the openai-whisper command; what it does not have is marked.
 *
 * @module
 */

import {
  APPEND_PUNCTUATIONS,
  FURTHER_FORMATS,
  OUTPUT_FORMATS,
  PREPEND_PUNCTUATIONS,
} from "../decoder/mod.ts";
import { NPU_PRECISIONS } from "../kernels/mod.ts";
import { LONG_FORM_ENTRIES } from "./long_form_options.ts";
import type { OptionEntry } from "./option_entry.ts";

/** Sections of `--help`, in order. */
export const OPTION_TABLE: Readonly<Record<string, readonly OptionEntry[]>> = {
  "Model and device": [
    {
      name: "model",
      kind: "text",
      default: "base",
      help:
        "a name (tiny, base.en, turbo …, owner/name on the Hugging Face hub), a folder, or a .pt, .bin or .safetensors file",
    },
    { name: "model_dir", kind: "text", help: "where models are looked for first and downloaded to" },
    {
      name: "offline",
      kind: "boolean",
      default: "False",
      help: "never download; a missing model is an error",
    },
    {
      name: "device",
      kind: "choice",
      choices: ["auto", "npu", "npu-emulated", "cpu", "portable"],
      default: "auto",
      help:
        "auto: the NPU where --npu_overlay is given, else the native CPU library, or portable TypeScript where it is missing; npu-emulated: a model of one, for development",
    },
    {
      name: "precision",
      kind: "choice",
      choices: ["auto", "f32", "half", "int8"],
      default: "auto",
      help: "accuracy of the encoder: f32 0.01 %, half 1 %, int8 2 %; auto: the fastest here",
    },
    {
      name: "precision_file",
      kind: "text",
      help:
        "what deno task calibrate wrote for the model, where it is not in the model's folder; for int8 and auto",
    },
    {
      name: "threads",
      kind: "integer",
      default: "0",
      help: "threads of the CPU library; 0: one for each core",
    },
    { name: "library", kind: "text", help: "path of libsotto_cpu, where it is not beside the module" },
    { name: "npu_overlay", kind: "text", help: "the compiled overlay (xclbin) for a real NPU" },
    {
      name: "npu_precision",
      kind: "choice",
      choices: [...NPU_PRECISIONS],
      help: "what the NPU multiplies; bfp16 on XDNA2, else bf16, if not given",
    },
  ],
  "What to do": [
    {
      name: "task",
      kind: "choice",
      choices: ["transcribe", "translate"],
      default: "transcribe",
      help: "translate: into English",
    },
    {
      name: "language",
      kind: "text",
      help: "a code or name (de, German); auto or not given: it is found out",
    },
    {
      name: "multilingual",
      kind: "boolean",
      default: "False",
      help: "find the language of each window on its own",
    },
    {
      name: "language_detection_segments",
      kind: "integer",
      default: "1",
      help: "from how many windows the language is found, by vote",
    },
    {
      name: "language_detection_threshold",
      kind: "number",
      default: "0.5",
      help: "a window whose likeliest language is likelier decides alone",
    },
    { name: "initial_prompt", kind: "text", help: "text before the first window: names, spelling, style" },
    {
      name: "carry_initial_prompt",
      kind: "boolean",
      default: "False",
      help: "put the initial prompt before every window",
    },
    { name: "hotwords", kind: "text", help: "words to expect, shown to every window" },
    {
      name: "condition_on_previous_text",
      kind: "boolean",
      help: "give each window the text before it as a prompt (True; False with --batch_size)",
    },
  ],
  "Decoding": [
    {
      name: "temperature",
      kind: "number",
      default: "0",
      help: "0: the likeliest text, by beam search; above: sampled",
    },
    {
      name: "temperature_increment_on_fallback",
      kind: "optional number",
      default: "0.2",
      help: "what is added, up to 1, to try again where a text looks wrong; None: no second try",
    },
    {
      name: "compression_ratio_threshold",
      kind: "optional number",
      default: "2.4",
      help: "a text that compresses further looks wrong: it is repetitive",
    },
    {
      name: "logprob_threshold",
      kind: "optional number",
      default: "-1.0",
      help: "a text with a lower log probability looks wrong",
    },
    {
      name: "no_speech_threshold",
      kind: "optional number",
      default: "0.6",
      help: "skip a window with a higher no-speech probability and a log probability below that threshold",
    },
    {
      name: "beam_size",
      kind: "optional number",
      help:
        "texts followed side by side at temperature 0; None or 1: the likeliest token always, which is faster (5)",
    },
    {
      name: "patience",
      kind: "optional number",
      help: "wait for this many times as many finished texts (1.0)",
    },
    {
      name: "best_of",
      kind: "optional number",
      help: "samples of which the likeliest is taken at temperatures above 0 (5)",
    },
    {
      name: "length_penalty",
      kind: "optional number",
      help: "0 to 1: favours longer texts among those; their mean log probability decides if not given",
    },
    { name: "seed", kind: "integer", default: "0", help: "of sampling, for the same text again" },
    {
      name: "repetition_penalty",
      kind: "number",
      default: "1",
      help: "above 1: words of a window become less likely with their first use",
    },
    {
      name: "no_repeat_ngram_size",
      kind: "integer",
      default: "0",
      help: "never write so many tokens in a row twice in a window; 0: may",
    },
    { name: "max_new_tokens", kind: "optional number", help: "most tokens of a window (half the context)" },
    { name: "prefix", kind: "text", help: "what the text of each window is made to begin with" },
    {
      name: "suppress_tokens",
      kind: "text",
      default: "-1",
      help: "token ids never to be written, with commas; -1: the symbols that are rarely spoken",
    },
    { name: "suppress_blank", kind: "boolean", default: "True", help: "no text may begin with a blank" },
    { name: "without_timestamps", kind: "boolean", default: "False", help: "decode text alone" },
    {
      name: "max_initial_timestamp",
      kind: "optional number",
      default: "1.0",
      help: "latest start of the first segment, seconds into the window",
    },
  ],
  "Words": [
    {
      name: "word_timestamps",
      kind: "boolean",
      default: "False",
      help: "find when each word is spoken, and set times of segments by it",
    },
    {
      name: "prepend_punctuations",
      kind: "text",
      default: PREPEND_PUNCTUATIONS,
      help: "marks that go with the word behind them",
    },
    {
      name: "append_punctuations",
      kind: "text",
      default: APPEND_PUNCTUATIONS,
      help: "marks that go with the word before them",
    },
    {
      name: "hallucination_silence_threshold",
      kind: "optional number",
      help:
        "skip silences of more seconds around words that are probably made up; needs word times, as do all below",
    },
    {
      name: "highlight_words",
      kind: "boolean",
      default: "False",
      help: "underline each word in srt and vtt as it is spoken",
    },
    { name: "max_line_width", kind: "optional number", help: "characters of a line in srt and vtt" },
    {
      name: "max_line_count",
      kind: "optional number",
      help: "lines of a subtitle; with --max_line_width it may run on over segments",
    },
    {
      name: "readable_subtitles",
      kind: "boolean",
      default: "False",
      help:
        "srt and vtt broken between phrases, two lines of 42 characters unless said otherwise above, shown long enough; needs no word times",
    },
    { name: "max_words_per_line", kind: "optional number", help: "words of a subtitle" },
  ],
  "Long recordings": LONG_FORM_ENTRIES,
  "Output": [
    {
      name: "output_dir",
      short: "o",
      kind: "text",
      help: "folder of the output files; without this and -f nothing is written",
    },
    {
      name: "output_format",
      short: "f",
      kind: "choices",
      choices: [...OUTPUT_FORMATS, ...FURTHER_FORMATS, "all"],
      help:
        "one of them, or several with commas; all (openai-whisper's five) with -o alone; into the current folder without -o",
    },
    {
      name: "resume",
      kind: "boolean",
      default: "False",
      help:
        "keep a journal beside the outputs while at work; after a crash the same command goes on from there",
    },
    {
      name: "verbose",
      kind: "boolean",
      default: "True",
      help: "print segments as they come; False: progress alone",
    },
    { name: "debug", kind: "boolean", default: "False", help: "show where an error arose" },
    { name: "help", short: "h", kind: "boolean", default: "False", help: "this text" },
  ],
};

/** Options of the openai-whisper command that sotto does not have, each with what to do instead. */
export const ABSENT_OPTIONS: Readonly<Record<string, string>> = {
  fp16: "Use --precision.",
};
