/**
 * The NPU device: products and attention of the encoder on the NPU, everything else on the CPU device beside it.
 *
 * A fault of the NPU (refused, failed, hung, lost) costs at most one more try: the NPU is opened afresh and the window is
 * done again. If that fails too, the CPU device does the window and all that follow, with one warning (W_NPU_LOST); or,
 * where the NPU was asked for by name, the fault is the error.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { SottoError, type WarningSink } from "../../errors.ts";
import { namedVariable } from "../../ffi/named_variable.ts";
import { mayRead } from "../../ffi/permission.ts";
import { isNpuFault } from "../../ffi/xrt_error.ts";
import { XrtLibrary } from "../../ffi/xrt_library.ts";
import type { DecoderDimensions } from "../../model/dimensions.ts";
import type { WeightStore } from "../../model/weights.ts";
import { CpuDevice, type CpuDeviceOptions } from "../cpu/device.ts";
import type {
  DecoderOptions,
  Device,
  LoadedDecoder,
  LoadedPlan,
  LoadPlanOptions,
  MelFilters,
  RunOptions,
} from "../device.ts";
import { openPortableDevice } from "../portable/device.ts";
import type { Plan } from "../step.ts";
import { clockOf } from "./clock.ts";
import type { HostRates } from "./cost_model.ts";
import { type Dispatch, dispatchPlan, measureHost } from "./dispatch.ts";
import { hostOf, type NpuHost } from "./host.ts";
import { Lane } from "./lane.ts";
import { LanePool } from "./lane_pool.ts";
import { type NpuPolicy, type NpuPrecision, policyFor, policyNamed } from "./policy.ts";
import { type NpuProgram, programFor } from "./program.ts";
import { ResidentPlan } from "./resident_plan.ts";
import type { DevicePolicy } from "./select.ts";
import { NpuSession } from "./session.ts";
import { NpuStatistics, type NpuUsage, type OperationTotals } from "./statistics.ts";

/** The variable that says how the emulated NPU behaves; `native/npu_model/README.md` defines it. */
export const MODEL_VARIABLE = "SOTTO_NPU_MODEL";

/** Which of the two NPU devices. */
export type NpuDeviceName = "npu" | "npu-emulated";

/** How an NPU device is opened. */
export interface NpuDeviceOptions extends CpuDeviceOptions {
  /** Path or `file:` URL of libsotto_xrt or libsotto_npu_emulated; default as `ffi/library_path.ts` says. */
  readonly npuLibrary?: string | URL;
  /** How the emulated NPU behaves, such as `device=strix`; default `SOTTO_NPU_MODEL`, where it may be read. */
  readonly npuModel?: string;
  /** Path or `file:` URL of a compiled overlay (xclbin); a real NPU needs one. */
  readonly npuOverlay?: string | URL;
  /** What products are computed in; default as the encoder's precision says: `auto` is `bfp16` on XDNA2, else `bf16`. */
  readonly npuPrecision?: NpuPrecision;
  /** Where products go: all to the NPU (default), or each where it is predicted to be faster. */
  readonly npuDispatch?: DevicePolicy;
  /** What a fault that stays leads to; default `fail` for `npu`, `cpu` for `npu-emulated`. */
  readonly onNpuFault?: "cpu" | "fail";
  /** Told, once, if the NPU fails and the CPU goes on. */
  readonly onWarning?: WarningSink;
}

/** Beyond the driver's watchdog of 2 s, which ends a command itself. */
const WAIT_MS = 2500;
/** The second try must not cost as much again: a whole fault may take 3 s. A healthy NPU takes milliseconds. */
const RETRY_WAIT_MS = 500;
/** Windows that are worked on at a time: one waits for the NPU while the host prepares another. */
const LANES = 2;

/** An NPU, real or emulated. */
export class NpuDevice implements Device {
  readonly name: NpuDeviceName;
  readonly description: string;
  /** What products are computed in, unless the encoder asks otherwise. */
  readonly policy: NpuPolicy;
  readonly #library: XrtLibrary;
  readonly #xclbin: Uint8Array<ArrayBuffer> | null;
  readonly #host: NpuHost;
  readonly #options: NpuDeviceOptions;
  readonly #statistics: NpuStatistics;
  readonly #plans = new Set<NpuLoadedPlan>();
  #rates: HostRates | undefined;
  #session: NpuSession | null;
  #opening: Promise<NpuSession> | null = null;
  #fault: SottoError | null = null;
  #isWarned = false;
  #isRetryTold = false;
  #isDisposed = false;

  private constructor(
    name: NpuDeviceName,
    parts: {
      library: XrtLibrary;
      xclbin: Uint8Array<ArrayBuffer> | null;
      host: NpuHost;
      session: NpuSession;
    },
    options: NpuDeviceOptions,
  ) {
    this.name = name;
    this.#library = parts.library;
    this.#xclbin = parts.xclbin;
    this.#host = parts.host;
    this.#session = parts.session;
    this.#options = options;
    const { description, design } = parts.session;
    const { npuPrecision } = options;
    this.policy = npuPrecision === undefined ? policyFor("auto", design) : policyNamed(npuPrecision, design);
    this.#statistics = new NpuStatistics(description.modelled);
    const kind = description.modelled ? " (modelled)" : "";
    this.description = `${description.name}${kind} beside ${parts.host.device.description}`;
  }

  /**
   * Opens the library, the NPU and the CPU device beside it.
   *
   * @throws {SottoError} E_NPU_ABSENT, E_NPU_PERMISSION, E_NPU_MEMLOCK if there is no usable NPU; E_NATIVE,
   * E_PERMISSION if the library cannot be used; E_OPTION, E_DEVICE for options that do not fit.
   */
  static async open(name: NpuDeviceName, options: NpuDeviceOptions = {}): Promise<NpuDevice> {
    const library = await openLibrary(name, options.npuLibrary);
    if (name === "npu-emulated") library.configure(options.npuModel ?? namedVariable(MODEL_VARIABLE) ?? "");
    const { npuOverlay } = options;
    const xclbin = npuOverlay === undefined ? null : await readOverlay(npuOverlay);
    using opened = new DisposableStack();
    const session = opened.use(await NpuSession.open(library, xclbin));
    const device = opened.use(openHost(options));
    const made = new NpuDevice(name, { library, xclbin, host: hostOf(device), session }, options);
    opened.move();
    return made;
  }

  /** The CPU device beside it, and what it does for the NPU. */
  get host(): NpuHost {
    return this.#host;
  }

  /** What it is and which overlay it has. */
  get session(): NpuSession | null {
    return this.#session;
  }

  /** What the NPU was used for since it was opened. */
  usage(): NpuUsage {
    return this.#statistics.usage(this.#session?.counts());
  }

  /** The same by operation, in the order in which they ran first. */
  profile(): OperationTotals[] {
    return this.#statistics.profile();
  }

  logMelPower(
    samples: Float32Array<ArrayBuffer>,
    frames: number,
    filters: MelFilters,
  ): Promise<Float32Array<ArrayBuffer>> {
    return this.#host.device.logMelPower(samples, frames, filters);
  }

  loadDecoder(
    dims: DecoderDimensions,
    weights: WeightStore,
    options?: DecoderOptions,
  ): Promise<LoadedDecoder> {
    return this.#host.device.loadDecoder(dims, weights, options);
  }

  async loadPlan(plan: Plan, weights: WeightStore, options: LoadPlanOptions = {}): Promise<NpuLoadedPlan> {
    const { design } = await this.current();
    const { npuPrecision } = this.#options;
    const policy = npuPrecision === undefined ? policyFor(options.precision ?? "auto", design) : this.policy;
    const isHybrid = this.#options.npuDispatch === "hybrid";
    const onCpu = isHybrid ? (await this.dispatch(plan, policy)).onCpu : undefined;
    const program = programFor(plan, { design, policy, onCpu });
    const loaded = new NpuLoadedPlan(this, { program, policy, weights }, this.#statistics);
    await loaded.prepare();
    this.#plans.add(loaded);
    return loaded;
  }

  /** Where the steps of a plan go, and why. */
  async dispatch(plan: Plan, policy: NpuPolicy = this.policy): Promise<Dispatch> {
    const { design, description } = await this.current();
    const where = this.#options.npuDispatch ?? "npu";
    const rates = this.#rates ??= await measureHost(this.#host);
    const clock = clockOf(description.clock, description.generation);
    return dispatchPlan(plan, { design, policy, clock, rates, where });
  }

  /**
   * The NPU, opened anew after a fault.
   *
   * @throws {SottoError} The fault that it was given up for.
   */
  async current(): Promise<NpuSession> {
    if (this.#isDisposed) {
      throw new SottoError("E_BUSY", "Cannot use the NPU device: it was disposed of");
    }
    if (this.#fault) throw this.#fault;
    if (this.#session) return this.#session;
    this.#opening ??= NpuSession.open(this.#library, this.#xclbin).finally(() => this.#opening = null);
    return this.#session = await this.#opening;
  }

  /** Gives up an NPU that failed, so that the next call opens another; nothing if that has happened. */
  drop(session: NpuSession): void {
    if (this.#session !== session) return;
    this.#statistics.keep(session.counts());
    this.#session = null;
    for (const plan of this.#plans) plan.release(session);
    session[Symbol.dispose]();
  }

  /** Says that the NPU failed and was opened anew; once. */
  recovered(fault: SottoError, onWarning: WarningSink | undefined): void {
    this.#statistics.addRetry();
    if (this.#isRetryTold) return;
    this.#isRetryTold = true;
    const message = `The NPU failed and was opened anew; the window was done again: ${fault.message}`;
    (onWarning ?? this.#options.onWarning)?.({ code: "W_NPU_RETRIED", message });
  }

  /** What a fault that stayed leads to: throws it, or warns, and the CPU device goes on. */
  giveUp(fault: SottoError, onWarning: WarningSink | undefined): void {
    const { onNpuFault = this.name === "npu" ? "fail" : "cpu" } = this.#options;
    if (onNpuFault === "fail") throw fault;
    this.#fault ??= fault;
    if (this.#session) this.drop(this.#session);
    if (this.#isWarned) return;
    this.#isWarned = true;
    const message = `The NPU failed twice, the CPU does the rest: ${fault.message}`;
    (onWarning ?? this.#options.onWarning)?.({ code: "W_NPU_LOST", message });
  }

  /** Called by a plan that is disposed of. */
  forget(plan: NpuLoadedPlan): void {
    this.#plans.delete(plan);
  }

  /** Frees the NPU and the CPU device. Throws E_BUSY while a plan runs. */
  [Symbol.dispose](): void {
    if (this.#isDisposed) return;
    if ([...this.#plans].some((plan) => plan.isRunning)) {
      throw new SottoError("E_BUSY", "Cannot dispose of the NPU device: an encoder plan is running on it", {
        hint: "Await the call first, and dispose of the encoder before its device.",
      });
    }
    this.#host.device[Symbol.dispose]();
    this.#isDisposed = true;
    this.#session?.[Symbol.dispose]();
    this.#session = null;
  }
}

/**
 * Opens the library of a device. Where there is no NPU at all, that is the reason, not that its library is missing.
 */
async function openLibrary(name: NpuDeviceName, given: string | URL | undefined): Promise<XrtLibrary> {
  if (name === "npu-emulated") return XrtLibrary.open("sotto_npu_emulated", given);
  try {
    return XrtLibrary.open("sotto_xrt", given);
  } catch (error) {
    if (!(error instanceof SottoError) || error.code !== "E_NATIVE" || given !== undefined) throw error;
    const found = await hasAccelerator();
    if (found === true || (found === null && !/no such file/i.test(error.message))) throw error;
    const why = found === false
      ? "there is no /dev/accel/accel*"
      : `libxrt or libsotto_xrt is missing: ${error.message}`;
    throw new SottoError("E_NPU_ABSENT", `Cannot use the NPU: ${why}`, {
      hint: "Install the amdxdna driver and XRT 2.19 or newer, or use --device cpu.",
      cause: error,
    });
  }
}

/** Where Linux shows accelerators: accel0 …. */
const ACCELERATORS = "/dev/accel";

/** Whether the kernel shows an accelerator; null where that may not be asked (Deno wants all permissions for /dev). */
async function hasAccelerator(): Promise<boolean | null> {
  if (!mayRead(ACCELERATORS)) return null;
  try {
    for await (const entry of Deno.readDir(ACCELERATORS)) if (entry.name.startsWith("accel")) return true;
    return false;
  } catch (error) {
    return error instanceof Deno.errors.NotFound ? false : null;
  }
}

/**
 * Reads a compiled overlay.
 *
 * @throws {SottoError} E_INPUT if there is no such file.
 */
async function readOverlay(given: string | URL): Promise<Uint8Array<ArrayBuffer>> {
  const path = given instanceof URL || given.startsWith("file:") ? fileURLToPath(given) : given;
  try {
    return await Deno.readFile(path);
  } catch (error) {
    throw new SottoError("E_INPUT", `Cannot read the overlay ${path}: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

/** The native CPU device; the portable one where there is no library, and none was given. */
function openHost(options: NpuDeviceOptions): Device {
  try {
    return CpuDevice.open(options);
  } catch (error) {
    const isMissing = error instanceof SottoError && ["E_NATIVE", "E_PERMISSION"].includes(error.code);
    if (!isMissing || options.library !== undefined) throw error;
    const message = `Converting for the NPU in TypeScript, which is many times slower: ${error.message}`;
    options.onWarning?.({ code: "W_DEVICE", message });
    return openPortableDevice();
  }
}

/** A plan with its weights on the NPU. Two windows run at a time; more queue. */
export class NpuLoadedPlan implements LoadedPlan, AsyncDisposable {
  /** How it is carried out. */
  readonly program: NpuProgram;
  /** What its products are computed in. */
  readonly policy: NpuPolicy;
  readonly #device: NpuDevice;
  readonly #weights: WeightStore;
  readonly #statistics: NpuStatistics;
  readonly #running = new Set<Promise<unknown>>();
  #lanes: LanePool<Lane> | null = null;
  #loading: Promise<LanePool<Lane>> | null = null;
  #resident: ResidentPlan | null = null;
  #cpu: Promise<LoadedPlan> | null = null;
  #isDisposed = false;

  /** @param device That it runs on. */
  constructor(
    device: NpuDevice,
    parts: { readonly program: NpuProgram; readonly policy: NpuPolicy; readonly weights: WeightStore },
    statistics: NpuStatistics,
  ) {
    this.#device = device;
    this.program = parts.program;
    this.policy = parts.policy;
    this.#weights = parts.weights;
    this.#statistics = statistics;
  }

  /** What the products are computed in. */
  get arithmetic(): string {
    return `${this.policy.name} (NPU)`;
  }

  /** Whether a window is being done. */
  get isRunning(): boolean {
    return this.#running.size > 0;
  }

  /** Puts weights and streams on the NPU; a fault is answered as during a run. */
  async prepare(): Promise<void> {
    try {
      await this.#twice(() => this.#ready(), undefined);
    } catch (error) {
      if (!isNpuFault(error)) throw error;
      this.#device.giveUp(error, undefined);
    }
  }

  async run(
    input: Float32Array<ArrayBuffer>,
    options: RunOptions = {},
  ): Promise<Float32Array<ArrayBuffer>> {
    const { buffers, input: id } = this.program.plan;
    const { name, rows, columns } = buffers[id];
    if (input.length !== rows * columns) {
      throw new SottoError(
        "E_OPTION",
        `Cannot run the plan: ${name} must be [${rows}, ${columns}], got ${input.length} values`,
      );
    }
    if (this.#isDisposed) throw new SottoError("E_BUSY", "Cannot use the encoder plan: it was disposed of");
    const running = this.#run(input, options);
    this.#running.add(running);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
    }
  }

  async #run(input: Float32Array<ArrayBuffer>, options: RunOptions): Promise<Float32Array<ArrayBuffer>> {
    try {
      return await this.#twice(async (isSecond) => {
        const lanes = await this.#ready();
        const timeout = isSecond ? RETRY_WAIT_MS : WAIT_MS;
        return await lanes.use((lane) => lane.run(input, { signal: options.signal, timeout }));
      }, options.onWarning);
    } catch (error) {
      if (!isNpuFault(error)) throw error;
      this.#device.giveUp(error, options.onWarning);
      this.#statistics.addFallback();
      this.#cpu ??= this.#device.host.device.loadPlan(this.program.plan, this.#weights);
      return await (await this.#cpu).run(input, options);
    }
  }

  /** Does something; after a fault of the NPU once more, on a fresh one. */
  async #twice<T>(work: (isSecond: boolean) => Promise<T>, onWarning: WarningSink | undefined): Promise<T> {
    const session = await this.#device.current();
    try {
      return await work(false);
    } catch (error) {
      if (!isNpuFault(error)) throw error;
      this.#device.drop(session);
      const result = await work(true);
      this.#device.recovered(error, onWarning);
      return result;
    }
  }

  async #ready(): Promise<LanePool<Lane>> {
    const session = await this.#device.current();
    if (this.#lanes && this.#resident?.session === session) return this.#lanes;
    this.#loading ??= this.#load(session).finally(() => this.#loading = null);
    return await this.#loading;
  }

  async #load(session: NpuSession): Promise<LanePool<Lane>> {
    const { host } = this.#device;
    const services = { host, statistics: this.#statistics };
    const loading = { host, policy: this.policy };
    const resident = await ResidentPlan.load(session, this.program, this.#weights, loading);
    this.#resident = resident;
    return this.#lanes = new LanePool(LANES, () => Lane.open(resident, services));
  }

  /** Lets go of what is on an NPU that is given up; windows that run on it end in its fault. */
  release(session: NpuSession): void {
    if (this.#resident?.session !== session) return;
    const [lanes, resident] = [this.#lanes, this.#resident];
    [this.#lanes, this.#resident] = [null, null];
    lanes?.close().then(() => resident[Symbol.dispose]());
  }

  /** Frees the weights; refused with E_BUSY during a run. */
  [Symbol.dispose](): void {
    if (this.#isDisposed) return;
    if (this.#running.size > 0) {
      throw new SottoError("E_BUSY", "Cannot dispose of the encoder plan: a call is running on it", {
        hint: "Await the call first, or use `await using`.",
      });
    }
    this.#isDisposed = true;
    this.#lanes?.[Symbol.dispose]();
    this.#resident?.[Symbol.dispose]();
    this.#cpu?.then((plan) => plan[Symbol.dispose]());
    this.#device.forget(this);
  }

  /** Frees the weights after the runs that were asked for. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled(this.#running);
    this[Symbol.dispose]();
  }
}
