/**
 * A stream as text: one operation a line, shim DMA registers by their names.
 *
 * @module
 */

import {
  decodeDescriptor,
  DESCRIPTOR_WORDS,
  type DmaPattern,
  shimRegister,
  splitQueueEntry,
} from "./shim_dma.ts";
import { type Operation, splitAddress, type Transaction } from "./transaction.ts";

function hexadecimal(word: number): string {
  return `0x${(word >>> 0).toString(16)}`;
}

function placeOf(address: number): string {
  const { column, row, register } = splitAddress(address);
  return `tile ${column},${row} ${hexadecimal(register)}`;
}

function registerName(address: number): string {
  const register = shimRegister(address);
  if (register === null) return placeOf(address);
  if (register.kind === "descriptor") {
    return `column ${register.column} bd ${register.bd} word ${register.word}`;
  }
  return `column ${register.column} ${register.direction} ${register.channel} ${register.kind}`;
}

function patternText(pattern: DmaPattern): string {
  const dimension = (count: number, step: number) => `${count}@${step}`;
  return [
    dimension(pattern.repeats, pattern.repeatStep),
    dimension(pattern.blocks, pattern.blockStep),
    dimension(pattern.rows, pattern.rowStep),
    String(pattern.words),
  ].join(" × ");
}

function blockText(operation: Operation & { op: "blockWrite" }): string {
  const register = shimRegister(operation.address);
  if (register?.kind === "descriptor" && register.word === 0 && operation.words.length === DESCRIPTOR_WORDS) {
    const iterations = (operation.words[6] >>> 20 & 0x3f) + 1;
    const pattern = decodeDescriptor(operation.words, iterations);
    const what = pattern === null ? "not valid, or of another kind" : patternText(pattern);
    return `column ${register.column} bd ${register.bd}: ${what} words`;
  }
  return `${placeOf(operation.address)} ← ${operation.words.map(hexadecimal).join(" ")}`;
}

function operationText(operation: Operation): string {
  switch (operation.op) {
    case "write": {
      const register = shimRegister(operation.address);
      if (register?.kind !== "queue") {
        return `write   ${registerName(operation.address)} ← ${hexadecimal(operation.value)}`;
      }
      const { bd, repeats, token } = splitQueueEntry(operation.value);
      return `push    column ${register.column} ${register.direction} ${register.channel}: bd ${bd}, ${repeats} times${
        token ? ", token" : ""
      }`;
    }
    case "maskWrite":
      return `mask    ${registerName(operation.address)} ← ${hexadecimal(operation.value)} & ${
        hexadecimal(operation.mask)
      }`;
    case "blockWrite":
      return `block   ${blockText(operation)}`;
    case "patch":
      return `patch   ${registerName(operation.address)} + bo${operation.argument} + ${
        hexadecimal(operation.offset)
      }`;
    case "wait":
      return `wait    column ${operation.column}, row ${operation.row}, ${operation.direction} ${operation.channel}${
        operation.columns > 1 ? `, ${operation.columns} columns` : ""
      }`;
  }
}

/** The lines of a stream. Patterns read `repeats@step × blocks@step × rows@step × words`, in 32-bit words. */
export function disassemble(transaction: Transaction): string[] {
  const { version, generation, columns, operations } = transaction;
  return [
    `transaction ${version} for ${generation}, ${columns} columns, ${operations.length} operations`,
    ...operations.map((operation, index) => `${String(index).padStart(5)}  ${operationText(operation)}`),
  ];
}
