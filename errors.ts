/**
 * The one error class of sotto, its codes, and its warnings.
 *
 * A message says what was refused, the rule, and the value found; the hint says what to do next. A caller
 * tells errors apart by `code`, never by the text.
 *
 * @module
 */

/** Every code a {@linkcode SottoError} can carry, with the exit status the command line gives it. */
export const EXIT_STATUS = {
  /** Options that contradict each other, are unknown, or are out of range. */
  E_OPTION: 64,
  /** A checkpoint that is malformed: a file format that does not hold what it says. */
  E_MODEL_FORMAT: 65,
  /** A well-formed checkpoint that is not Whisper's: a tensor missing or of another shape. */
  E_MODEL_MISMATCH: 65,
  /** Weights that are NaN or infinite. */
  E_MODEL_VALUES: 65,
  /** A vocabulary that is malformed or does not fit the model. */
  E_TOKENIZER: 65,
  /** An NPU overlay or instruction stream that is malformed, or made for another NPU. */
  E_XCLBIN: 65,
  /** A path in a checkpoint that leaves its folder. */
  E_PATH: 65,
  /** A file that is not audio, or whose header contradicts itself. */
  E_AUDIO_FORMAT: 66,
  /** Audio whose compressed data cannot be decoded. */
  E_AUDIO_DECODE: 66,
  /** Samples that are NaN or infinite. */
  E_AUDIO_VALUES: 66,
  /** A decoder that stopped answering. */
  E_AUDIO_TIMEOUT: 66,
  /** A file that is missing, or is a folder. */
  E_INPUT: 66,
  /** A model that was neither given as a path nor found by name. */
  E_MODEL_NOT_FOUND: 66,
  /** A download that failed or was cut. */
  E_DOWNLOAD: 69,
  /** Bytes whose SHA-256 is not the expected one. */
  E_INTEGRITY: 70,
  /** The native library is missing, of another ABI, or answered with an error. */
  E_NATIVE: 70,
  /** A device that was asked for by name and cannot be used here. */
  E_DEVICE: 71,
  /** No NPU, or no driver or libxrt for it. */
  E_NPU_ABSENT: 71,
  /** The limit of locked memory is too low for the NPU, or it has no room for a buffer. */
  E_NPU_MEMLOCK: 71,
  /** The driver refused a hardware context: too many are open. */
  E_NPU_CONTEXT: 71,
  /** An NPU command that hung until it was ended. */
  E_NPU_TIMEOUT: 72,
  /** An NPU command that was refused or ended in an error. */
  E_NPU_COMMAND: 72,
  /** The NPU went away while it was in use. */
  E_NPU_LOST: 72,
  /** Not enough memory. */
  E_MEMORY: 71,
  /** No space left on the disk. */
  E_DISK_FULL: 74,
  /** An output file or folder that cannot be written. */
  E_OUTPUT: 73,
  /** A handle that is in use, or was disposed of. */
  E_BUSY: 75,
  /** A permission of Deno's that was not granted. */
  E_PERMISSION: 77,
  /** There is an NPU, but this user may not open it. */
  E_NPU_PERMISSION: 77,
  /** Stopped by the caller (an AbortSignal, or Ctrl-C). */
  E_ABORTED: 130,
} as const;

/** A code of {@linkcode SottoError}. */
export type ErrorCode = keyof typeof EXIT_STATUS;

/** What every failure of sotto is reported as. */
export class SottoError extends Error {
  /** Which rule was broken; stable across versions. */
  readonly code: ErrorCode;
  /** What to do next, in one sentence; empty where there is nothing to add. */
  readonly hint: string;

  /**
   * An error that says what was refused and what to do next.
   *
   * @param code Which rule was broken.
   * @param message Action, rule and the value found, without a final full stop.
   * @param options `hint`: what to do next; `cause`: the error underneath.
   */
  constructor(
    code: ErrorCode,
    message: string,
    options: { readonly hint?: string; readonly cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "SottoError";
    this.code = code;
    this.hint = options.hint ?? "";
  }

  /** The exit status of the command line for this error (after BSD's sysexits.h). */
  get exitStatus(): number {
    return EXIT_STATUS[this.code];
  }
}

/** A code of a {@linkcode Warning}. */
export type WarningCode =
  /** Compressed audio ended early; what was there was decoded. */
  | "W_TRUNCATED"
  /** Compressed audio had unreadable stretches, which were skipped. */
  | "W_DAMAGED"
  /** A header's data length was absent or wrong; the file was read to its end. */
  | "W_LENGTH"
  /** A faster device was not usable and another one ran. */
  | "W_DEVICE"
  /** The NPU failed on the way, was opened anew, and went on. */
  | "W_NPU_RETRIED"
  /** The NPU failed on the way, and the CPU did the rest. */
  | "W_NPU_LOST"
  /** Something about the model that changes results, such as a missing generation config. */
  | "W_MODEL"
  /** A transcription that could not be gone on with began anew. */
  | "W_RESUME"
  /** A prompt or an option that was shortened to fit. */
  | "W_OPTION";

/** Something the user should know although the work went on. */
export interface Warning {
  /** What kind it is. */
  readonly code: WarningCode;
  /** What happened, in one sentence. */
  readonly message: string;
}

/** Receives warnings as they arise. */
export type WarningSink = (warning: Warning) => void;
