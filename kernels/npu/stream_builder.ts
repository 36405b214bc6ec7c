/**
 * Puts transfers into a stream so that descriptors and queues suffice: batches of at most eight descriptors a column use
 * the lower and the upper half of the sixteen in turn, and before a half is used again, everything that the batch before
 * last wrote has been waited for.
 *
 * That is how MLIR-AIE's matrix products are scheduled, so that their streams come out word for word.
 *
 * @module
 */

import { SottoError } from "../../errors.ts";
import {
  DESCRIPTORS,
  QUEUE_DEPTH,
  type ShimTransfer,
  transferOperations,
  waitOperation,
} from "./shim_dma.ts";
import { type OverlayDesign, RUNTIME_WORDS } from "./design.ts";
import { type Operation, tileAddress, type Transaction } from "./transaction.ts";

/** Descriptors of a column that one batch may use. */
export const BATCH_DESCRIPTORS = DESCRIPTORS / 2;
/** Tasks of a channel that one batch may push: two batches are under way at a time. */
export const BATCH_TASKS = QUEUE_DEPTH / 2;
/** First row of compute tiles. */
const FIRST_COMPUTE_ROW = 2;

/** A transfer whose descriptor is chosen by the caller. */
export interface PlacedTransfer extends ShimTransfer {
  /** Descriptor; by default the next free one of the batch's half. */
  readonly bd?: number;
}

/** What the compute tiles of an overlay are told before a run of tasks. */
export interface RuntimeWords {
  /** Index of the program. */
  readonly program: number;
  /** Tiles summed into one output tile; of attention, tiles of keys. */
  readonly tiles: number;
  /** Attention: keys that count, the rest is masked; 0 for all. */
  readonly keys?: number;
  /** Attention: the scale of scores. */
  readonly scale?: number;
}

function floatBits(value: number): number {
  return new Uint32Array(Float32Array.of(value).buffer)[0];
}

/** Collects the operations of a stream. */
export class StreamBuilder {
  readonly #operations: Operation[] = [];
  #batches = 0;
  #half = 0;
  #unwaited: Operation[][] = [];
  #runtime = "";

  /** Appends a batch of transfers. Outputs are waited for two batches later, or when the stream ends. */
  batch(transfers: readonly PlacedTransfer[]): void {
    const used = new Map<number, number>();
    const tasks = new Map<string, number>();
    for (const transfer of transfers) {
      const { column, direction, channel } = transfer;
      const index = used.get(column) ?? 0;
      const queue = `${direction} ${channel} of column ${column}`;
      const pushed = (tasks.get(queue) ?? 0) + 1;
      if (index >= BATCH_DESCRIPTORS || pushed > BATCH_TASKS) {
        throw new SottoError(
          "E_OPTION",
          `Cannot put a batch into a stream because it may use ${BATCH_DESCRIPTORS} descriptors a column and push ${BATCH_TASKS} tasks to a queue: got descriptor ${
            index + 1
          } and task ${pushed} of ${queue}`,
        );
      }
      used.set(column, index + 1);
      tasks.set(queue, pushed);
      const bd = transfer.bd ?? BATCH_DESCRIPTORS * this.#half + index;
      this.#operations.push(...transferOperations(transfer, bd));
    }
    this.#unwaited.push(
      transfers.filter((transfer) => transfer.direction === "s2mm")
        .map((transfer) => waitOperation(transfer.column, transfer.direction, transfer.channel)),
    );
    this.#batches++;
    this.#half = 1 - this.#half;
    if (this.#unwaited.length > 1) this.#operations.push(...this.#unwaited.shift()!);
  }

  /** Waits for all that is under way. */
  settle(): void {
    for (const waits of this.#unwaited.splice(0)) this.#operations.push(...waits);
    this.#half = 0;
  }

  /**
   * Tells the compute tiles what comes next; nothing if they know it already. What is under way is waited for first.
   *
   * @throws {SottoError} E_OPTION if the design has no runtime words.
   */
  runtime(design: OverlayDesign, words: RuntimeWords): void {
    const values = [
      words.program,
      words.tiles,
      words.keys ?? 0,
      words.scale === undefined ? 0 : floatBits(words.scale),
    ];
    const key = values.join();
    if (key === this.#runtime) return;
    if (design.runtime === null) {
      throw new SottoError("E_OPTION", "Cannot set runtime words because the overlay has none");
    }
    this.settle();
    for (let column = 0; column < design.columns; column++) {
      for (let row = 0; row < design.rows; row++) {
        const address = tileAddress(column, FIRST_COMPUTE_ROW + row, design.runtime);
        this.#operations.push({ op: "blockWrite", address, words: values.slice(0, RUNTIME_WORDS) });
      }
    }
    this.#runtime = key;
  }

  /** The stream. */
  finish(design: Pick<OverlayDesign, "generation" | "columns">): Transaction {
    this.settle();
    return {
      version: "1.0",
      generation: design.generation,
      columns: design.columns,
      operations: this.#operations,
    };
  }
}
