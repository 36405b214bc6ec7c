/**
 * The text decoder's weights, and one pass of new tokens through its blocks (openai-whisper,
 * `whisper/model.py`, `TextDecoder`).
 *
 * @module
 */

import { SottoError } from "../../errors.ts";
import type { DecoderDimensions } from "../../model/dimensions.ts";
import { decoderTensors } from "../../model/weight_names.ts";
import type { WeightStore } from "../../model/weights.ts";
import type { DecoderSession, LoadedDecoder, SessionStep } from "../device.ts";
import { PortableSession } from "./decoder_session.ts";
import { Turns } from "./turns.ts";
import { loadWeight } from "./weights.ts";

type F32 = Float32Array<ArrayBuffer>;

/** A linear layer: weight [N, K], bias [N] or none. */
export interface Linear {
  readonly weight: F32;
  readonly bias: F32 | null;
}

/** A layer norm's weight and bias, [C] each. */
export interface Norm {
  readonly weight: F32;
  readonly bias: F32;
}

/** One attention with the norm before it; all products are [C, C]. */
export interface AttentionWeights {
  readonly norm: Norm;
  readonly query: Linear;
  readonly key: Linear;
  readonly value: Linear;
  readonly out: Linear;
}

/** One block of the decoder. */
export interface DecoderBlock {
  readonly self: AttentionWeights;
  readonly cross: AttentionWeights;
  readonly mlpNorm: Norm;
  /** [4C, C]. */
  readonly mlp0: Linear;
  /** [C, 4C]. */
  readonly mlp2: Linear;
}

/** All weights of the text decoder. */
export interface DecoderWeights {
  /** [V, C]; also the output projection. */
  readonly tokenEmbedding: F32;
  /** [n_text_ctx, C]. */
  readonly positionalEmbedding: F32;
  readonly blocks: readonly DecoderBlock[];
  readonly norm: Norm;
}

/** Reads the decoder's weights and gives them their places. */
async function loadDecoderWeights(dims: DecoderDimensions, store: WeightStore): Promise<DecoderWeights> {
  const byName = new Map<string, F32>();
  for (const tensor of decoderTensors(dims)) byName.set(tensor.name, await loadWeight(store, tensor));
  const norm = (name: string): Norm => ({
    weight: byName.get(`${name}.weight`)!,
    bias: byName.get(`${name}.bias`)!,
  });
  const linear = (name: string): Linear => ({
    weight: byName.get(`${name}.weight`)!,
    bias: byName.get(`${name}.bias`) ?? null,
  });
  const attention = (name: string): AttentionWeights => ({
    norm: norm(`${name}_ln`),
    query: linear(`${name}.query`),
    key: linear(`${name}.key`),
    value: linear(`${name}.value`),
    out: linear(`${name}.out`),
  });
  return {
    tokenEmbedding: byName.get("decoder.token_embedding.weight")!,
    positionalEmbedding: byName.get("decoder.positional_embedding")!,
    blocks: Array.from({ length: dims.n_text_layer }, (_, layer) => {
      const block = `decoder.blocks.${layer}`;
      return {
        self: attention(`${block}.attn`),
        cross: attention(`${block}.cross_attn`),
        mlpNorm: norm(`${block}.mlp_ln`),
        mlp0: linear(`${block}.mlp.0`),
        mlp2: linear(`${block}.mlp.2`),
      };
    }),
    norm: norm("decoder.ln"),
  };
}

/** A text decoder whose weights lie in JavaScript's memory. */
export class PortableDecoder implements LoadedDecoder {
  readonly arithmetic = "f32 values, f64 sums";
  readonly dims: DecoderDimensions;
  #weights: DecoderWeights | null;
  readonly #turns = new Turns("the text decoder");

  private constructor(dims: DecoderDimensions, weights: DecoderWeights) {
    this.dims = dims;
    this.#weights = weights;
  }

  /** Reads and checks the weights; see `Device.loadDecoder`. */
  static async load(dims: DecoderDimensions, store: WeightStore): Promise<PortableDecoder> {
    return new PortableDecoder(dims, await loadDecoderWeights(dims, store));
  }

  /**
   * Opens a session; see `LoadedDecoder.open`. It keeps the weights as long as it lives.
   *
   * @throws {SottoError} E_OPTION if `hypotheses` is not an integer of 1 or more; E_BUSY after disposal.
   */
  open(hypotheses: number): DecoderSession {
    this.#turns.refuseDisposed();
    if (!Number.isInteger(hypotheses) || hypotheses < 1) {
      throw new SottoError("E_OPTION", `Cannot open a session: need 1 hypothesis or more, got ${hypotheses}`);
    }
    return new PortableSession(this.dims, this.#weights!, hypotheses);
  }

  /** See {@linkcode LoadedDecoder.stepTogether}: one session after the other, as there is nothing to share. */
  async stepTogether(steps: readonly SessionStep[], signal?: AbortSignal): Promise<F32[]> {
    const logits: F32[] = [];
    for (const { session, tokens, sequences, position, rows } of steps) {
      logits.push(await session.step(tokens, sequences, position, rows, signal));
    }
    return logits;
  }

  /** Lets the weights go. */
  [Symbol.dispose](): void {
    this.#turns.dispose();
    this.#weights = null;
  }
}
