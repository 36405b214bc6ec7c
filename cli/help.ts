/**
 * The text of `--help`, made of the option table.
 *
 * @module
 */

import type { OptionEntry } from "./option_entry.ts";
import { OPTION_TABLE } from "./option_table.ts";

const WIDTH = 100;
const INDENT = 34;

const EXAMPLES = `Examples
  transcribe.ts talk.mp3
  transcribe.ts --model turbo --language de -f srt -o subtitles/ interview.m4a
  transcribe.ts --task translate --model small vortrag.flac
  arecord -f cd -d 30 | transcribe.ts --model base.en -
`;

/** Usage, options by section with their defaults, and examples; lines of at most 100 characters. */
export function helpText(): string {
  const sections = Object.entries(OPTION_TABLE).map(([title, entries]) =>
    `${title}\n${entries.map(optionLines).join("")}`
  );
  return [
    "Transcribes audio files with OpenAI Whisper.\n",
    "Usage: deno run -A examples/transcribe.ts [options] FILE…   (- reads standard input)\n",
    ...sections,
    "Dashes work as underscores: --initial-prompt is --initial_prompt. Names are openai-whisper's.\n",
    EXAMPLES,
  ].join("\n");
}

function optionLines(entry: OptionEntry): string {
  const short = entry.short ? `-${entry.short}, ` : "";
  const value = placeholder(entry);
  const head = `  ${short}--${entry.name} ${value}`;
  const text = entry.default === undefined || entry.name === "help"
    ? entry.help
    : `${entry.help} (${entry.default})`;
  const lines = wrap(text, WIDTH - INDENT);
  const first = head.length < INDENT - 1 ? head.padEnd(INDENT) + lines.shift()! : head;
  return [first, ...lines.map((line) => " ".repeat(INDENT) + line)].join("\n") + "\n";
}

function placeholder(entry: OptionEntry): string {
  if (entry.choices) return `{${entry.choices.join(",")}}`;
  switch (entry.kind) {
    case "boolean":
      return entry.default === "True" ? "{True,False}" : "";
    case "text":
      return "TEXT";
    default:
      return entry.kind === "integer" ? "N" : "NUMBER";
  }
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [""];
  for (const word of text.split(" ")) {
    const line = lines[lines.length - 1];
    if (line === "") lines[lines.length - 1] = word;
    else if (line.length + 1 + word.length <= width) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines;
}
