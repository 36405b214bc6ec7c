/**
 * What was typed about words: their times, and how subtitles show them.
 *
 * @module
 */

import { checkSubtitleOptions, type SubtitleOptions } from "../decoder/mod.ts";
import { SottoError } from "../errors.ts";
import type { TranscriptionOptions } from "../transcribe.ts";
import type { OptionValue } from "./option_entry.ts";

/** Options of subtitles and the names they are typed by. */
const SUBTITLE_NAMES: Readonly<Record<keyof SubtitleOptions, string>> = {
  highlightWords: "highlight_words",
  maxLineWidth: "max_line_width",
  maxLineCount: "max_line_count",
  maxWordsPerLine: "max_words_per_line",
  readable: "readable_subtitles",
};

/** What words are asked for. */
export interface WordArguments {
  readonly transcription: Pick<
    TranscriptionOptions,
    "wordTimestamps" | "prependPunctuations" | "appendPunctuations" | "hallucinationSilenceThreshold"
  >;
  readonly subtitles: SubtitleOptions;
  /** Options that have no effect beside others, a line each. */
  readonly warnings: readonly string[];
}

/**
 * Sorts and checks the options about words.
 *
 * @throws {SottoError} E_OPTION if one of them is out of range, or needs word times and these are not asked for.
 */
export function wordArguments(values: ReadonlyMap<string, OptionValue>): WordArguments {
  const get = <T extends OptionValue>(name: string): T | undefined => values.get(name) as T | undefined;
  const wordTimestamps = get<boolean>("word_timestamps")!;
  const isReadable = get<boolean>("readable_subtitles") === true;
  const layout = Object.values(SUBTITLE_NAMES).filter((name) => name !== SUBTITLE_NAMES.readable);
  const ownLayout: readonly string[] = isReadable
    ? [SUBTITLE_NAMES.maxLineWidth, SUBTITLE_NAMES.maxLineCount]
    : [];
  const needy = [...layout.filter((name) => !ownLayout.includes(name)), "hallucination_silence_threshold"];
  const given = needy.find((name) => (get(name) ?? false) !== false);
  if (given && !wordTimestamps) {
    throw new SottoError("E_OPTION", `--${given} needs word times`, { hint: "Add --word_timestamps True." });
  }
  const subtitles: SubtitleOptions = {
    highlightWords: get<boolean>("highlight_words"),
    maxLineWidth: get<number | null>("max_line_width"),
    maxLineCount: get<number | null>("max_line_count"),
    maxWordsPerLine: get<number | null>("max_words_per_line"),
    readable: isReadable,
  };
  checkSubtitleOptions(subtitles, (name) => `--${SUBTITLE_NAMES[name]}`);
  const warnings: string[] = [];
  if (subtitles.maxLineCount && !subtitles.maxLineWidth && !isReadable) {
    warnings.push("--max_line_count has no effect without --max_line_width");
  }
  if (subtitles.maxWordsPerLine && subtitles.maxLineWidth && subtitles.maxLineCount) {
    warnings.push("--max_words_per_line has no effect with --max_line_width and --max_line_count");
  }
  return {
    transcription: {
      wordTimestamps,
      prependPunctuations: get<string>("prepend_punctuations"),
      appendPunctuations: get<string>("append_punctuations"),
      hallucinationSilenceThreshold: get<number | null>("hallucination_silence_threshold"),
    },
    subtitles,
    warnings,
  };
}
