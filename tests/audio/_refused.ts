/** Asserts how a failure is reported. */

import { ok, strictEqual } from "node:assert/strict";
import { type ErrorCode, SottoError } from "../../errors.ts";

/** Runs what must fail with that code and a message that matches, and returns the error. */
export async function refused(
  code: ErrorCode,
  message: RegExp,
  run: () => Promise<unknown>,
): Promise<SottoError> {
  try {
    await run();
  } catch (error) {
    ok(error instanceof SottoError, `a SottoError: got ${error instanceof Error ? error.stack : error}`);
    strictEqual(error.code, code, error.message);
    ok(message.test(error.message), `a message like ${message}: got ${error.message}`);
    ok(!/[\n\r]/.test(error.message), "one line");
    return error;
  }
  throw new Error(`${code} expected, but it succeeded`);
}
