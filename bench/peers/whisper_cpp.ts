/**
 * whisper.cpp as a peer: its benchmark program on a model of Whisper base's size, once for each round.
 *
 * @module
 */

import { join } from "node:path";
import { SottoError } from "../../errors.ts";
import type { Checkpoint } from "../../model/checkpoint.ts";
import { writeGgml } from "../../tests/convert/ggml_writer.ts";
import type { Row } from "../report.ts";
import { timingOf } from "../timing.ts";
import type { EncoderPeer } from "./peer.ts";
import { outputAndPeak } from "./peak_memory.ts";

/** Text tokens of the multilingual vocabulary; whisper.cpp makes up the special ones itself. */
const TEXT_TOKENS = 50_257;

/** A run also decodes some hundred tokens, so a few rounds have to do. */
const MOST_ROUNDS = 4;

/** Number formats of weights that are measured, and whether attention is fused (`-fa`, its default). */
const KINDS = [
  { dtype: "F16", arithmetic: "f16", fused: true },
  { dtype: "F16", arithmetic: "f16", fused: false },
  { dtype: "Q8_0", arithmetic: "int8", fused: true },
] as const;

/** Its program for benchmarks, in a folder of its binaries. */
const PROGRAM = "whisper-bench";

/** What one run of the program printed. */
export interface WhisperBenchTimes {
  /** Seconds of one encoder run, keys and values of the decoder's cross-attention included. */
  readonly encode: number;
  /** Seconds of one token alone. */
  readonly decode: number;
  /** Seconds of one token of a batch of five. */
  readonly batched: number;
}

/** Reads the timings that `whisper-bench` prints. */
export function parseWhisperBench(text: string): WhisperBenchTimes {
  const perRun = (stage: string): number => {
    const found = new RegExp(`${stage} time = .*\\(\\s*([\\d.]+) ms per run\\)`).exec(text)?.[1];
    if (found === undefined) {
      throw new SottoError("E_OPTION", `Cannot read what ${PROGRAM} printed: it has no "${stage} time"`, {
        hint: text.trim().split("\n").at(-1),
      });
    }
    return Number(found) / 1000;
  };
  return { encode: perRun("encode"), decode: perRun("decode"), batched: perRun("batchd") };
}

/** whisper.cpp's programs on one model, in some number formats. */
export class WhisperCpp {
  readonly peers: readonly EncoderPeer[];
  /** The model in F16, which other programs can open. */
  readonly model: string;
  readonly #kinds: readonly WhisperCppKind[];

  private constructor(kinds: readonly WhisperCppKind[]) {
    this.#kinds = kinds;
    this.model = kinds[0].model;
    this.peers = kinds.map((kind) => ({
      name: kind.name,
      arithmetic: kind.arithmetic,
      note: "and cross keys",
      mostRounds: MOST_ROUNDS,
      warmsUp: true, // it encodes once before it measures
      time: async () => (await kind.run()).encode,
      features: () => Promise.resolve(null),
    }));
  }

  /**
   * Writes the models.
   *
   * @param folder Of whisper.cpp's binaries.
   * @param work Folder for the models.
   * @throws {SottoError} E_OPTION if the folder has no such program.
   */
  static async prepare(
    folder: string,
    { checkpoint, threads, work }: { checkpoint: Checkpoint; threads: number; work: string },
  ): Promise<WhisperCpp> {
    const program = join(folder, PROGRAM);
    try {
      await Deno.stat(program);
    } catch (cause) {
      throw new SottoError("E_OPTION", `Cannot run whisper.cpp: there is no ${program}`, {
        hint: "Give --whisper-cpp the folder of its built programs (build/bin).",
        cause,
      });
    }
    const tokens = Array.from({ length: TEXT_TOKENS }, (_, id) => new TextEncoder().encode(` ${id}`));
    const files = new Map<string, string>();
    for (const dtype of new Set(KINDS.map(({ dtype }) => dtype))) {
      const path = join(work, `base_${dtype}.bin`);
      await Deno.writeFile(path, await writeGgml(checkpoint, { dtype, tokens }));
      files.set(dtype, path);
    }
    return new WhisperCpp(
      KINDS.map(({ dtype, arithmetic, fused }) =>
        new WhisperCppKind(program, files.get(dtype)!, {
          name: `whisper.cpp ${dtype.toLowerCase()}${fused ? "" : " -nfa"}`,
          arithmetic,
          args: ["-t", `${threads}`, fused ? "-fa" : "-nfa"],
        })
      ),
    );
  }

  /** What else its runs showed: time of a token, memory. Empty before it ran. */
  rows(): Row[] {
    return this.#kinds.filter(({ times }) => times.length > 0).map(({ name, times, peak }) => {
      const batched = timingOf(times.map((run) => run.batched)).min;
      return {
        what: `${name}, a token`,
        time: timingOf(times.map((run) => run.decode)),
        note: `${(1000 * batched).toFixed(2)} ms in fives${peak === null ? "" : `, ${megabytes(peak)} MB`}`,
      };
    });
  }

  /** Bytes that its leanest kind held at most; null where none can say. */
  get leastPeak(): number | null {
    const peaks = this.#kinds.filter(({ arithmetic }) => arithmetic === "f16").flatMap(({ peak }) =>
      peak ?? []
    );
    return peaks.length > 0 ? Math.min(...peaks) : null;
  }
}

class WhisperCppKind {
  readonly name: string;
  readonly arithmetic: "f16" | "int8";
  readonly model: string;
  readonly times: WhisperBenchTimes[] = [];
  peak: number | null = null;
  readonly #program: string;
  readonly #args: readonly string[];

  constructor(
    program: string,
    model: string,
    kind: { readonly name: string; readonly arithmetic: "f16" | "int8"; readonly args: readonly string[] },
  ) {
    this.#program = program;
    this.model = model;
    this.name = kind.name;
    this.arithmetic = kind.arithmetic;
    this.#args = kind.args;
  }

  async run(): Promise<WhisperBenchTimes> {
    const child = new Deno.Command(this.#program, {
      args: ["-m", this.model, ...this.#args],
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const { output, peak } = await outputAndPeak(child);
    const text = new TextDecoder().decode(output.stdout) + new TextDecoder().decode(output.stderr);
    const times = parseWhisperBench(text);
    this.times.push(times);
    this.peak = Math.max(this.peak ?? 0, peak ?? 0) || null;
    return times;
  }
}

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(0);
