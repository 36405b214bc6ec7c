/**
 * What an NPU was used for: launches, bytes, time of each operation of each layer. Times of a modelled NPU are modelled;
 * seconds are the host's.
 *
 * @module
 */

/** What an operation is. */
export type OperationKind =
  /** On the NPU. */
  | "launch"
  /** A pass over rows on the host, conversions among it. */
  | "rows"
  /** A step that the CPU device ran. */
  | "cpu";

/** One execution of an operation. */
export interface OperationSample {
  /** Layer of the encoder, −1 before the first. */
  readonly layer: number;
  /** Such as `attention`. */
  readonly name: string;
  /** What it is. */
  readonly kind: OperationKind;
  /** Wall time of the host, waiting included. */
  readonly seconds: number;
  /** Modelled time of the NPU, ns; 0 of a real one. */
  readonly modelled: number;
  /** Into the array, or out of host memory into buffers. */
  readonly bytesIn: number;
  /** Out of the array, or out of buffers. */
  readonly bytesOut: number;
  /** Multiplications and additions that the plan needs. */
  readonly operations: number;
}

/** Sums over executions of one operation. */
export interface OperationTotals extends OperationSample {
  /** How often. */
  readonly count: number;
}

/** What an NPU was used for, in all; plain data. */
export interface NpuUsage {
  /** Whether the NPU is a model: `modelledSeconds` then says what a real one is predicted to take. */
  readonly modelled: boolean;
  /** Commands carried out. */
  readonly launches: number;
  /** Bytes that the NPU read from host memory. */
  readonly bytesIn: number;
  /** Bytes that it wrote. */
  readonly bytesOut: number;
  /** Passes over rows on the host that convert between number formats. */
  readonly conversions: number;
  /** Contexts that were made. */
  readonly contexts: number;
  /** Commands of another context than the one before. */
  readonly contextSwitches: number;
  /** Faults after which the NPU was opened anew and went on. */
  readonly retries: number;
  /** Windows that the CPU had to finish. */
  readonly fallbacks: number;
  /** Host seconds spent waiting for launches. */
  readonly waitSeconds: number;
  /** Host seconds of everything else. */
  readonly hostSeconds: number;
  /** Modelled seconds of all launches; 0 of a real NPU. */
  readonly modelledSeconds: number;
}

/** Counts that come from the device. */
export interface DeviceCounts {
  /** Commands. */
  readonly launches: number;
  /** Contexts made. */
  readonly contexts: number;
  /** Changes of context. */
  readonly contextSwitches: number;
}

const NOTHING: DeviceCounts = { launches: 0, contexts: 0, contextSwitches: 0 };

/** Collects samples. */
export class NpuStatistics {
  readonly #modelled: boolean;
  readonly #totals = new Map<string, OperationTotals>();
  #fallbacks = 0;
  #retries = 0;
  /** Of devices that were given up. */
  #past: DeviceCounts = NOTHING;

  /** @param modelled Whether the NPU is a model. */
  constructor(modelled: boolean) {
    this.#modelled = modelled;
  }

  /** Counts an execution. */
  add(sample: OperationSample): void {
    const key = `${sample.layer} ${sample.kind} ${sample.name}`;
    const sum = this.#totals.get(key);
    this.#totals.set(key, {
      ...sample,
      count: (sum?.count ?? 0) + 1,
      seconds: (sum?.seconds ?? 0) + sample.seconds,
      modelled: (sum?.modelled ?? 0) + sample.modelled,
      bytesIn: (sum?.bytesIn ?? 0) + sample.bytesIn,
      bytesOut: (sum?.bytesOut ?? 0) + sample.bytesOut,
      operations: (sum?.operations ?? 0) + sample.operations,
    });
  }

  /** Counts a fault that a fresh NPU did not have. */
  addRetry(): void {
    this.#retries++;
  }

  /** Counts a window that the CPU finished. */
  addFallback(): void {
    this.#fallbacks++;
  }

  /** Keeps the counts of a device that is given up. */
  keep(counts: DeviceCounts): void {
    this.#past = sumOf(this.#past, counts);
  }

  /** Operations in the order in which they ran first. */
  profile(): OperationTotals[] {
    return [...this.#totals.values()];
  }

  /** Everything, with the counts of the device in use. */
  usage(now: DeviceCounts = NOTHING): NpuUsage {
    const all = this.profile();
    const launches = all.filter(({ kind }) => kind === "launch");
    const host = all.filter(({ kind }) => kind !== "launch");
    const sum = (totals: readonly OperationTotals[], of: (it: OperationTotals) => number) =>
      totals.reduce((sum, it) => sum + of(it), 0);
    return {
      modelled: this.#modelled,
      ...sumOf(this.#past, now),
      bytesIn: sum(launches, (it) => it.bytesIn),
      bytesOut: sum(launches, (it) => it.bytesOut),
      conversions: sum(all.filter(({ kind }) => kind === "rows"), (it) => it.count),
      retries: this.#retries,
      fallbacks: this.#fallbacks,
      waitSeconds: sum(launches, (it) => it.seconds),
      hostSeconds: sum(host, (it) => it.seconds),
      modelledSeconds: sum(launches, (it) => it.modelled) / 1e9,
    };
  }
}

function sumOf(a: DeviceCounts, b: DeviceCounts): DeviceCounts {
  return {
    launches: a.launches + b.launches,
    contexts: a.contexts + b.contexts,
    contextSwitches: a.contextSwitches + b.contextSwitches,
  };
}

/** What operations were done between two moments. */
export function profileSince(
  before: readonly OperationTotals[],
  now: readonly OperationTotals[],
): OperationTotals[] {
  const keyOf = ({ layer, kind, name }: OperationTotals) => `${layer} ${kind} ${name}`;
  const earlier = new Map(before.map((it) => [keyOf(it), it]));
  return now.flatMap((it) => {
    const past = earlier.get(keyOf(it));
    if (past === undefined) return [it];
    return it.count === past.count ? [] : [{
      ...it,
      count: it.count - past.count,
      seconds: it.seconds - past.seconds,
      modelled: it.modelled - past.modelled,
      bytesIn: it.bytesIn - past.bytesIn,
      bytesOut: it.bytesOut - past.bytesOut,
      operations: it.operations - past.operations,
    }];
  });
}

/** What was used between two moments. */
export function usageSince(before: NpuUsage, now: NpuUsage): NpuUsage {
  const entries = Object.entries(now).map(([key, value]) => [
    key,
    typeof value === "number" ? value - (before[key as keyof NpuUsage] as number) : value,
  ]);
  return Object.fromEntries(entries) as NpuUsage;
}
