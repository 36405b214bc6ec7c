/**
 * Hugging Face's tensor names in openai-whisper's words.
 *
 * @module
 */

/** Attention and MLP parts of a block. */
const BLOCK_PARTS: Readonly<Record<string, string>> = {
  "self_attn_layer_norm": "attn_ln",
  "encoder_attn_layer_norm": "cross_attn_ln",
  "final_layer_norm": "mlp_ln",
  "self_attn": "attn",
  "encoder_attn": "cross_attn",
  "fc1": "mlp.0",
  "fc2": "mlp.2",
};

const PROJECTIONS: Readonly<Record<string, string>> = {
  "q_proj": "query",
  "k_proj": "key",
  "v_proj": "value",
  "out_proj": "out",
};

/** What is not in a block. */
const STEMS: Readonly<Record<string, string>> = {
  "encoder.conv1": "encoder.conv1",
  "encoder.conv2": "encoder.conv2",
  "encoder.layer_norm": "encoder.ln_post",
  "decoder.layer_norm": "decoder.ln",
};

/** Names without a `.weight` or `.bias` of their own on the other side. */
const WHOLE_NAMES: Readonly<Record<string, string>> = {
  "encoder.embed_positions.weight": "encoder.positional_embedding",
  "decoder.embed_positions.weight": "decoder.positional_embedding",
  "decoder.embed_tokens.weight": "decoder.token_embedding.weight",
};

/**
 * openai-whisper's name for `model.encoder.layers.0.self_attn.q_proj.weight` and the like, with or without the
 * leading `model.`; null for a name that is not Whisper's.
 */
export function fromHuggingFaceName(name: string): string | null {
  const own = name.replace(/^model\./, "");
  if (Object.hasOwn(WHOLE_NAMES, own)) return WHOLE_NAMES[own];
  const [, stem, kind] = /^(.+)\.(weight|bias)$/.exec(own) ?? [];
  if (stem === undefined) return null;
  if (Object.hasOwn(STEMS, stem)) return `${STEMS[stem]}.${kind}`;
  const block = /^(encoder|decoder)\.layers\.(0|[1-9]\d{0,3})\.(\w+)(?:\.(\w+))?$/.exec(stem);
  if (!block || !Object.hasOwn(BLOCK_PARTS, block[3])) return null;
  const [, side, layer, part, projection] = block;
  const isAttention = part === "self_attn" || part === "encoder_attn";
  if (isAttention !== (projection !== undefined)) return null;
  if (projection === undefined) return `${side}.blocks.${layer}.${BLOCK_PARTS[part]}.${kind}`;
  if (!Object.hasOwn(PROJECTIONS, projection)) return null;
  return `${side}.blocks.${layer}.${BLOCK_PARTS[part]}.${PROJECTIONS[projection]}.${kind}`;
}
