/**
 * The one way a container is refused.
 *
 * @module
 */

import { SottoError } from "../../errors.ts";

/**
 * Refuses to read a container.
 *
 * @param rule What must hold, completing "Cannot read the xclbin because …".
 * @throws {SottoError} E_XCLBIN, always.
 */
export function refuseXclbin(rule: string, found: unknown): never {
  throw new SottoError("E_XCLBIN", `Cannot read the xclbin because ${rule}: got ${found}`);
}

/**
 * Refuses to write a container from these parts.
 *
 * @param rule What must hold, completing "Cannot pack the xclbin because …".
 * @throws {SottoError} E_XCLBIN, always.
 */
export function refusePacking(rule: string, found: unknown): never {
  throw new SottoError("E_XCLBIN", `Cannot pack the xclbin because ${rule}: got ${found}`);
}
