/**
 * A plan with its weights on the NPU: windows in groups, faults answered.
 *
 * @module
 */

import { SottoError } from "../../errors.ts";
import { isNpuFault } from "../../ffi/xrt_error.ts";
import type { WeightStore } from "../../model/weights.ts";
import type { LoadedPlan, RunOptions } from "../device.ts";
import type { Plan } from "../step.ts";
import { CpuRescue, type Rescue } from "./cpu_rescue.ts";
import type { NpuDevice } from "./device.ts";
import { inWindows } from "./fault_text.ts";
import { Lane } from "./lane.ts";
import { LanePool } from "./lane_pool.ts";
import type { NpuPolicy } from "./policy.ts";
import { type ProgramOf, ResidentPlan } from "./resident_plan.ts";
import type { NpuSession } from "./session.ts";
import type { NpuStatistics } from "./statistics.ts";
import { type Grouping, type GroupWork, type WaitingWindow, WindowQueue } from "./window_queue.ts";

/** Windows of one product at most. */
const MOST_WINDOWS = 8;
/** Beyond the driver's watchdog of 2 s, which ends a command itself. */
const WAIT_MS = 2500;
/** A model ends what hangs by its watchdog too; what it computes may take long. */
const MODEL_WAIT_MS = 60_000;
/** The second try must not cost as much again: a whole fault may take 3 s. A healthy NPU takes milliseconds. */
const RETRY_WAIT_MS = 300;
/** Where it is known how long this NPU takes: so many times that, but no less than the other steps may take more. */
const RETRY_PACE = 4;

/** What a plan is loaded with. */
export interface NpuPlanParts {
  /** The plan. */
  readonly plan: Plan;
  /** How so many windows of it are carried out. */
  readonly programOf: ProgramOf;
  /** What its products are computed in. */
  readonly policy: NpuPolicy;
  /** Its weights. */
  readonly weights: WeightStore;
  /** Whether the host works on one group while the NPU does another. */
  readonly overlaps: boolean;
}

/** What is on an NPU. */
interface Loaded {
  readonly session: NpuSession;
  readonly ready: Promise<{ readonly resident: ResidentPlan; readonly lanes: LanePool<Lane> }>;
}

/** A plan with its weights on the NPU. Windows that are asked for while others run are done together. */
export class NpuLoadedPlan implements LoadedPlan, AsyncDisposable {
  /** What its products are computed in. */
  readonly policy: NpuPolicy;
  readonly #device: NpuDevice;
  readonly #parts: NpuPlanParts;
  readonly #statistics: NpuStatistics;
  readonly #queue: WindowQueue;
  readonly #cpu: CpuRescue;
  /** What still ends on an NPU that was given up. */
  readonly #closing = new Set<Promise<void>>();
  #loaded: Loaded | null = null;
  /** The longest that a submission has taken, ms a window; null before the first. */
  #slowest: number | null = null;
  #isDisposed = false;

  /** @param device That it runs on. */
  constructor(device: NpuDevice, parts: NpuPlanParts, statistics: NpuStatistics) {
    this.#device = device;
    this.#parts = parts;
    this.policy = parts.policy;
    this.#statistics = statistics;
    const grouping: Grouping = { groups: parts.overlaps ? 2 : 1, most: MOST_WINDOWS };
    this.#queue = new WindowQueue(grouping, (windows, signal) => this.#group(windows, signal));
    this.#cpu = new CpuRescue(() => device.host.device.loadPlan(parts.plan, parts.weights));
  }

  /** What the products are computed in. */
  get arithmetic(): string {
    return `${this.policy.name} (NPU)`;
  }

  /** Whether a window is being done. */
  get isRunning(): boolean {
    return this.#queue.isBusy;
  }

  /** Puts weights and streams on the NPU; a fault is answered as during a run. */
  async prepare(): Promise<void> {
    try {
      await this.#twice((session) =>
        session.guard(this.#ready(session).then(({ resident }) => resident.program(1)))
      );
    } catch (error) {
      if (!isNpuFault(error)) throw error;
      this.#device.giveUp(error, undefined);
    }
  }

  async run(
    input: Float32Array<ArrayBuffer>,
    options: RunOptions = {},
  ): Promise<Float32Array<ArrayBuffer>> {
    const { buffers, input: id } = this.#parts.plan;
    const { name, rows, columns } = buffers[id];
    if (input.length !== rows * columns) {
      throw new SottoError(
        "E_OPTION",
        `Cannot run the plan: ${name} must be [${rows}, ${columns}], got ${input.length} values`,
      );
    }
    if (this.#isDisposed) throw new SottoError("E_BUSY", "Cannot use the encoder plan: it was disposed of");
    return await this.#queue.add(input, options);
  }

  async #group(windows: readonly WaitingWindow[], signal: AbortSignal): ReturnType<GroupWork> {
    const { onWarning } = windows[0].options;
    const rescues: Rescue[] = [];
    try {
      const outputs = await this.#twice(
        (session, isSecond) => this.#onNpu(session, windows, signal, isSecond),
        {
          windows,
          // A hang has used up most of the time there is: the CPU begins beside the second try, in case it is needed.
          onFault: ({ code }) =>
            code === "E_NPU_TIMEOUT" && this.#device.endsOnCpu ? rescues.push(this.#cpu.begin(windows)) : 0,
        },
      );
      for (const rescue of rescues) await rescue.cancel();
      return outputs.map((value) => ({ status: "fulfilled", value }));
    } catch (error) {
      if (!isNpuFault(error)) {
        for (const rescue of rescues) await rescue.cancel();
        throw error;
      }
      this.#device.giveUp(inWindows(error, windows), onWarning);
      const { results } = rescues[0] ?? this.#cpu.begin(windows);
      for (const _ of windows) this.#statistics.addFallback();
      return await Promise.allSettled(results);
    }
  }

  async #onNpu(
    session: NpuSession,
    windows: readonly WaitingWindow[],
    signal: AbortSignal,
    isSecond: boolean,
  ): Promise<Float32Array<ArrayBuffer>[]> {
    const { lanes } = await session.guard(this.#ready(session));
    const timeout = this.#patience(session, windows.length, isSecond);
    const work = lanes.use(windows.length, async (lane) => {
      try {
        return await lane.run(windows.map(({ input }) => input), { signal, timeout });
      } finally {
        // What came before a fault counts too: it says how long to wait the second time.
        if (lane.slowest > 0) this.#slowest = Math.max(this.#slowest ?? 0, lane.slowest / windows.length);
      }
    });
    return await session.guard(work); // another group's fault ends the waiting of this one too
  }

  /** How long to wait for a submission, ms. */
  #patience(session: NpuSession, windows: number, isSecond: boolean): number {
    if (!isSecond) return session.description.modelled ? MODEL_WAIT_MS : WAIT_MS;
    if (this.#slowest === null) return RETRY_WAIT_MS;
    const expected = Math.ceil(RETRY_PACE * windows * this.#slowest);
    return Math.min(WAIT_MS, Math.max(RETRY_WAIT_MS, expected));
  }

  /** Does something; after a fault of the NPU once more, on a fresh one. */
  async #twice<T>(
    work: (session: NpuSession, isSecond: boolean) => Promise<T>,
    { windows = [], onFault }: {
      readonly windows?: readonly WaitingWindow[];
      readonly onFault?: (fault: SottoError) => void;
    } = {},
  ): Promise<T> {
    const session = await this.#device.current();
    try {
      return await work(session, false);
    } catch (error) {
      if (!isNpuFault(error)) throw error;
      this.#device.drop(session, error);
      onFault?.(error);
      const result = await work(await this.#device.current(), true);
      this.#device.recovered(inWindows(error, windows), windows[0]?.options.onWarning);
      return result;
    }
  }

  #ready(session: NpuSession): Loaded["ready"] {
    if (this.#loaded?.session === session) return this.#loaded.ready;
    const loaded = { session, ready: this.#load(session) };
    this.#loaded = loaded;
    loaded.ready.catch(() => {
      if (this.#loaded === loaded) this.#loaded = null;
    });
    return loaded.ready;
  }

  async #load(session: NpuSession): Loaded["ready"] {
    const { host } = this.#device;
    const { programOf, weights, policy } = this.#parts;
    const resident = await ResidentPlan.load(session, programOf, weights, { host, policy });
    const services = { host, statistics: this.#statistics };
    return { resident, lanes: new LanePool((windows) => Lane.open(resident, windows, services)) };
  }

  /** Lets go of what is on an NPU that is given up, when what is under way there has ended. */
  release(session: NpuSession): void {
    if (this.#loaded?.session === session) this.#unload();
  }

  #unload(): void {
    const closing = this.#loaded?.ready.then(async ({ resident, lanes }) => {
      await lanes.close();
      resident[Symbol.dispose]();
    }, () => {});
    this.#loaded = null;
    if (closing === undefined) return;
    this.#closing.add(closing);
    closing.finally(() => this.#closing.delete(closing));
  }

  /** Frees the weights; refused with E_BUSY during a run. */
  [Symbol.dispose](): void {
    if (this.#isDisposed) return;
    if (this.#queue.isBusy) {
      throw new SottoError("E_BUSY", "Cannot dispose of the encoder plan: a call is running on it", {
        hint: "Await the call first, or use `await using`.",
      });
    }
    this.#isDisposed = true;
    this.#unload();
    this.#cpu[Symbol.dispose]();
    this.#device.forget(this);
  }

  /** Frees the weights after the runs that were asked for, and what still ends on an NPU that was given up. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#queue.idle();
    this[Symbol.dispose]();
    await Promise.all(this.#closing);
  }
}
