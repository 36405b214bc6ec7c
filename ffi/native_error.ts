/**
 * Turns a native status into the one exception it means.
 *
 * @module
 */

import { type ErrorCode, SottoError } from "../errors.ts";
import { SottoStatus } from "./cpu_symbols.ts";

/** Room for a native function's line of text, in bytes. */
export const ERROR_CAPACITY = 512;

/** Makes the exception of a status that is not 0: of the native function that answered it, and its line of text. */
export type StatusMeaning = (symbol: string, status: number, text: string) => SottoError;

/** The name of a status, such as `SOTTO_NON_FINITE`. */
export type StatusName = keyof typeof SottoStatus;

/** Statuses that a caller of the API can do something about; all others are E_NATIVE. */
const CODES: Readonly<Partial<Record<StatusName, ErrorCode>>> = {
  SOTTO_NON_FINITE: "E_MODEL_VALUES",
  SOTTO_OUT_OF_MEMORY: "E_MEMORY",
  SOTTO_CANCELLED: "E_ABORTED",
  SOTTO_BUSY: "E_BUSY",
  SOTTO_UNSUPPORTED: "E_DEVICE",
};

/** The text of a buffer, up to its terminating zero. */
export function textOf(buffer: Uint8Array): string {
  const end = buffer.indexOf(0);
  return new TextDecoder().decode(buffer.subarray(0, end < 0 ? buffer.length : end));
}

/**
 * The exception for a status that is not SOTTO_OK.
 *
 * @param symbol The native function that answered.
 * @param status What it answered.
 * @param text The line it wrote.
 */
export function nativeError(symbol: string, status: number, text: string): SottoError {
  const name = Object.entries(SottoStatus).find(([, value]) => value === status)?.[0] ?? `status ${status}`;
  const code = CODES[name as StatusName] ?? "E_NATIVE";
  return new SottoError(code, `${text || "The native library gave no reason"} (${symbol}: ${name})`);
}
