/**
 * Runs a program for one window at a time, on buffers of its own.
 *
 * @module
 */

import { throwIfAborted } from "../../ffi/call_limit.ts";
import { type RowsPass, type RowsTarget, sourceBytes, targetBytes } from "../../ffi/rows_pass.ts";
import type { XrtBuffer, XrtRun, XrtRunlist } from "../../ffi/xrt_objects.ts";
import { SottoXrtCounter } from "../../ffi/xrt_symbols.ts";
import type { BufferId, TransposeStep } from "../step.ts";
import { placeBuffers } from "./buffers.ts";
import { granularityOf } from "./instructions.ts";
import type { NpuHost } from "./host.ts";
import type { CpuOperation, LaunchOperation, NpuOperation, RowsOperation } from "./program.ts";
import type { ResidentPlan } from "./resident_plan.ts";
import type { NpuStatistics } from "./statistics.ts";

/** How a window is run. */
export interface LaneRun {
  /** Ends the run between two operations. */
  readonly signal?: AbortSignal;
  /** How long to wait for a submission, ms; 0 for ever. */
  readonly timeout: number;
}

/** Launches with nothing of the host between them: submitted together. */
interface Submission {
  readonly launches: readonly LaunchOperation[];
  readonly runs: readonly XrtRun[];
  readonly list: XrtRunlist | null;
}

/** Buffers and runs of one window at a time. */
export class Lane implements Disposable {
  readonly #plan: ResidentPlan;
  readonly #host: NpuHost;
  readonly #statistics: NpuStatistics;
  readonly #memories: readonly XrtBuffer[];
  readonly #bufferOf: readonly number[];
  readonly #arrays: readonly Float32Array<ArrayBuffer>[];
  readonly #scales: readonly Float32Array<ArrayBuffer>[];
  readonly #order: readonly (Submission | RowsOperation | CpuOperation)[];
  readonly #owned: DisposableStack;

  private constructor(
    plan: ResidentPlan,
    { host, statistics }: { readonly host: NpuHost; readonly statistics: NpuStatistics },
    memories: readonly XrtBuffer[],
    bufferOf: readonly number[],
    owned: DisposableStack,
  ) {
    this.#plan = plan;
    this.#host = host;
    this.#statistics = statistics;
    this.#memories = memories;
    this.#bufferOf = bufferOf;
    this.#owned = owned;
    const { program } = plan;
    this.#arrays = hostArrays(program.plan.buffers, program.operations, program.plan.output);
    this.#scales = program.scales.map((rows) => new Float32Array(rows));
    this.#order = submissionsOf(program.operations).map((group) =>
      Array.isArray(group) ? this.#submission(group) : group
    );
  }

  /**
   * Makes a lane.
   *
   * @throws {SottoError} E_NPU_MEMLOCK if the NPU has no room for its buffers.
   */
  static async open(
    plan: ResidentPlan,
    services: { readonly host: NpuHost; readonly statistics: NpuStatistics },
  ): Promise<Lane> {
    using owned = new DisposableStack();
    const { bufferOf, sizes } = placeBuffers(plan.program.memories);
    const memories: XrtBuffer[] = [];
    for (const size of sizes) memories.push(owned.use(await plan.overlay.kernel.buffer(0, size)));
    const lane = new Lane(plan, services, memories, bufferOf, owned);
    owned.move();
    return lane;
  }

  #memory(id: number): XrtBuffer {
    return this.#memories[this.#bufferOf[id]];
  }

  #submission(launches: readonly LaunchOperation[]): Submission {
    const { context, kernel } = this.#plan.overlay;
    const runs = launches.map((launch) => {
      const buffers = launch.buffers.map((buffer) =>
        "memory" in buffer ? this.#memory(buffer.memory) : this.#plan.matrices[buffer.matrix]
      );
      return this.#owned.use(kernel.run(this.#plan.stream(launch.streamKey), buffers));
    });
    return { launches, runs, list: runs.length > 1 ? this.#owned.use(context.runlist(runs)) : null };
  }

  /**
   * Runs the program.
   *
   * @param input F32, the plan's input buffer.
   * @returns F32, its output buffer; a new array.
   */
  async run(input: Float32Array<ArrayBuffer>, options: LaneRun): Promise<Float32Array<ArrayBuffer>> {
    const { plan } = this.#plan.program;
    this.#arrays[plan.input].set(input);
    for (const operation of this.#order) {
      throwIfAborted(options.signal);
      if ("launches" in operation) await this.#submit(operation, options.timeout);
      else if (operation.op === "rows") await this.#rows(operation);
      else await this.#cpu(operation, options.signal);
    }
    return this.#arrays[plan.output].slice();
  }

  async #submit({ launches, runs, list }: Submission, timeout: number): Promise<void> {
    const start = performance.now();
    if (list) {
      list.start();
      await list.wait(timeout);
    } else {
      runs[0].start();
      await runs[0].wait(timeout);
    }
    const seconds = (performance.now() - start) / 1000;
    const counters = runs.map((run) => run.counters());
    const times = counters.map((count) => count[SottoXrtCounter.SOTTO_XRT_COUNT_MODELLED_NANOSECONDS]);
    const total = times.reduce((sum, time) => sum + time, 0);
    launches.forEach((launch, i) => {
      this.#statistics.add({
        layer: launch.layer,
        name: launch.name,
        kind: "launch",
        // The host sees a list as one: its launches share the time as the model does.
        seconds: total > 0 ? seconds * times[i] / total : seconds / launches.length,
        modelled: times[i],
        ...this.#bytesOf(launch, counters[i]),
        operations: launch.operations,
      });
    });
  }

  /** What the model's DMA moved; a real NPU does not say, then it is what lies in the buffers. */
  #bytesOf(launch: LaunchOperation, counters: readonly number[]): { bytesIn: number; bytesOut: number } {
    const bytesIn = counters[SottoXrtCounter.SOTTO_XRT_COUNT_MODELLED_BYTES_IN];
    const bytesOut = counters[SottoXrtCounter.SOTTO_XRT_COUNT_MODELLED_BYTES_OUT];
    if (bytesIn > 0) return { bytesIn, bytesOut };
    const sizes = launch.buffers.map((buffer) =>
      "memory" in buffer
        ? this.#plan.program.memories[buffer.memory].bytes
        : this.#plan.matrices[buffer.matrix].size
    );
    return { bytesIn: sizes.slice(0, -1).reduce((sum, size) => sum + size, 0), bytesOut: sizes.at(-1)! };
  }

  async #rows(operation: RowsOperation): Promise<void> {
    const start = performance.now();
    const pass = this.#passOf(operation);
    await this.#host.rows.pass(pass);
    const { to } = operation;
    if (to && "memory" in to && to.perTensor) await this.#quantize(pass, to);
    const from = "memory" in operation.from ? sourceBytes(pass) : 0;
    this.#statistics.add({
      layer: operation.layer,
      name: operation.name,
      kind: "rows",
      seconds: (performance.now() - start) / 1000,
      modelled: 0,
      bytesIn: to && "memory" in to ? targetBytes({ ...to, rows: to.rows }) : 0,
      bytesOut: from,
      operations: 0,
    });
  }

  #passOf(operation: RowsOperation): RowsPass {
    const { rows, columns, from, scales, addend, norm, out } = operation;
    return {
      rows,
      columns,
      source: "memory" in from
        ? { type: from.type, stride: from.stride, from: this.#memory(from.memory) }
        : { type: "f32", stride: columns, from: this.#arrays[from.buffer] },
      ...(scales
        ? {
          rowScales: this.#scales[scales.rows],
          columnScales: this.#plan.columnScales[scales.matrix]!.subarray(0, columns),
        }
        : {}),
      bias: this.#plan.bias(operation),
      gelu: operation.gelu,
      addend: addend === null
        ? undefined
        : "buffer" in addend
        ? this.#arrays[addend.buffer]
        : this.#plan.vector(addend.weight),
      out: out === null ? undefined : this.#arrays[out],
      norm: norm === null
        ? undefined
        : { weight: this.#plan.vector(norm.weight), bias: this.#plan.vector(norm.bias) },
      target: this.#targetOf(operation),
    };
  }

  #targetOf({ to, rows, columns }: RowsOperation): RowsTarget | undefined {
    if (to === null) return undefined;
    if ("buffer" in to) {
      return { type: "f32", stride: columns, rows, firstRow: 0, to: this.#arrays[to.buffer] };
    }
    if (to.perTensor) {
      const values = new Float32Array(to.rows * to.stride);
      return { type: "f32", stride: to.stride, rows: to.rows, firstRow: to.firstRow, to: values };
    }
    const tile = to.type === "bfp16" ? { tile: this.#tileOfA() } : {};
    const scales = to.scales === null ? {} : { scales: this.#scales[to.scales] };
    const { type, stride, firstRow } = to;
    return { type, stride, rows: to.rows, firstRow, ...tile, ...scales, to: this.#memory(to.memory) };
  }

  #tileOfA(): [number, number] {
    const { design } = this.#plan.session;
    const program = design.programs.find((it) => it.kind === "matmul" && it.input === "bfp16");
    if (program?.kind !== "matmul") throw new Error("the overlay has no bfp16 product");
    return [granularityOf(design, program).M / design.rows, program.k];
  }

  /** One scale for a matrix is known only when all of it is there. */
  async #quantize(pass: RowsPass, to: Extract<RowsOperation["to"], { memory: number }>): Promise<void> {
    const values = pass.target!.to as Float32Array<ArrayBuffer>;
    const { codes, scales } = await this.#host.formats.quantizeInt8(values, [to.rows, to.stride]);
    this.#scales[to.scales!].set(scales);
    await this.#memory(to.memory).write(codes);
  }

  async #cpu(operation: CpuOperation, signal: AbortSignal | undefined): Promise<void> {
    const start = performance.now();
    const { step } = operation;
    const [input, output] = [this.#arrays[step.input], this.#arrays[step.output]];
    if (step.op === "transpose") transpose(step, input, output);
    else {
      const result = await this.#plan.step(step).run(input, { signal });
      const residual = step.op === "gemm" && step.residual !== null ? this.#arrays[step.residual] : null;
      for (let i = 0; residual && i < result.length; i++) result[i] += residual[i];
      output.set(result);
    }
    this.#statistics.add({
      layer: operation.layer,
      name: operation.name,
      kind: "cpu",
      seconds: (performance.now() - start) / 1000,
      modelled: 0,
      bytesIn: 0,
      bytesOut: 0,
      operations: 0,
    });
  }

  /** Frees buffers and runs. Throws E_BUSY during a run. */
  [Symbol.dispose](): void {
    this.#owned[Symbol.dispose]();
  }
}

/** Groups launches that follow one another; a command of the driver takes at most 24. */
function submissionsOf(
  operations: readonly NpuOperation[],
): (LaunchOperation[] | RowsOperation | CpuOperation)[] {
  const groups: (LaunchOperation[] | RowsOperation | CpuOperation)[] = [];
  for (const operation of operations) {
    const last = groups.at(-1);
    if (operation.op !== "launch") groups.push(operation);
    else if (Array.isArray(last) && last.length < 24) last.push(operation);
    else groups.push([operation]);
  }
  return groups;
}

/** F32 arrays of the buffers that the host touches; empty ones of the others. */
function hostArrays(
  buffers: readonly { readonly rows: number; readonly columns: number }[],
  operations: readonly NpuOperation[],
  output: BufferId,
): Float32Array<ArrayBuffer>[] {
  const touched = new Set<BufferId>([output]);
  for (const operation of operations) {
    if (operation.op === "cpu") {
      touched.add(operation.step.input).add(operation.step.output);
    } else if (operation.op === "rows") {
      const { from, to, addend, out } = operation;
      for (const place of [from, to, addend]) if (place && "buffer" in place) touched.add(place.buffer);
      if (out !== null) touched.add(out);
    }
  }
  return buffers.map(({ rows, columns }, id) => new Float32Array(touched.has(id) ? rows * columns : 0));
}

/** Rows of the input that are written at a time: their cache lines of the output stay. */
const BLOCK = 16;

function transpose(
  { rows, columns }: TransposeStep,
  input: Float32Array<ArrayBuffer>,
  output: Float32Array<ArrayBuffer>,
): void {
  for (let r0 = 0; r0 < rows; r0 += BLOCK) {
    for (let c = 0; c < columns; c++) {
      for (let r = r0; r < Math.min(r0 + BLOCK, rows); r++) output[c * rows + r] = input[r * columns + c];
    }
  }
}
