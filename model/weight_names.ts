/**
 * Which tensors a Whisper has, under openai-whisper's names, and the names other formats give them.
 *
 * @module
 */

import type { DecoderDimensions, EncoderDimensions } from "./dimensions.ts";

/** A tensor a model must have. */
export interface NamedShape {
  readonly name: string;
  readonly shape: readonly number[];
}

const linear = (name: string, n: number, k: number, bias = true): NamedShape[] => [
  { name: `${name}.weight`, shape: [n, k] },
  ...(bias ? [{ name: `${name}.bias`, shape: [n] }] : []),
];

const layerNorm = (name: string, c: number): NamedShape[] => [
  { name: `${name}.weight`, shape: [c] },
  { name: `${name}.bias`, shape: [c] },
];

/** Query, key (which has no bias), value and output projection of one attention. */
const attention = (name: string, c: number): NamedShape[] => [
  ...linear(`${name}.query`, c, c),
  ...linear(`${name}.key`, c, c, false),
  ...linear(`${name}.value`, c, c),
  ...linear(`${name}.out`, c, c),
];

const mlp = (name: string, c: number): NamedShape[] => [
  ...layerNorm(`${name}.mlp_ln`, c),
  ...linear(`${name}.mlp.0`, 4 * c, c),
  ...linear(`${name}.mlp.2`, c, 4 * c),
];

/** The encoder's tensors, in the order of their use. */
export function encoderTensors(dims: EncoderDimensions): NamedShape[] {
  const c = dims.n_audio_state;
  const blocks = Array.from({ length: dims.n_audio_layer }, (_, layer) => {
    const block = `encoder.blocks.${layer}`;
    return [...layerNorm(`${block}.attn_ln`, c), ...attention(`${block}.attn`, c), ...mlp(block, c)];
  });
  return [
    { name: "encoder.conv1.weight", shape: [c, dims.n_mels, 3] },
    { name: "encoder.conv1.bias", shape: [c] },
    { name: "encoder.conv2.weight", shape: [c, c, 3] },
    { name: "encoder.conv2.bias", shape: [c] },
    { name: "encoder.positional_embedding", shape: [dims.n_audio_ctx, c] },
    ...blocks.flat(),
    ...layerNorm("encoder.ln_post", c),
  ];
}

/**
 * The text decoder's tensors, in the order in which a device's decoder takes them: token and positional
 * embedding; for each block 24 tensors (self-attention norm, q, k, v, out; cross-attention norm, q, k, v,
 * out; MLP norm, fc1, fc2; the keys have no bias); the final norm. The token embedding is also the output
 * projection.
 */
export function decoderTensors(dims: DecoderDimensions): NamedShape[] {
  const c = dims.n_text_state;
  const blocks = Array.from({ length: dims.n_text_layer }, (_, layer) => {
    const block = `decoder.blocks.${layer}`;
    return [
      ...layerNorm(`${block}.attn_ln`, c),
      ...attention(`${block}.attn`, c),
      ...layerNorm(`${block}.cross_attn_ln`, c),
      ...attention(`${block}.cross_attn`, c),
      ...mlp(block, c),
    ];
  });
  return [
    { name: "decoder.token_embedding.weight", shape: [dims.n_vocab, c] },
    { name: "decoder.positional_embedding", shape: [dims.n_text_ctx, c] },
    ...blocks.flat(),
    ...layerNorm("decoder.ln", c),
  ];
}
