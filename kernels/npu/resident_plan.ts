/**
 * A plan's weights on the NPU, and the instruction streams of its programs: one for each number of windows at a time.
 *
 * @module
 */

import type { XrtBuffer } from "../../ffi/xrt_objects.ts";
import type { WeightStore } from "../../model/weights.ts";
import type { LoadedPlan } from "../device.ts";
import { loadWeight } from "../portable/weights.ts";
import type { Plan, Step, WeightId } from "../step.ts";
import type { OpenOverlay } from "./contexts.ts";
import type { MatmulProgram } from "./design.ts";
import type { NpuHost } from "./host.ts";
import { packMatrix, placeOf } from "./pack_weights.ts";
import type { NpuPolicy } from "./policy.ts";
import type { NpuProgram, RowsOperation } from "./program.ts";
import type { NpuSession } from "./session.ts";
import { encodeTransaction } from "./transaction.ts";

/** Makes the program that does so many windows at a time. */
export type ProgramOf = (windows: number) => NpuProgram;

/** What programs need beside their buffers; valid as long as the session is. */
export class ResidentPlan implements Disposable {
  /** The session it is on. */
  readonly session: NpuSession;
  /** The overlay's context and kernel. */
  readonly overlay: OpenOverlay;
  /** Weights by {@linkcode NpuProgram.matrices}. */
  readonly matrices: readonly XrtBuffer[];
  /** Scales of their columns, null where they are no integers. */
  readonly columnScales: readonly (Float32Array<ArrayBuffer> | null)[];
  readonly #programOf: ProgramOf;
  readonly #programs = new Map<number, Promise<NpuProgram>>();
  readonly #streams = new Map<string, XrtBuffer>();
  readonly #vectors: ReadonlyMap<WeightId, Float32Array<ArrayBuffer>>;
  readonly #biases = new WeakMap<RowsOperation, Float32Array<ArrayBuffer>>();
  readonly #steps: ReadonlyMap<Step, LoadedPlan>;
  readonly #owned: DisposableStack;

  private constructor(
    parts: {
      session: NpuSession;
      programOf: ProgramOf;
      overlay: OpenOverlay;
      matrices: readonly XrtBuffer[];
      columnScales: readonly (Float32Array<ArrayBuffer> | null)[];
      vectors: ReadonlyMap<WeightId, Float32Array<ArrayBuffer>>;
      steps: ReadonlyMap<Step, LoadedPlan>;
    },
    owned: DisposableStack,
  ) {
    this.session = parts.session;
    this.#programOf = parts.programOf;
    this.overlay = parts.overlay;
    this.matrices = parts.matrices;
    this.columnScales = parts.columnScales;
    this.#vectors = parts.vectors;
    this.#steps = parts.steps;
    this.#owned = owned;
  }

  /**
   * Puts a plan's weights on the NPU.
   *
   * @throws {SottoError} E_MODEL_MISMATCH, E_MODEL_VALUES of the weights; faults of the NPU.
   */
  static async load(
    session: NpuSession,
    programOf: ProgramOf,
    weights: WeightStore,
    { host, policy }: { readonly host: NpuHost; readonly policy: NpuPolicy },
  ): Promise<ResidentPlan> {
    using owned = new DisposableStack();
    const program = programOf(1);
    const read = (id: WeightId) => loadWeight(weights, program.plan.weights[id]);
    const overlay = owned.use(await session.contexts.acquire(session.design));
    const { kernel } = overlay;
    const matrices: XrtBuffer[] = [];
    const columnScales: (Float32Array<ArrayBuffer> | null)[] = [];
    for (const matrix of program.matrices) {
      const parts = await Promise.all(matrix.weights.map(async (id) => ({
        values: await read(id),
        n: program.plan.weights[id].shape[0],
      })));
      const tile = session.design.programs.find((it): it is MatmulProgram =>
        it.kind === "matmul" && it.input === matrix.operand
      )!;
      const packed = await packMatrix(matrix, parts, {
        formats: host.formats,
        program: tile,
        scaling: policy.scaling,
      });
      const buffer = owned.use(await kernel.buffer(1, packed.bytes.byteLength));
      await buffer.write(packed.bytes);
      matrices.push(buffer);
      columnScales.push(packed.columnScales);
    }
    const steps = new Map<Step, LoadedPlan>();
    const vectors = new Map<WeightId, Float32Array<ArrayBuffer>>();
    for (const operation of program.operations) {
      if (operation.op === "cpu") {
        const { step } = operation;
        if (step.op === "transpose") continue;
        steps.set(step, owned.use(await host.device.loadPlan(planOfStep(program.plan, step), weights)));
      } else if (operation.op === "rows") {
        for (const id of vectorsOf(operation)) if (!vectors.has(id)) vectors.set(id, await read(id));
      }
    }
    const parts = { session, programOf, overlay, matrices, columnScales, vectors, steps };
    return new ResidentPlan(parts, owned.move());
  }

  /** The program that does so many windows at a time, its streams on the NPU. */
  program(windows: number): Promise<NpuProgram> {
    let made = this.#programs.get(windows);
    if (made === undefined) {
      made = this.#putStreams(this.#programOf(windows));
      made.catch(() => this.#programs.delete(windows));
      this.#programs.set(windows, made);
    }
    return made;
  }

  async #putStreams(program: NpuProgram): Promise<NpuProgram> {
    for (const operation of program.operations) {
      if (operation.op !== "launch" || this.#streams.has(operation.streamKey)) continue;
      const words = encodeTransaction(operation.stream());
      this.#streams.set(operation.streamKey, this.#owned.use(await this.overlay.kernel.instructions(words)));
    }
    return program;
  }

  /** The instruction buffer of a stream. */
  stream(key: string): XrtBuffer {
    return this.#streams.get(key)!;
  }

  /** A weight that is a vector, or the addend of a pass, F32. */
  vector(id: WeightId): Float32Array<ArrayBuffer> {
    return this.#vectors.get(id)!;
  }

  /** The plan of a step that the CPU device runs. */
  step(step: Step): LoadedPlan {
    return this.#steps.get(step)!;
  }

  /** The bias of a pass's columns, those of all parts side by side. */
  bias(pass: RowsOperation): Float32Array<ArrayBuffer> | undefined {
    if (pass.bias === null) return undefined;
    let bias = this.#biases.get(pass);
    if (bias) return bias;
    bias = new Float32Array(pass.columns);
    let start = 0;
    for (const { weight, columns } of pass.bias) {
      const values = weight === null ? null : this.vector(weight);
      for (let i = 0; values && i < columns; i++) bias[placeOf(start + i, pass.heads)] = values[i];
      start += columns;
    }
    this.#biases.set(pass, bias);
    return bias;
  }

  /** Frees what it holds; the session stays. */
  [Symbol.dispose](): void {
    this.#owned[Symbol.dispose]();
  }
}

function vectorsOf({ bias, addend, norm }: RowsOperation): WeightId[] {
  const biases = (bias ?? []).flatMap(({ weight }) => weight === null ? [] : [weight]);
  const added = addend && "weight" in addend ? [addend.weight] : [];
  return [...biases, ...added, ...(norm ? [norm.weight, norm.bias] : [])];
}

/** The plan of one step alone: its input buffer in, its output buffer out; a residual is added by the caller. */
function planOfStep(plan: Plan, step: Step): Plan {
  const alone = step.op === "gemm" ? { ...step, residual: null } : step;
  return { ...plan, steps: [alone], input: step.input, output: step.output };
}
