/**
 * The transaction format: what the NPU's firmware executes for a launch, as 32-bit words.
 *
 * Two encodings are in use. MLIR-AIE of late 2024 writes 1.0, which is compact; its later versions write 0.1. Both are
 * read; 1.0 is written unless asked otherwise.
 *
 *     header       rows << 24 | generation << 16 | minor << 8 | major;  memory tile rows << 8 | columns;  operations;  bytes
 *     1.0          write      0, address, value
 *                  blockWrite 1, address, bytes of the operation, data…
 *                  maskWrite  3, address, value, mask
 *                  wait       0x80, 16, column << 16 | row << 8 | direction, channel << 24 | columns << 16 | rows << 8
 *                  patch      0x81, 24, address, argument, offset, 0
 *     0.1          write      0, 0, address, 0, value, 24
 *                  blockWrite 1, tile, address, bytes, data…
 *                  maskWrite  3, 0, address, 0, value, mask, 28
 *                  wait       as in 1.0
 *                  patch      0x81, 48, 0, 0, 0, 0, address, 0, argument, 0, offset, 0
 *
 * Addresses are column << 25 | row << 20 | register.
 *
 * @module
 */

import { SottoError } from "../../errors.ts";

/** Which NPU a stream or an overlay is for: `npu1` is XDNA1 (Phoenix, Hawk Point), `npu2` XDNA2 (Strix, Krackan). */
export type Generation = "npu1" | "npu2";

/** One operation of a stream. */
export type Operation =
  /** Writes a register, or a word of a tile's data memory. */
  | { readonly op: "write"; readonly address: number; readonly value: number }
  /** Writes the bits of a register that the mask names. */
  | { readonly op: "maskWrite"; readonly address: number; readonly value: number; readonly mask: number }
  /** Writes registers that follow each other. */
  | { readonly op: "blockWrite"; readonly address: number; readonly words: readonly number[] }
  /** Adds the address of buffer `argument` and `offset` bytes into the two address words of a descriptor. */
  | { readonly op: "patch"; readonly address: number; readonly argument: number; readonly offset: number }
  /** Waits for a completion token of each of these tiles' channel. */
  | {
    readonly op: "wait";
    readonly column: number;
    readonly row: number;
    readonly columns: number;
    readonly rows: number;
    readonly direction: "s2mm" | "mm2s";
    readonly channel: number;
  };

/** The encoding. */
export type TransactionVersion = "1.0" | "0.1";

/** A stream, decoded. */
export interface Transaction {
  /** Which encoding it is or becomes. */
  readonly version: TransactionVersion;
  /** The NPU it is for. */
  readonly generation: Generation;
  /** Columns of the partition. */
  readonly columns: number;
  /** In order. */
  readonly operations: readonly Operation[];
}

const OPCODE = { write: 0, blockWrite: 1, maskWrite: 3, wait: 0x80, patch: 0x81 } as const;
const HEADER_WORDS = 4;
/** The number by which the header names a generation. */
const GENERATION_CODE = { npu1: 3, npu2: 4 } as const;
/** Rows of tiles in an array: one of shim tiles, one of memory tiles, four of compute tiles. */
export const ARRAY_ROWS = 6;
/** Rows of memory tiles. */
export const MEMORY_TILE_ROWS = 1;
/** The most words a stream may have: 16 MiB, far above any use. */
const MAX_WORDS = 1 << 22;

/** The address of a register. @param row 0 shim tile, 1 memory tile, 2…5 compute tiles. */
export function tileAddress(column: number, row: number, register: number): number {
  return (column << 25 | row << 20 | register) >>> 0;
}

/** What an address names. */
export function splitAddress(address: number): { column: number; row: number; register: number } {
  return { column: address >>> 25, row: address >>> 20 & 0x1f, register: address & 0xfffff };
}

function waitWords(wait: Operation & { op: "wait" }): number[] {
  const direction = wait.direction === "s2mm" ? 0 : 1;
  return [
    OPCODE.wait,
    16,
    wait.column << 16 | wait.row << 8 | direction,
    wait.channel << 24 | wait.columns << 16 | wait.rows << 8,
  ];
}

function encodeOperation(operation: Operation, version: TransactionVersion): number[] {
  const compact = version === "1.0";
  switch (operation.op) {
    case "write":
      return compact
        ? [OPCODE.write, operation.address, operation.value]
        : [OPCODE.write, 0, operation.address, 0, operation.value, 24];
    case "maskWrite":
      return compact
        ? [OPCODE.maskWrite, operation.address, operation.value, operation.mask]
        : [OPCODE.maskWrite, 0, operation.address, 0, operation.value, operation.mask, 28];
    case "blockWrite":
      return compact
        ? [OPCODE.blockWrite, operation.address, 4 * (3 + operation.words.length), ...operation.words]
        : [OPCODE.blockWrite, 0, operation.address, 4 * (4 + operation.words.length), ...operation.words];
    case "patch":
      return compact
        ? [OPCODE.patch, 24, operation.address, operation.argument, operation.offset, 0]
        : [OPCODE.patch, 48, 0, 0, 0, 0, operation.address, 0, operation.argument, 0, operation.offset, 0];
    case "wait":
      return waitWords(operation);
  }
}

/** The words of a stream. */
export function encodeTransaction(transaction: Transaction): Uint32Array<ArrayBuffer> {
  const { version, generation, columns, operations } = transaction;
  const words = operations.flatMap((operation) => encodeOperation(operation, version));
  const code = version === "1.0" ? 0x0001 : 0x0100; // minor << 8 | major
  return Uint32Array.from([
    ARRAY_ROWS << 24 | GENERATION_CODE[generation] << 16 | code,
    MEMORY_TILE_ROWS << 8 | columns,
    operations.length,
    4 * (HEADER_WORDS + words.length),
    ...words,
  ]);
}

/** Refuses a stream. */
function refuse(rule: string, found: unknown): never {
  throw new SottoError("E_XCLBIN", `Cannot read the instruction stream because ${rule}: got ${found}`);
}

function hexadecimal(word: number): string {
  return `0x${word.toString(16).padStart(8, "0")}`;
}

/** Reads one operation at a time; every word it takes is inside. */
class WordReader {
  #at = HEADER_WORDS;

  constructor(private readonly words: Uint32Array, private readonly version: TransactionVersion) {}

  get done(): boolean {
    return this.#at === this.words.length;
  }

  next(index: number): Operation {
    const start = this.#at;
    const opcode = this.words[start];
    const name = Object.entries(OPCODE).find(([, code]) => code === (opcode & 0xff))?.[0];
    if (name === undefined || start >= this.words.length) {
      refuse(
        `operation ${index} must be a write, blockWrite, maskWrite, wait or patch`,
        start >= this.words.length ? "the end" : hexadecimal(opcode),
      );
    }
    const compact = this.version === "1.0";
    switch (name as keyof typeof OPCODE) {
      case "write": {
        const [, a, b, , d] = this.#take(index, compact ? 3 : 6);
        return compact ? { op: "write", address: a, value: b } : { op: "write", address: b, value: d };
      }
      case "maskWrite": {
        const [, a, b, c, d, e] = this.#take(index, compact ? 4 : 7);
        return compact
          ? { op: "maskWrite", address: a, value: b, mask: c }
          : { op: "maskWrite", address: b, value: d, mask: e };
      }
      case "blockWrite": {
        const head = compact ? 3 : 4;
        const bytes = this.words[start + head - 1];
        if (bytes === undefined || bytes % 4 !== 0 || bytes < 4 * head) {
          refuse(`the size of operation ${index} must be ${4 * head} bytes or more, in words`, bytes);
        }
        const words = this.#take(index, bytes / 4);
        return { op: "blockWrite", address: words[head - 2], words: Array.from(words.subarray(head)) };
      }
      case "wait": {
        const [, bytes, where, what] = this.#take(index, 4);
        if (bytes !== 16) refuse(`operation ${index}, a wait, must have 16 bytes`, bytes);
        return {
          op: "wait",
          column: where >>> 16 & 0xff,
          row: where >>> 8 & 0xff,
          direction: (where & 0xff) === 0 ? "s2mm" : "mm2s",
          channel: what >>> 24,
          columns: what >>> 16 & 0xff,
          rows: what >>> 8 & 0xff,
        };
      }
      case "patch": {
        const count = compact ? 6 : 12;
        const words = this.#take(index, count);
        if (words[1] !== 4 * count) {
          refuse(`operation ${index}, a patch, must have ${4 * count} bytes`, words[1]);
        }
        const [address, argument, offset, high] = compact
          ? words.subarray(2)
          : [words[6], words[8], words[10], words[11]];
        if (high !== 0) {
          refuse(`the offset of operation ${index}, a patch, must be below 4 GiB`, hexadecimal(high));
        }
        return { op: "patch", address, argument, offset };
      }
    }
  }

  #take(index: number, count: number): Uint32Array {
    if (this.#at + count > this.words.length) {
      refuse(
        `operation ${index} must end inside its ${this.words.length} words`,
        `${count} words at ${this.#at}`,
      );
    }
    this.#at += count;
    return this.words.subarray(this.#at - count, this.#at);
  }
}

/**
 * Decodes a stream.
 *
 * @throws {SottoError} E_XCLBIN if it is cut, of another version, or holds an operation that is none.
 */
export function decodeTransaction(words: Uint32Array): Transaction {
  if (words.length < HEADER_WORDS) refuse(`it must have a header of ${HEADER_WORDS} words`, words.length);
  if (words.length > MAX_WORDS) refuse(`it may have at most ${MAX_WORDS} words`, words.length);
  const [first, second, count, bytes] = words;
  const code = first & 0xffff;
  if (code !== 0x0001 && code !== 0x0100) {
    refuse("its version must be 1.0 or 0.1", `${code & 0xff}.${code >>> 8}`);
  }
  const generation = (Object.keys(GENERATION_CODE) as Generation[]).find((name) =>
    GENERATION_CODE[name] === (first >>> 16 & 0xff)
  );
  if (generation === undefined) {
    refuse("its device generation must be 3 (npu1) or 4 (npu2)", first >>> 16 & 0xff);
  }
  if (bytes !== 4 * words.length) refuse(`its header says ${bytes} bytes`, `${4 * words.length} bytes`);

  const version = code === 0x0001 ? "1.0" : "0.1";
  const reader = new WordReader(words, version);
  const operations: Operation[] = [];
  if (count > words.length) {
    refuse(`${words.length} words cannot hold ${count} operations`, `${count} operations`);
  }
  for (let index = 0; index < count; index++) operations.push(reader.next(index));
  if (!reader.done) refuse(`its header says ${count} operations`, "more words");
  return { version, generation, columns: second & 0xff, operations };
}

/**
 * Reads the words of an `insts.txt`: hexadecimal, eight digits or fewer, one a line.
 *
 * @throws {SottoError} E_XCLBIN if a line is something else.
 */
export function parseInstructionText(text: string): Uint32Array<ArrayBuffer> {
  const lines = text.split("\n").map((line) => line.trim()).filter((line) => line !== "");
  return Uint32Array.from(lines, (line, index) => {
    if (!/^(0x)?[0-9a-fA-F]{1,8}$/.test(line)) {
      refuse(
        `line ${index + 1} must be a word of up to 8 hexadecimal digits`,
        JSON.stringify(line.slice(0, 40)),
      );
    }
    return parseInt(line, 16);
  });
}

/** The words as an `insts.txt`. */
export function formatInstructionText(words: Uint32Array): string {
  return Array.from(words, (word) => `${word.toString(16).toUpperCase().padStart(8, "0")}\n`).join("");
}
