/**
 * One line on standard error for each thing that went wrong.
 *
 * @module
 */

import { SottoError, type Warning } from "../errors.ts";

/** Exit status for an error that is not one of sotto's own, that is, a defect of it (sysexits: EX_SOFTWARE). */
const DEFECT = 70;

/**
 * Prints an error as `CODE: message. hint` in one line; with `debug`, also where it arose.
 *
 * @returns The exit status that belongs to it.
 */
export function printError(error: unknown, debug: boolean): number {
  if (error instanceof SottoError) printLine(`${error.code}: ${sentence(error.message)} ${error.hint}`);
  else printLine(`internal error: ${sentence(String(error))} --debug shows where it arose.`);
  if (debug) console.error(error);
  return error instanceof SottoError ? error.exitStatus : DEFECT;
}

/** Prints a warning as `CODE: message` in one line. */
export function printWarning(warning: Warning): void {
  printLine(`${warning.code}: ${warning.message}`);
}

/** Prints a line on standard error; line breaks in it become spaces. */
export function printLine(text: string): void {
  try {
    Deno.stderr.writeSync(new TextEncoder().encode(`${text.trim().replaceAll(/\s*\n\s*/g, " ")}\n`));
  } catch {
    // Nobody is listening; the exit status still tells.
  }
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
