/**
 * Appends tokens to a few sequences over one window of audio and computes logits.
 *
 * Letters: S sequences, n new tokens of each, C state, H heads, D head width, V vocabulary, T audio positions.
 *
 * @module
 */

import { SottoError } from "../../errors.ts";
import type { DecoderDimensions } from "../../model/dimensions.ts";
import { checkAlignment } from "../check_alignment.ts";
import { requireFeatures } from "../decoder_features.ts";
import type { AlignmentOptions, DecoderSession, TextAlignment } from "../device.ts";
import { alignmentPath } from "./alignment_path.ts";
import { attend, softmax } from "./attention.ts";
import { dotProducts } from "./dot_products.ts";
import { gemm } from "./gemm.ts";
import { KvCache, rearrange } from "./kv_cache.ts";
import { normalize, project, projectTransposed } from "./linear.ts";
import { Pace } from "./pace.ts";
import type { DecoderBlock, DecoderWeights } from "./text_decoder.ts";
import { Turns } from "./turns.ts";

type F32 = Float32Array<ArrayBuffer>;

/** Cross-attention keys [T, C] and transposed values [C, T] of one block, the same for all sequences. */
interface CrossCache {
  readonly keys: F32;
  readonly valuesT: F32;
}

/** New tokens on their way through the blocks; row s·n + i is token i of sequence s. */
interface Pass {
  readonly sequences: number;
  /** New tokens of each sequence, n. */
  readonly count: number;
  /** Where they go in each sequence. */
  readonly position: number;
  /** The residual stream, [S·n, C]. */
  readonly x: F32;
  readonly pace: Pace;
  /** Where the scores of alignment heads are wanted. */
  readonly watched?: WatchedHeads;
}

/** Heads of the cross-attention whose scores are kept. */
interface WatchedHeads {
  readonly heads: readonly (readonly [layer: number, head: number])[];
  /** [heads, n, T]. */
  readonly scores: F32;
}

/** A session whose caches lie in JavaScript's memory. */
export class PortableSession implements DecoderSession {
  readonly #dims: DecoderDimensions;
  readonly #weights: DecoderWeights;
  /** [block][sequence]. */
  readonly #self: KvCache[][];
  /** By block; null before {@linkcode PortableSession.setFeatures}. */
  #cross: CrossCache[] | null = null;
  /** Tokens each sequence holds. */
  #filled: number[];
  readonly #turns = new Turns("the decoding session");

  /**
   * An empty session.
   *
   * @param hypotheses Sequences there is room for.
   */
  constructor(dims: DecoderDimensions, weights: DecoderWeights, hypotheses: number) {
    this.#dims = dims;
    this.#weights = weights;
    this.#self = weights.blocks.map(() =>
      Array.from({ length: hypotheses }, () => new KvCache(dims.n_text_ctx, dims.n_text_state))
    );
    this.#filled = new Array(hypotheses).fill(0);
  }

  /** Computes cross-attention keys and values; see `DecoderSession.setFeatures`. */
  setFeatures(features: F32, signal?: AbortSignal): Promise<void> {
    return this.#turns.now(async () => {
      requireFeatures(features, this.#dims);
      const { n_audio_ctx: T, n_text_state: C } = this.#dims;
      const pace = new Pace(signal);
      const cross: CrossCache[] = [];
      this.#cross = null;
      for (const block of this.#weights.blocks) {
        const { key, value } = block.cross;
        cross.push({
          keys: await project(features, key, { M: T, N: C, K: C }, pace),
          valuesT: await projectTransposed(features, value, { M: T, N: C, K: C }, pace),
        });
      }
      this.#cross = cross;
      this.#filled.fill(0);
    });
  }

  /** Appends tokens and computes logits; see `DecoderSession.step`. */
  step(
    tokens: Int32Array<ArrayBuffer>,
    sequences: number,
    position: number,
    rows?: readonly number[],
    signal?: AbortSignal,
  ): Promise<F32> {
    return this.#turns.now(async () => {
      const { n_text_state: C } = this.#dims;
      const count = this.#checkStep(tokens, sequences, position, rows);
      const pass: Pass = {
        sequences,
        count,
        position,
        x: this.#embed(tokens, count, position),
        pace: new Pace(signal),
      };
      await this.#run(pass);

      const wanted = rows ?? [count - 1];
      const last = new Float32Array(sequences * wanted.length * C);
      for (let s = 0; s < sequences; s++) {
        wanted.forEach((row, i) => {
          const from = (s * count + row) * C;
          last.set(pass.x.subarray(from, from + C), (s * wanted.length + i) * C);
        });
      }
      const logits = await this.#logits(last, sequences * wanted.length, pass.pace);
      this.#hold(pass, position + count);
      return logits;
    });
  }

  /** Puts a text through the decoder and watches some heads; see `DecoderSession.align`. */
  align(
    tokens: Int32Array<ArrayBuffer>,
    heads: readonly (readonly [layer: number, head: number])[],
    options: AlignmentOptions,
  ): Promise<TextAlignment> {
    return this.#turns.now(async () => {
      checkAlignment(this.#dims, { tokens, heads, options });
      const { vocabulary, signal } = options;
      const count = this.#checkStep(tokens, 1, 0, undefined);
      const { n_audio_ctx: T, n_vocab: V } = this.#dims;
      const { scores = new Float32Array(heads.length * count * T) } = options;
      const x = this.#embed(tokens, count, 0);
      const pass = {
        sequences: 1,
        count,
        position: 0,
        x,
        pace: new Pace(signal),
        watched: { heads, scores },
      };
      await this.#run(pass);
      const logits = await this.#logits(x, count, pass.pace);
      this.#hold(pass, count);
      const probabilities = new Float32Array(count);
      for (let i = 1; i < count; i++) {
        if (tokens[i] >= vocabulary) continue;
        softmax(logits, (i - 1) * V, vocabulary, 1);
        probabilities[i] = logits[(i - 1) * V + tokens[i]];
      }
      const watched = { data: scores, heads: heads.length, tokens: count, positions: T };
      return { entries: alignmentPath(watched, options), probabilities };
    });
  }

  /** Rearranges the sequences; see `DecoderSession.reorder`. */
  reorder(sources: readonly number[]): Promise<void> {
    // deno-lint-ignore require-await -- refusals are to reject, not to throw
    return this.#turns.now(async () => {
      const room = this.#filled.length;
      if (sources.length > room || sources.some((s) => !Number.isInteger(s) || s < 0 || s >= room)) {
        throw new SottoError(
          "E_OPTION",
          `Cannot reorder: need up to ${room} sequences of 0…${room - 1}, got [${sources}]`,
        );
      }
      // Sequences that are not named stay what they were.
      const full = Array.from({ length: room }, (_, i) => sources[i] ?? i);
      for (const [layer, caches] of this.#self.entries()) {
        this.#self[layer] = rearrange(caches, full, this.#filled);
      }
      this.#filled = full.map((source) => this.#filled[source]);
    });
  }

  /** Ends the session. */
  [Symbol.dispose](): void {
    this.#turns.dispose();
    this.#self.length = 0;
    this.#cross = null;
  }

  /** Refuses arguments that do not fit; answers the number of new tokens of each sequence. */
  #checkStep(
    tokens: Int32Array,
    sequences: number,
    position: number,
    rows: readonly number[] | undefined,
  ): number {
    const { n_vocab: V, n_text_ctx } = this.#dims;
    const refuse = (rule: string): never => {
      throw new SottoError("E_OPTION", `Cannot decode a step: ${rule}`);
    };
    if (this.#cross === null) refuse("need features first (setFeatures)");
    const room = this.#filled.length;
    if (!Number.isInteger(sequences) || sequences < 1 || sequences > room) {
      refuse(`need 1…${room} sequences, got ${sequences}`);
    }
    const count = tokens.length / sequences;
    if (!Number.isInteger(count) || count < 1) {
      refuse(`need as many tokens for each of ${sequences} sequences, got ${tokens.length}`);
    }
    const held = Math.min(...this.#filled.slice(0, sequences));
    if (!Number.isInteger(position) || position < 0 || position > held) {
      refuse(`need a position in 0…${held}, got ${position}`);
    }
    if (position + count > n_text_ctx) {
      refuse(`the context is full: need at most ${n_text_ctx} tokens, got ${position + count}`);
    }
    const stranger = tokens.find((token) => token < 0 || token >= V);
    if (stranger !== undefined) refuse(`need tokens in 0…${V - 1}, got ${stranger}`);
    const badRow = rows?.find((row) => !Number.isInteger(row) || row < 0 || row >= count);
    if (badRow !== undefined) refuse(`need rows in 0…${count - 1}, got ${badRow}`);
    return count;
  }

  /** Notes how many tokens the sequences of a pass hold. */
  #hold({ sequences }: Pick<Pass, "sequences">, tokens: number): void {
    this.#filled.fill(tokens, 0, sequences);
  }

  /** Takes new tokens through all blocks. What they overwrite is lost, even if the pass is stopped on its way. */
  async #run(pass: Pass): Promise<void> {
    this.#hold(pass, pass.position);
    for (const [layer, block] of this.#weights.blocks.entries()) {
      await this.#selfAttention(pass, block, this.#self[layer]);
      await this.#crossAttention(pass, block, layer);
      await this.#mlp(pass, block);
    }
  }

  /** Logits [M, V] of rows [M, C] that went through all blocks. */
  async #logits(rows: F32, M: number, pace: Pace): Promise<F32> {
    const { n_text_state: C, n_vocab: V } = this.#dims;
    const normed = normalize(rows, this.#weights.norm, { rows: M, columns: C });
    return await project(
      normed,
      { weight: this.#weights.tokenEmbedding, bias: null },
      { M, N: V, K: C },
      pace,
    );
  }

  /** Token embedding plus positional embedding, [S·n, C]. */
  #embed(tokens: Int32Array, count: number, position: number): F32 {
    const C = this.#dims.n_text_state;
    const { tokenEmbedding, positionalEmbedding } = this.#weights;
    const x = new Float32Array(tokens.length * C);
    for (let row = 0; row < tokens.length; row++) {
      const at = (position + row % count) * C;
      for (let c = 0; c < C; c++) {
        x[row * C + c] = tokenEmbedding[tokens[row] * C + c] + positionalEmbedding[at + c];
      }
    }
    return x;
  }

  /** x += out(attention over the sequence so far): each token sees itself and those before it. */
  async #selfAttention(pass: Pass, { self }: DecoderBlock, caches: readonly KvCache[]): Promise<void> {
    const { n_text_state: C, n_text_head: H, n_text_ctx } = this.#dims;
    const { sequences, count, position, x, pace } = pass;
    const M = sequences * count;
    const D = C / H;
    const shape = { M, N: C, K: C };
    const normed = normalize(x, self.norm, { rows: M, columns: C });
    const q = await project(normed, self.query, shape, pace);
    const k = await project(normed, self.key, shape, pace);
    const v = await project(normed, self.value, shape, pace);
    const attended = new Float32Array(M * C);
    for (let row = 0; row < M; row++) {
      const cache = caches[Math.floor(row / count)];
      const at = position + row % count;
      cache.store(at, k, v, row * C);
      for (let h = 0; h < H; h++) {
        await attend(
          {
            q: { data: q, start: row * C + h * D, stride: C },
            k: { data: cache.keys, start: h * D, stride: C },
            vT: { data: cache.valuesT, start: h * D * n_text_ctx, stride: n_text_ctx },
            out: { data: attended, start: row * C + h * D, stride: C },
            T: at + 1,
            D,
          },
          1,
          pace,
        );
      }
    }
    await project(attended, self.out, shape, pace, x);
  }

  /** x += out(attention over the audio). */
  async #crossAttention(pass: Pass, { cross }: DecoderBlock, layer: number): Promise<void> {
    const { n_text_state: C, n_text_head: H, n_audio_ctx: T } = this.#dims;
    const { x, pace } = pass;
    const M = pass.sequences * pass.count;
    const D = C / H;
    const shape = { M, N: C, K: C };
    const cache = this.#cross![layer];
    const q = await project(normalize(x, cross.norm, { rows: M, columns: C }), cross.query, shape, pace);
    for (const [i, [watchedLayer, h]] of pass.watched?.heads.entries() ?? []) {
      if (watchedLayer !== layer) continue;
      const out = pass.watched!.scores.subarray(i * M * T, (i + 1) * M * T);
      const queries = { data: q, start: h * D, stride: C };
      dotProducts(
        queries,
        { data: cache.keys, start: h * D, stride: C },
        { data: out, start: 0, stride: T },
        {
          M,
          N: T,
          K: D,
        },
      );
      for (let j = 0; j < out.length; j++) out[j] /= Math.sqrt(D);
    }
    const attended = new Float32Array(M * C);
    for (let h = 0; h < H; h++) {
      await attend(
        {
          q: { data: q, start: h * D, stride: C },
          k: { data: cache.keys, start: h * D, stride: C },
          vT: { data: cache.valuesT, start: h * D * T, stride: T },
          out: { data: attended, start: h * D, stride: C },
          T,
          D,
        },
        M,
        pace,
      );
    }
    await project(attended, cross.out, shape, pace, x);
  }

  /** x += mlp2(gelu(mlp0(norm(x)))). */
  async #mlp({ sequences, count, x, pace }: Pass, { mlpNorm, mlp0, mlp2 }: DecoderBlock): Promise<void> {
    const C = this.#dims.n_text_state;
    const M = sequences * count;
    const normed = normalize(x, mlpNorm, { rows: M, columns: C });
    const hidden = new Float32Array(M * 4 * C);
    await gemm({
      input: { data: normed, start: 0, stride: C },
      ...mlp0,
      out: { data: hidden, start: 0, stride: 4 * C },
      residual: null,
      activation: "gelu",
      M,
      N: 4 * C,
      K: C,
    }, pace);
    await project(hidden, mlp2, { M, N: C, K: 4 * C }, pace, x);
  }
}
