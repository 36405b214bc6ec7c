/**
 * Arguments of the tasks that are not the command itself: Node's `parseArgs()` with errors of our kind.
 *
 * @module
 */

import { parseArgs, type ParseArgsConfig } from "node:util";
import { SottoError } from "../errors.ts";
import { nearest } from "../nearest.ts";

/** Where Node goes on, behind its first sentence, about a shell's quoting. */
const REST = /\. .*|\.?\n[^]*|\.$/;

/** What `parseArgs()` gives for a configuration. */
type Parsed<T extends ParseArgsConfig> = ReturnType<typeof parseArgs<T & { args: string[] }>>;

/**
 * What was typed, as `parseArgs()` gives it.
 *
 * @param args Behind the script's name.
 * @param config As `parseArgs()` takes it.
 * @param hint What to do next, where no option is nearly what was typed.
 * @throws {SottoError} E_OPTION for an unknown option (with the nearest known one) or a missing value.
 */
export function taskArguments<T extends Omit<ParseArgsConfig, "args">>(
  args: readonly string[],
  config: T,
  hint = "",
): Parsed<T> {
  try {
    return parseArgs({ ...config, args: [...args] });
  } catch (cause) {
    const message = (cause as Error).message.replace(REST, "");
    const [, unknown = ""] = /^Unknown option '--([^']+)'/.exec(message) ?? [];
    const meant = nearest(unknown, Object.keys(config.options ?? {}));
    const suggestion = meant === undefined ? "" : `Did you mean --${meant}? `;
    throw new SottoError("E_OPTION", message, { hint: suggestion + hint, cause });
  }
}
