/**
 * The constants that times on an NPU are predicted with.
 *
 * A device answers with its own (`clock` of its description): the modelled NPU with the model's, in nanoseconds and bytes
 * per nanosecond. A real NPU answers none; then the model's for its generation serve, and what is predicted stays
 * _modelled_. `native/npu_model/README.md` says which published figures the model's were fitted on.
 *
 * @module
 */

import { SottoError } from "../../errors.ts";
import type { TileProgram, TileType } from "./design.ts";
import type { Generation } from "./transaction.ts";

/** What operations a rate is for. */
export type ClockType = "i8" | "i16" | "bf16" | "bfp16" | "vector";

/** Constants of an NPU. */
export interface NpuClock {
  /** Whether they were measured on this machine, or are a model's. */
  readonly source: "measured" | "modelled";
  /** From submitting a launch to its first instruction and from its last to the host's return, ns. */
  readonly launch: number;
  /** The same for the launches of a runlist after its first, ns. */
  readonly listedLaunch: number;
  /** A launch of another overlay than the one before, ns. */
  readonly contextSwitch: number;
  /** One operation of a stream, ns. */
  readonly instruction: number;
  /** One DMA channel of a shim tile, bytes/ns. */
  readonly channel: number;
  /** All channels together, bytes/ns. */
  readonly memory: number;
  /** A round of the array beyond its arithmetic, ns. */
  readonly round: number;
  /** Multiplications and additions of one compute tile, operations/ns. */
  readonly rate: Readonly<Record<ClockType, number>>;
}

/** The model's constants, as `native/npu_model/clock.c` has them. */
export const MODELLED_CLOCKS: Readonly<Record<Generation, NpuClock>> = {
  npu1: {
    source: "modelled",
    launch: 90e3,
    listedLaunch: 26e3,
    contextSwitch: 2650e3,
    instruction: 60,
    channel: 4,
    memory: 30,
    round: 2e3,
    rate: { i8: 133, i16: 50, bf16: 100, bfp16: 100, vector: 16 },
  },
  npu2: {
    source: "modelled",
    launch: 90e3,
    listedLaunch: 26e3,
    contextSwitch: 2650e3,
    instruction: 60,
    channel: 4,
    memory: 60,
    round: 2e3,
    rate: { i8: 350, i16: 88, bf16: 52, bfp16: 350, vector: 16 },
  },
};

function constant(value: unknown, name: string): number {
  if (typeof value === "number" && Number.isFinite(value) && value >= 0) return value;
  throw new SottoError(
    "E_NATIVE",
    `Cannot use the NPU's clock because ${name} must be a number: got ${value}`,
  );
}

/**
 * Reads the `clock` of a device's description.
 *
 * @param clock Parsed JSON; null where the device has none.
 * @throws {SottoError} E_NATIVE if a constant is missing or no number.
 */
export function clockOf(clock: unknown, generation: Generation): NpuClock {
  if (clock === null || clock === undefined) return MODELLED_CLOCKS[generation];
  const read = clock as Record<string, unknown>;
  const rates = (read.rate ?? {}) as Record<string, unknown>;
  const rate = (type: ClockType) => constant(rates[type], `rate.${type}`);
  return {
    source: "modelled",
    launch: constant(read.launch, "launch"),
    listedLaunch: constant(read.listedLaunch, "listedLaunch"),
    contextSwitch: constant(read.contextSwitch, "contextSwitch"),
    instruction: constant(read.instruction, "instruction"),
    channel: constant(read.channel, "channel"),
    memory: constant(read.memory, "memory"),
    round: constant(read.round, "round"),
    rate: {
      i8: rate("i8"),
      i16: rate("i16"),
      bf16: rate("bf16"),
      bfp16: rate("bfp16"),
      vector: rate("vector"),
    },
  };
}

/** Which rate a program runs at. */
export function clockTypeOf(program: TileProgram): ClockType {
  if (program.kind !== "matmul" && program.kind !== "attention") return "vector";
  const types: Partial<Record<TileType, ClockType>> = { i8: "i8", i16: "i16", bfp16: "bfp16" };
  return types[program.input] ?? "bf16";
}

/** The constants for launches that are submitted together in a runlist. */
export function inRunlist(clock: NpuClock): NpuClock {
  return { ...clock, launch: clock.listedLaunch };
}
