/**
 * What the behaviours of an NPU library are written with: the single-core matmul, ready to run.
 *
 * @module
 */

import { deepEqual, notEqual, ok, rejects } from "node:assert/strict";
import { SottoXrtStatus } from "../../ffi/xrt_symbols.ts";
import { type Npu, type Opened, readStream, StatusError } from "./_npu.ts";
import { numbers, type Product, PRODUCTS, reference } from "./_products.ts";

export interface Behaviour {
  readonly name: string;
  /** The text of `SOTTO_NPU_MODEL`. */
  readonly settings: string;
  /** @param data The folder `../shared/data`, with a final slash. */
  readonly body: (npu: Npu, data: string) => Promise<void>;
}

/** Statuses of the interface. */
export const S: typeof SottoXrtStatus = SottoXrtStatus;

/** Places in the single-core matmul's stream: C's address patch, and the length in A's first descriptor. */
export const C_PATCH = 15, A_DESCRIPTOR = 31, C_DESCRIPTOR = 7;

/** The single-core matmul, ready to run: what most behaviours use. */
export class Setup implements AsyncDisposable {
  private constructor(
    readonly npu: Npu,
    readonly product: Product,
    readonly opened: Opened,
    readonly words: Uint32Array<ArrayBuffer>,
    readonly buffers: readonly bigint[],
    readonly a: Int16Array<ArrayBuffer>,
    readonly b: Int16Array<ArrayBuffer>,
  ) {}

  static async make(npu: Npu, data: string, product: Product = PRODUCTS[0]): Promise<Setup> {
    const { m, k, n, out } = product;
    const opened = await npu.open(await Deno.readFile(data + product.xclbin));
    const range = out === "i16" ? 4 : 1000;
    const a = numbers(m * k, range), b = numbers(k * n, range);
    const sizes = [a.byteLength, b.byteLength, m * n * (out === "i32" ? 4 : 2)];
    const buffers: bigint[] = [];
    for (const [i, size] of sizes.entries()) buffers.push(await npu.buffer(opened.kernel, 3 + i, size));
    await npu.write(buffers[0], a);
    await npu.write(buffers[1], b);
    return new Setup(npu, product, opened, await readStream(data + product.stream), buffers, a, b);
  }

  run(words = this.words, buffers: readonly bigint[] = this.buffers): Promise<bigint> {
    return this.npu.run(this.opened.kernel, words, buffers);
  }

  async expectProduct(): Promise<void> {
    const { m, n, out } = this.product;
    const result = await this.npu.read(this.buffers[2], m * n * (out === "i32" ? 4 : 2));
    const expected = reference(this.product, this.a, this.b);
    deepEqual(out === "i32" ? new Int32Array(result) : new Int16Array(result), expected);
  }

  async clear(): Promise<void> {
    const { m, n, out } = this.product;
    await this.npu.write(this.buffers[2], new Uint8Array(m * n * (out === "i32" ? 4 : 2)));
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.npu.destroy(...this.buffers);
    this.npu.close(this.opened);
    return Promise.resolve();
  }
}

/** Whether a call answers with one of these statuses, and says why. */
export async function refusedWith(promise: Promise<unknown>, ...statuses: number[]): Promise<void> {
  await rejects(promise, (error: unknown) => {
    ok(error instanceof StatusError, String(error));
    ok(statuses.includes(error.status), `status ${error.status} (${error.message}), not ${statuses}`);
    notEqual(error.message, "");
    return true;
  });
}

/** A behaviour of a model without settings. */
export const plain = (name: string, body: Behaviour["body"]): Behaviour => ({ name, settings: "", body });
