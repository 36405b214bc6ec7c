/**
 * The cross-attention heads of openai-whisper's models that follow the audio in time, from which word times are taken
 * (the same facts as `_ALIGNMENT_HEADS` in `whisper/__init__.py`, decompressed).
 *
 * @module
 */

import type { Checkpoint } from "./checkpoint.ts";
import type { DecoderDimensions } from "./dimensions.ts";
import type { LayerAndHead } from "./generation_config.ts";

/** Heads of each layer by model; the layers count from 0. */
const HEADS_BY_LAYER: Readonly<Record<string, Readonly<Record<number, readonly number[]>>>> = {
  "tiny.en": { 1: [0], 2: [0, 5], 3: [0, 1, 2, 3, 4] },
  "tiny": { 2: [2], 3: [0, 2, 3, 4, 5] },
  "base.en": { 3: [3], 4: [7], 5: [1, 5, 7] },
  "base": { 3: [1], 4: [2, 3, 7], 5: [1, 2, 4, 6] },
  "small.en": { 6: [6], 7: [0, 3, 8], 8: [2, 5, 7], 9: [0, 4, 8, 10], 10: [0, 1, 2, 3, 6, 11], 11: [2, 4] },
  "small": { 5: [3, 9], 8: [0, 4, 7, 8], 9: [0, 7, 9], 10: [5] },
  "medium.en": {
    11: [4],
    14: [1, 12, 14],
    15: [4],
    16: [0, 4, 9],
    17: [12, 14],
    18: [7, 10, 15],
    20: [0, 3, 9, 14],
    21: [12],
  },
  "medium": { 13: [15], 15: [4, 15], 16: [1], 20: [0], 23: [4] },
  "large-v1": { 9: [19], 11: [2, 4, 17], 22: [7, 11, 17], 23: [2, 15] },
  "large-v2": {
    10: [12],
    13: [17],
    16: [11, 12, 13],
    17: [15, 16],
    18: [4, 11, 19],
    19: [11],
    21: [2, 3],
    22: [3, 9, 12],
    23: [5, 7, 13],
    25: [5],
    26: [1, 12],
    27: [15],
  },
  "large-v3": {
    7: [0],
    10: [17],
    12: [18],
    13: [12],
    16: [1],
    17: [14],
    19: [11],
    21: [4],
    24: [1],
    25: [6],
  },
  "large-v3-turbo": { 2: [4, 11], 3: [3, 6, 11, 14] },
};

const ALIASES: Readonly<Record<string, string>> = { "large": "large-v3", "turbo": "large-v3-turbo" };

/** The alignment heads of an official model by its name, or null for another one. */
export function officialAlignmentHeads(name: string): LayerAndHead[] | null {
  const own = Object.hasOwn(ALIASES, name) ? ALIASES[name] : name;
  if (!Object.hasOwn(HEADS_BY_LAYER, own)) return null;
  return Object.entries(HEADS_BY_LAYER[own])
    .flatMap(([layer, heads]) => heads.map((head): LayerAndHead => [Number(layer), head]));
}

/** Layers and heads of each size, and n_vocab of each kind, by which a checkpoint without a name is known. */
const SIZES: Readonly<Record<string, readonly [layers: number, heads: number]>> = {
  "tiny": [4, 6],
  "base": [6, 8],
  "small": [12, 12],
  "medium": [24, 16],
  "large": [32, 20],
  "turbo": [4, 20],
};
const ENGLISH_ONLY_SIZE = 51_864;
const MULTILINGUAL_SIZE = 51_865;
const LARGE_V3_SIZE = 51_866;

/**
 * The heads that follow the audio in time: those that the checkpoint names, or those of the official model of its size.
 * Of two official models of one size, the one that the file is named after. Of other models all heads of the upper half
 * of the layers, as in openai-whisper.
 *
 * @returns In order, each once; none only if the checkpoint names none.
 */
export function alignmentHeadsOf(
  { name, generation }: Pick<Checkpoint, "name" | "generation">,
  dims: DecoderDimensions,
): readonly LayerAndHead[] {
  const named = generation?.alignment_heads;
  if (named?.length) return inOrder(named);
  const candidates = modelsOfSize(dims);
  const model = candidates.length > 1
    ? candidates.find((candidate) => name.includes(candidate))
    : candidates[0];
  const official = model === undefined ? null : officialAlignmentHeads(model);
  return official ?? upperHalf(dims);
}

function modelsOfSize({ n_text_layer, n_text_head, n_vocab }: DecoderDimensions): readonly string[] {
  const found = Object.entries(SIZES).find(([, [layers, heads]]) =>
    layers === n_text_layer && heads === n_text_head
  );
  if (found === undefined) return [];
  const [size] = found;
  if (size === "turbo") return n_vocab === LARGE_V3_SIZE ? ["turbo"] : [];
  if (size === "large") {
    return n_vocab === LARGE_V3_SIZE
      ? ["large-v3"]
      : n_vocab === MULTILINGUAL_SIZE
      ? ["large-v1", "large-v2"]
      : [];
  }
  return n_vocab === ENGLISH_ONLY_SIZE ? [`${size}.en`] : n_vocab === MULTILINGUAL_SIZE ? [size] : [];
}

function upperHalf({ n_text_layer, n_text_head }: DecoderDimensions): LayerAndHead[] {
  const first = Math.floor(n_text_layer / 2);
  return Array.from(
    { length: (n_text_layer - first) * n_text_head },
    (_, i): LayerAndHead => [first + Math.floor(i / n_text_head), i % n_text_head],
  );
}

function inOrder(heads: readonly LayerAndHead[]): LayerAndHead[] {
  const unique = new Map(heads.map((head) => [head.join(), head]));
  return [...unique.values()].sort(([a, b], [c, d]) => a - c || b - d);
}
