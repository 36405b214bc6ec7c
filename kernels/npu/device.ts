/**
 * The NPU device: products and attention of the encoder on the NPU, everything else on the CPU device beside it.
 *
 * A fault of the NPU (refused, failed, hung, lost) costs at most one more try: the NPU is opened afresh and the window is
 * done again. If that fails too, the CPU device does the window and all that follow, with one warning (W_NPU_LOST); or,
 * where the NPU was asked for by name, the fault is the error.
 *
 * @module
 */

import { SottoError, type WarningSink } from "../../errors.ts";
import { namedVariable } from "../../ffi/named_variable.ts";
import type { XrtLibrary } from "../../ffi/xrt_library.ts";
import type { DecoderDimensions } from "../../model/dimensions.ts";
import type { WeightStore } from "../../model/weights.ts";
import type { DecoderOptions, Device, LoadedDecoder, LoadPlanOptions, MelFilters } from "../device.ts";
import type { Plan } from "../step.ts";
import { clockOf } from "./clock.ts";
import type { HostRates } from "./cost_model.ts";
import { type Dispatch, dispatchPlan, measureHost } from "./dispatch.ts";
import { hostOf, type NpuHost } from "./host.ts";
import { NpuLoadedPlan } from "./loaded_plan.ts";
import { openHost, openLibrary, readOverlay } from "./opening.ts";
import { MODEL_VARIABLE, type NpuDeviceName, type NpuDeviceOptions } from "./options.ts";
import { type NpuPolicy, policyFor, policyNamed } from "./policy.ts";
import { programFor } from "./program_builder.ts";
import { NpuSession } from "./session.ts";
import { NpuStatistics, type NpuUsage, type OperationTotals } from "./statistics.ts";

export { MODEL_VARIABLE, type NpuDeviceName, type NpuDeviceOptions } from "./options.ts";

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
    const programOf = (windows: number) => programFor(plan, { design, policy, onCpu, windows });
    const overlaps = this.#options.npuOverlap ?? true;
    const loaded = new NpuLoadedPlan(this, { plan, programOf, policy, weights, overlaps }, this.#statistics);
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

  /** Whether a fault that stays leads to the CPU device. */
  get endsOnCpu(): boolean {
    return (this.#options.onNpuFault ?? (this.name === "npu" ? "fail" : "cpu")) === "cpu";
  }

  /** Gives up an NPU that failed, so that the next call opens another; nothing if that has happened. */
  drop(session: NpuSession, fault: SottoError): void {
    if (this.#session !== session) return;
    session.fail(fault);
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
    if (!this.endsOnCpu) throw fault;
    this.#fault ??= fault;
    if (this.#session) this.drop(this.#session, fault);
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
