/**
 * Runs a program on buffers of its own, for as many windows at a time as it was made for.
 *
 * @module
 */

import { throwIfAborted } from "../../abort.ts";
import { SottoError } from "../../errors.ts";
import type { XrtRun, XrtRunlist } from "../../ffi/xrt_objects.ts";
import { SottoXrtCounter } from "../../ffi/xrt_symbols.ts";
import type { NpuHost } from "./host.ts";
import { LaneMemory } from "./lane_memory.ts";
import { LaneRows } from "./lane_rows.ts";
import type { CpuOperation, LaunchOperation, NpuOperation, NpuProgram, RowsOperation } from "./program.ts";
import type { ResidentPlan } from "./resident_plan.ts";
import type { NpuStatistics } from "./statistics.ts";
import { transpose } from "./transpose.ts";

/** How windows are run. */
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

/** What a lane works with. */
export interface LaneServices {
  /** Does what the NPU does not. */
  readonly host: NpuHost;
  /** Counts. */
  readonly statistics: NpuStatistics;
}

/** Buffers and runs of a number of windows at a time. */
export class Lane implements AsyncDisposable {
  readonly #plan: ResidentPlan;
  readonly #program: NpuProgram;
  readonly #statistics: NpuStatistics;
  readonly #memory: LaneMemory;
  readonly #rows: LaneRows;
  readonly #order: readonly (Submission | RowsOperation | CpuOperation)[];
  #owned: DisposableStack;
  #slowest = 0;
  /** What was not over when the waiting for it ended. */
  #abandoned: XrtRun | XrtRunlist | null = null;

  private constructor(
    plan: ResidentPlan,
    program: NpuProgram,
    memory: LaneMemory,
    { host, statistics }: LaneServices,
    owned: DisposableStack,
  ) {
    this.#plan = plan;
    this.#program = program;
    this.#statistics = statistics;
    this.#memory = memory;
    this.#rows = new LaneRows(plan, program, memory, host);
    this.#owned = owned;
    this.#order = submissionsOf(program.operations).map((group) =>
      Array.isArray(group) ? this.#submission(group) : group
    );
  }

  /**
   * Makes a lane.
   *
   * @param windows That it does at a time, 1 or more.
   * @throws {SottoError} E_NPU_MEMLOCK if the NPU has no room for its buffers.
   */
  static async open(plan: ResidentPlan, windows: number, services: LaneServices): Promise<Lane> {
    using owned = new DisposableStack();
    const program = await plan.program(windows);
    const memory = await LaneMemory.allocate(
      program,
      async (bytes) => owned.use(await plan.overlay.kernel.buffer(0, bytes)),
    );
    const lane = new Lane(plan, program, memory, services, owned);
    lane.#owned = owned.move();
    return lane;
  }

  /** The longest that a submission has taken, ms. */
  get slowest(): number {
    return this.#slowest;
  }

  #submission(launches: readonly LaunchOperation[]): Submission {
    const { context, kernels } = this.#plan.overlay;
    const runs = launches.map((launch) => {
      const buffers = launch.buffers.map((buffer) =>
        "memory" in buffer ? this.#memory.buffer(buffer.memory) : this.#plan.matrices[buffer.matrix]
      );
      return this.#owned.use(kernels[launch.program].run(this.#plan.stream(launch.streamKey), buffers));
    });
    return { launches, runs, list: runs.length > 1 ? this.#owned.use(context.runlist(runs)) : null };
  }

  /**
   * Runs the program.
   *
   * @param inputs F32, the plan's input buffer of each window.
   * @returns F32, its output buffer of each; new arrays.
   * @throws {SottoError} E_OPTION if an input was detached; E_ABORTED; faults of the NPU.
   */
  async run(
    inputs: readonly Float32Array<ArrayBuffer>[],
    options: LaneRun,
  ): Promise<Float32Array<ArrayBuffer>[]> {
    const { plan } = this.#program;
    const { name, rows, columns } = plan.buffers[plan.input];
    // Their sizes were right when they were asked for; they have waited since.
    if (inputs.some(({ length }) => length !== rows * columns)) {
      throw new SottoError("E_OPTION", `Cannot run the plan: ${name} was detached before its turn came`, {
        hint: "Leave a window's array alone until its features are there.",
      });
    }
    inputs.forEach((input, window) => this.#memory.array(plan.input).set(input, window * input.length));
    for (const operation of this.#order) {
      throwIfAborted(options.signal);
      if ("launches" in operation) await this.#submit(operation, options.timeout);
      else if (operation.op === "rows") await this.#pass(operation);
      else await this.#cpu(operation, options.signal);
    }
    const output = this.#memory.array(plan.output);
    return inputs.map((_, window) => this.#memory.windowOf(output, window).slice());
  }

  async #submit({ launches, runs, list }: Submission, timeout: number): Promise<void> {
    const start = performance.now();
    const command = list ?? runs[0];
    command.start();
    this.#abandoned = command;
    await command.wait(timeout);
    this.#abandoned = null;
    const seconds = (performance.now() - start) / 1000;
    this.#slowest = Math.max(this.#slowest, 1000 * seconds);
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
        ? this.#program.memories[buffer.memory].bytes
        : this.#plan.matrices[buffer.matrix].size
    );
    return { bytesIn: sizes.slice(0, -1).reduce((sum, size) => sum + size, 0), bytesOut: sizes.at(-1)! };
  }

  async #pass(operation: RowsOperation): Promise<void> {
    const start = performance.now();
    const bytes = await this.#rows.run(operation);
    this.#statistics.add({
      layer: operation.layer,
      name: operation.name,
      kind: "rows",
      seconds: (performance.now() - start) / 1000,
      modelled: 0,
      ...bytes,
      operations: 0,
    });
  }

  async #cpu(operation: CpuOperation, signal: AbortSignal | undefined): Promise<void> {
    const start = performance.now();
    for (let window = 0; window < this.#program.windows; window++) {
      await this.#step(operation, window, signal);
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

  async #step({ step }: CpuOperation, window: number, signal: AbortSignal | undefined): Promise<void> {
    const input = this.#memory.windowOf(this.#memory.array(step.input), window);
    const output = this.#memory.windowOf(this.#memory.array(step.output), window);
    if (step.op === "transpose") return transpose(step, input, output);
    const result = await this.#plan.step(step).run(input, { signal });
    const residual = step.op === "gemm" && step.residual !== null
      ? this.#memory.windowOf(this.#memory.array(step.residual), window)
      : null;
    for (let i = 0; residual && i < result.length; i++) result[i] += residual[i];
    output.set(result);
  }

  /**
   * Frees buffers and runs, after what hangs there was ended by the driver's watchdog: the NPU may still write into them,
   * and freeing them would wait for it in this thread. Not to be called during a run.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#abandoned?.wait(0).catch(() => {}); // how it ended was told to whoever ran it
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
