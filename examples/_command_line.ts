/**
 * What the numbered examples share: how their arguments are read, and that an error is one line and an exit status.
 * What they show does not depend on it.
 *
 * @module
 */

import { printError, printLine } from "../cli/console.ts";
import { taskArguments } from "../cli/task_arguments.ts";
import { SottoError } from "../errors.ts";

/** Default of each option by its name, which says too whether it is text or a number. */
type Defaults = Readonly<Record<string, string | number>>;

/** What was typed; a number is one of zero or more. */
export interface CommandLine<D extends Defaults> {
  readonly options: { readonly [Name in keyof D]: D[Name] extends number ? number : string };
  readonly files: readonly string[];
}

/**
 * Reads the arguments; a wrong one ends the example with the status 64. From then on every error that nobody catches
 * ends it with one line, and with the status of that error, or 1 where it is not one of sotto's (a folder that is
 * missing).
 *
 * @param usage What may be typed behind the script's name; `…` at its end: any number more.
 * @param least How many arguments there must be besides the options.
 */
export function commandLine<D extends Defaults>(usage: string, least: number, defaults: D): CommandLine<D> {
  globalThis.addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    Deno.exit(report(event.reason));
  });
  try {
    return read(usage, least, defaults);
  } catch (error) {
    Deno.exit(report(error));
  }
}

function report(error: unknown): number {
  if (error instanceof SottoError || !(error instanceof Error)) return printError(error, false);
  printLine(`error: ${error.message}`);
  return 1;
}

function read<D extends Defaults>(usage: string, least: number, defaults: D): CommandLine<D> {
  const hint = `What may be typed: ${usage}`;
  const wrong = (message: string) => new SottoError("E_OPTION", message, { hint });
  const names = Object.keys(defaults);
  const { values, positionals: files } = taskArguments(Deno.args, {
    options: Object.fromEntries(names.map((name) => [name, { type: "string" } as const])),
    allowPositionals: true,
  }, hint);
  const most = usage.endsWith("…") ? Infinity : least;
  if (files.length < least || files.length > most) {
    throw wrong(`too ${files.length < least ? "few" : "many"} arguments: got ${files.length}`);
  }
  const options = Object.entries(defaults).map(([name, otherwise]) => {
    const typed = values[name];
    if (typed === undefined || typeof otherwise === "string") return [name, typed ?? otherwise];
    const number = typed.trim() === "" ? NaN : Number(typed);
    if (!(number >= 0 && number < Infinity)) {
      throw wrong(`--${name} must be a number of zero or more: got "${typed}"`);
    }
    return [name, number];
  });
  return { options: Object.fromEntries(options), files };
}
