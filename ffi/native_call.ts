/**
 * What every native call does: arrays cross with their lengths, a status becomes an exception.
 *
 * @module
 */

import { SottoStatus } from "./cpu_symbols.ts";
import { ERROR_CAPACITY, nativeError, type StatusMeaning, textOf } from "./native_error.ts";

/** An array whose memory C may read and write. */
export type NativeArray =
  | Uint8Array<ArrayBuffer>
  | Uint16Array<ArrayBuffer>
  | Int8Array<ArrayBuffer>
  | Int32Array<ArrayBuffer | SharedArrayBuffer>
  | BigInt64Array<ArrayBuffer>
  | BigUint64Array<ArrayBuffer>
  | Float32Array<ArrayBuffer>
  | Float64Array<ArrayBuffer>;

/** A pointer and a `size_t`, as the headers declare every array. */
export type Sized<A extends NativeArray> = [array: A, length: bigint];

/** The buffer that a native function writes its line of text into. */
export type ErrorText = Sized<Uint8Array<ArrayBuffer>>;

/** Room for a description in JSON, in bytes. */
const DESCRIPTION_CAPACITY = 4096;

/** An array and its length in elements, to be spread into a call. */
export function sized<A extends NativeArray>(array: A): Sized<A> {
  return [array, BigInt(array.length)];
}

/** A text in UTF-8 and its length in bytes, to be spread into a call. */
export function sizedText(text: string): Sized<Uint8Array<ArrayBuffer>> {
  return sized(new TextEncoder().encode(text));
}

/**
 * Makes a blocking call.
 *
 * @param meaning Of the library's statuses; default libsotto_cpu's.
 * @throws {SottoError} What the status means.
 */
export function check(
  symbol: string,
  invoke: (error: ErrorText) => number,
  meaning: StatusMeaning = nativeError,
): void {
  const error = sized(new Uint8Array(ERROR_CAPACITY));
  const status = invoke(error);
  if (status !== SottoStatus.SOTTO_OK) throw meaning(symbol, status, textOf(error[0]));
}

/**
 * Makes a nonblocking call.
 *
 * @param meaning Of the library's statuses; default libsotto_cpu's.
 * @throws {SottoError} What the status means.
 */
export async function checkAsync(
  symbol: string,
  invoke: (error: ErrorText) => Promise<number>,
  meaning: StatusMeaning = nativeError,
): Promise<void> {
  const error = sized(new Uint8Array(ERROR_CAPACITY));
  const status = await invoke(error);
  if (status !== SottoStatus.SOTTO_OK) throw meaning(symbol, status, textOf(error[0]));
}

/** Makes a call that describes something in JSON, and parses it. */
export function describe<T>(symbol: string, invoke: (json: Sized<Uint8Array<ArrayBuffer>>) => number): T {
  const json = sized(new Uint8Array(DESCRIPTION_CAPACITY));
  check(symbol, () => invoke(json));
  return JSON.parse(textOf(json[0]));
}
