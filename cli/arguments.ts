/**
 * Command-line arguments → a table of values, with errors that say what was meant.
 *
 * `--name value`, `--name=value`, `-o value`; dashes in names count as underscores; a boolean may stand
 * without a value; `--` ends the options; `-` is standard input.
 *
 * @module
 */

import { SottoError } from "../errors.ts";
import { didYouMean, nearest } from "../nearest.ts";
import type { OptionEntry, OptionValue } from "./option_entry.ts";
import { ABSENT_OPTIONS, OPTION_TABLE } from "./option_table.ts";

/** What was typed, defaults filled in. */
export interface ParsedArguments {
  readonly values: ReadonlyMap<string, OptionValue>;
  readonly files: readonly string[];
}

const entries = Object.values(OPTION_TABLE).flat();

/**
 * Parses the arguments of the command.
 *
 * @throws {SottoError} E_OPTION for an unknown option (with the nearest known one), a missing or wrong value.
 */
export function parseArguments(args: readonly string[]): ParsedArguments {
  const values = new Map<string, OptionValue>();
  for (const entry of entries) {
    if (entry.default !== undefined) values.set(entry.name, valueOf(entry, entry.default));
  }
  const files: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i];
    if (arg === "--") {
      files.push(...args.slice(i + 1));
      break;
    }
    if (arg === "-" || !arg.startsWith("-")) {
      files.push(arg);
      continue;
    }
    const equals = arg.indexOf("=");
    const entry = entryOf(equals < 0 ? arg : arg.slice(0, equals));
    if (equals >= 0) {
      values.set(entry.name, valueOf(entry, arg.slice(equals + 1)));
    } else if (entry.kind === "boolean" && !isBoolean(args[i + 1])) {
      values.set(entry.name, true);
    } else {
      if (i + 1 >= args.length) {
        throw new SottoError("E_OPTION", `--${entry.name} needs a value`, { hint: helpOf(entry) });
      }
      values.set(entry.name, valueOf(entry, args[++i]));
    }
  }
  return { values, files };
}

function entryOf(typed: string): OptionEntry {
  const isLong = typed.startsWith("--");
  const name = typed.slice(isLong ? 2 : 1).replaceAll("-", "_");
  const entry = entries.find((entry) => isLong ? entry.name === name : entry.short === name);
  if (entry) return entry;
  if (isLong && ABSENT_OPTIONS[name]) {
    throw new SottoError("E_OPTION", `--${name} is an option of openai-whisper that sotto does not have`, {
      hint: ABSENT_OPTIONS[name],
    });
  }
  const meant = isLong ? nearest(name, entries.map((entry) => entry.name)) : undefined;
  throw new SottoError("E_OPTION", `unknown option ${typed}`, {
    hint: meant === undefined ? "--help lists them." : `Did you mean --${meant}?`,
  });
}

/** What `--help` says of an option, as a hint. */
function helpOf({ name, help }: OptionEntry): string {
  return `--${name}: ${help}`;
}

const BOOLEANS: Readonly<Record<string, boolean>> = { true: true, false: false };

function isBoolean(text: string | undefined): boolean {
  return text !== undefined && Object.hasOwn(BOOLEANS, text.toLowerCase());
}

function valueOf(entry: OptionEntry, text: string): OptionValue {
  const refuse = (rule: string) =>
    new SottoError("E_OPTION", `--${entry.name} must be ${rule}: got "${text}"`, { hint: helpOf(entry) });
  switch (entry.kind) {
    case "text":
      return text;
    case "boolean":
      if (!isBoolean(text)) throw refuse("True or False");
      return BOOLEANS[text.toLowerCase()];
    case "choice":
    case "choices":
      for (const part of entry.kind === "choice" ? [text] : text.split(",")) {
        if (!entry.choices!.includes(part)) {
          const meant = didYouMean(part, entry.choices!);
          throw new SottoError(
            "E_OPTION",
            `--${entry.name} must be ${entry.choices!.join(", ")}: got "${part}"`,
            {
              hint: meant || helpOf(entry),
            },
          );
        }
      }
      return text;
    case "optional number":
      if (text === "None") return null;
      // falls through
    case "integer":
    case "number": {
      const number = text.trim() === "" ? NaN : Number(text);
      if (!Number.isFinite(number)) throw refuse("a number");
      if (entry.kind === "integer" && !Number.isSafeInteger(number)) throw refuse("a whole number");
      return number;
    }
  }
}
