/**
 * Turns a status of the NPU's interface into the one exception it means.
 *
 * @module
 */

import { type ErrorCode, SottoError } from "../errors.ts";
import { SottoXrtStatus } from "./xrt_symbols.ts";

type StatusName = keyof typeof SottoXrtStatus;

/** What a caller can do about a status; all others are E_NATIVE. */
const MEANINGS: Readonly<Partial<Record<StatusName, readonly [ErrorCode, hint: string]>>> = {
  SOTTO_XRT_OUT_OF_MEMORY: ["E_MEMORY", ""],
  SOTTO_XRT_BUSY: ["E_BUSY", "Await the run first."],
  SOTTO_XRT_ABSENT: [
    "E_NPU_ABSENT",
    "Install the amdxdna driver and XRT 2.19 or newer, or use --device cpu.",
  ],
  SOTTO_XRT_PERMISSION: [
    "E_NPU_PERMISSION",
    "Add the user to the group render (usermod -aG render $USER) and log in again.",
  ],
  SOTTO_XRT_MEMLOCK: [
    "E_NPU_MEMLOCK",
    "Set memlock unlimited for the user in /etc/security/limits.conf and log in again.",
  ],
  SOTTO_XRT_XCLBIN: ["E_XCLBIN", ""],
  SOTTO_XRT_CONTEXT_REFUSED: ["E_NPU_CONTEXT", "Close other programs that use the NPU."],
  SOTTO_XRT_BUFFER_REFUSED: ["E_NPU_MEMLOCK", "Raise the limit of locked memory, or close other programs."],
  SOTTO_XRT_SUBMIT_REFUSED: ["E_NPU_COMMAND", ""],
  SOTTO_XRT_DEVICE_LOST: ["E_NPU_LOST", "Run again; if it stays away, reload the amdxdna driver."],
  SOTTO_XRT_TIMEOUT: ["E_NPU_TIMEOUT", "Run again, or use --device cpu."],
  SOTTO_XRT_COMMAND_ERROR: ["E_NPU_COMMAND", ""],
  SOTTO_XRT_COMMAND_HUNG: ["E_NPU_TIMEOUT", "Run again, or use --device cpu."],
};

/** Codes of failures of an NPU that another try, or another device, may not have. */
export const NPU_FAULTS: readonly ErrorCode[] = [
  "E_NPU_ABSENT",
  "E_NPU_PERMISSION",
  "E_NPU_MEMLOCK",
  "E_NPU_CONTEXT",
  "E_NPU_COMMAND",
  "E_NPU_TIMEOUT",
  "E_NPU_LOST",
];

/** Whether an error is a failure of the NPU. */
export function isNpuFault(error: unknown): error is SottoError {
  return error instanceof SottoError && NPU_FAULTS.includes(error.code);
}

/** The exception for a status that is not SOTTO_XRT_OK: of which native function, and its line of text. */
export function xrtError(symbol: string, status: number, text: string): SottoError {
  const name = Object.entries(SottoXrtStatus).find(([, value]) => value === status)?.[0];
  const [code, hint] = MEANINGS[name as StatusName] ?? ["E_NATIVE", ""];
  return new SottoError(
    code,
    `${text || "The native library gave no reason"} (${symbol}: ${name ?? `status ${status}`})`,
    { hint },
  );
}
