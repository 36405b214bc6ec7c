/**
 * Checks a stream before it runs: every descriptor is set up before it is pushed and stays inside its buffer, no queue
 * overflows, nothing is rewritten while it may be in use, and every wait has a token to wait for.
 *
 * Real hardware checks none of this: a stream that reads past a buffer reads someone else's memory or hangs.
 *
 * @module
 */

import { SottoError } from "../../errors.ts";
import {
  decodeDescriptor,
  DESCRIPTOR_WORDS,
  type Direction,
  type DmaPattern,
  QUEUE_DEPTH,
  reachOf,
  shimRegister,
  splitQueueEntry,
  wordsOf,
} from "./shim_dma.ts";
import { type Operation, splitAddress, type Transaction } from "./transaction.ts";

/** A task as a stream pushes it. */
export interface DmaTask {
  /** Index of the operation that pushes it. */
  readonly operation: number;
  /** Column of the shim tile. */
  readonly column: number;
  /** Into the array, or out of it. */
  readonly direction: Direction;
  /** 0 or 1. */
  readonly channel: number;
  /** Index of the buffer. */
  readonly argument: number;
  /** Where it starts in the buffer, bytes. */
  readonly offset: number;
  /** What it touches. */
  readonly pattern: DmaPattern;
}

/** What a stream does, counted. */
export interface StreamReport {
  /** In order. */
  readonly tasks: readonly DmaTask[];
  /** Bytes read from buffers. */
  readonly bytesIn: number;
  /** Bytes written into buffers. */
  readonly bytesOut: number;
  /** Operations. */
  readonly operations: number;
  /** Waits. */
  readonly waits: number;
  /** Bytes that each buffer must have, by index; 0 where it is not used. */
  readonly bufferBytes: readonly number[];
}

interface Descriptor {
  readonly words: number[];
  address: { argument: number; offset: number } | null;
}

interface PushedTask {
  readonly bd: number;
  readonly direction: Direction;
  readonly channel: number;
  readonly token: boolean;
  /** How many outputs the column had been given before: an input serves the outputs from there on. */
  readonly outputsBefore: number;
}

interface Column {
  readonly descriptors: Map<number, Descriptor>;
  /** Pushed and not known to have ended. */
  pending: PushedTask[];
  outputs: number;
}

function refuse(index: number, rule: string, found: unknown): never {
  throw new SottoError(
    "E_XCLBIN",
    `Cannot run the instruction stream because in operation ${index} ${rule}: got ${found}`,
  );
}

/** Follows a stream, operation by operation. */
class StreamFollower {
  readonly tasks: DmaTask[] = [];
  readonly bufferBytes: number[] = [];
  waits = 0;
  readonly #columns = new Map<number, Column>();

  constructor(private readonly transaction: Transaction, private readonly limits: readonly number[] | null) {}

  follow(operation: Operation, index: number): void {
    switch (operation.op) {
      case "write":
        return this.#write(operation.address, operation.value, index);
      case "maskWrite":
        return this.#requireTile(operation.address, index);
      case "blockWrite":
        for (const [i, word] of operation.words.entries()) {
          this.#write(operation.address + 4 * i, word, index);
        }
        return;
      case "patch":
        return this.#patch(operation, index);
      case "wait":
        return this.#wait(operation, index);
    }
  }

  /** Refuses outputs that nobody waited for: a launch would end before they do. */
  end(): void {
    for (const [number, column] of this.#columns) {
      const left = column.pending.filter((task) => task.direction === "s2mm").length;
      if (left > 0) {
        refuse(
          this.transaction.operations.length,
          `column ${number} must have been waited for`,
          `${left} outputs under way`,
        );
      }
    }
  }

  #column(number: number): Column {
    const found = this.#columns.get(number) ?? { descriptors: new Map(), pending: [], outputs: 0 };
    this.#columns.set(number, found);
    return found;
  }

  #requireTile(address: number, index: number): void {
    const { column } = splitAddress(address);
    if (column >= this.transaction.columns) {
      refuse(
        index,
        `the tile must be one of the partition's ${this.transaction.columns} columns`,
        `column ${column}`,
      );
    }
    if (address % 4 !== 0) refuse(index, "a register's address must be a multiple of 4", address);
  }

  #write(address: number, value: number, index: number): void {
    this.#requireTile(address, index);
    const register = shimRegister(address);
    if (register?.kind === "queue") this.#push(register, value, index);
    if (register?.kind !== "descriptor") return;
    const column = this.#column(register.column);
    if (column.pending.some((task) => task.bd === register.bd)) {
      refuse(
        index,
        `a descriptor must not be rewritten while a task may use it`,
        `descriptor ${register.bd}`,
      );
    }
    const descriptor = column.descriptors.get(register.bd) ??
      { words: new Array<number>(DESCRIPTOR_WORDS).fill(0), address: null };
    descriptor.words[register.word] = value;
    if (register.word === 1 || register.word === 2) descriptor.address = null;
    column.descriptors.set(register.bd, descriptor);
  }

  #patch(patch: Operation & { op: "patch" }, index: number): void {
    this.#requireTile(patch.address, index);
    const register = shimRegister(patch.address);
    if (register?.kind !== "descriptor" || register.word !== 1) {
      refuse(index, "a patch must go to the address of a descriptor", `0x${patch.address.toString(16)}`);
    }
    if (this.limits !== null && patch.argument >= this.limits.length) {
      refuse(index, `a patch must name one of ${this.limits.length} buffers`, patch.argument);
    }
    if (patch.offset % 4 !== 0) refuse(index, "a patch's offset must be a multiple of 4", patch.offset);
    const descriptor = this.#column(register.column).descriptors.get(register.bd);
    if (descriptor === undefined) {
      refuse(index, "a patch must follow its descriptor", `descriptor ${register.bd}`);
    }
    descriptor.address = { argument: patch.argument, offset: patch.offset };
  }

  #push(
    queue: { readonly column: number; readonly direction: Direction; readonly channel: number },
    value: number,
    index: number,
  ): void {
    const { bd, repeats, token } = splitQueueEntry(value);
    const { direction, channel } = queue;
    const column = this.#column(queue.column);
    const descriptor = column.descriptors.get(bd);
    const pattern = descriptor === undefined ? null : decodeDescriptor(descriptor.words, repeats);
    if (pattern === null) {
      refuse(
        index,
        "a task must have a descriptor that is valid and of the kind used here",
        `descriptor ${bd}`,
      );
    }
    const address = descriptor!.address;
    if (address === null) {
      refuse(index, "a task's descriptor must have a buffer's address", `descriptor ${bd}`);
    }

    const end = address.offset + 4 * reachOf(pattern);
    const limit = this.limits?.[address.argument] ?? Infinity;
    if (end > limit) {
      refuse(
        index,
        `a task must stay inside buffer bo${address.argument} of ${limit} bytes`,
        `its byte ${end - 1}`,
      );
    }
    for (let i = this.bufferBytes.length; i <= address.argument; i++) this.bufferBytes.push(0);
    this.bufferBytes[address.argument] = Math.max(this.bufferBytes[address.argument], end);

    const waiting =
      column.pending.filter((task) => task.direction === direction && task.channel === channel).length;
    if (waiting > QUEUE_DEPTH) { // one of them is in progress, not in the queue
      refuse(index, `a queue must hold at most ${QUEUE_DEPTH} tasks beside the one in progress`, waiting);
    }
    column.pending.push({ bd, direction, channel, token, outputsBefore: column.outputs });
    if (direction === "s2mm") column.outputs++;
    this.tasks.push({ operation: index, column: queue.column, direction, channel, ...address, pattern });
  }

  #wait(wait: Operation & { op: "wait" }, index: number): void {
    this.waits++;
    for (let number = wait.column; number < wait.column + Math.max(1, wait.columns); number++) {
      const column = this.#column(number);
      const at = column.pending.findIndex((task) =>
        task.token && task.direction === wait.direction && task.channel === wait.channel
      );
      if (at < 0 || wait.row !== 0) {
        refuse(index, "a wait must have a token to wait for", `none in column ${number}, row ${wait.row}`);
      }
      const { outputsBefore } = column.pending[at];
      // An output that has ended took all inputs that were pushed before the next output was.
      column.pending = column.pending.filter((task, i) =>
        i !== at && (task.direction === "s2mm" || task.outputsBefore > outputsBefore + 1)
      );
    }
  }
}

/**
 * Follows a stream and counts what it does.
 *
 * @param bufferBytes Sizes of the buffers it will run on; without them a stream may use any place of any buffer.
 * @throws {SottoError} E_XCLBIN if it breaks one of the rules above.
 */
export function checkStream(transaction: Transaction, bufferBytes?: readonly number[]): StreamReport {
  const follower = new StreamFollower(transaction, bufferBytes ?? null);
  for (const [index, operation] of transaction.operations.entries()) follower.follow(operation, index);
  follower.end();
  const bytes = (direction: Direction) =>
    follower.tasks.filter((task) => task.direction === direction)
      .reduce((sum, task) => sum + 4 * wordsOf(task.pattern), 0);
  return {
    tasks: follower.tasks,
    bytesIn: bytes("mm2s"),
    bytesOut: bytes("s2mm"),
    operations: transaction.operations.length,
    waits: follower.waits,
    bufferBytes: follower.bufferBytes,
  };
}
