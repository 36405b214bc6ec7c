/**
 * The encoder as frozen steps: two convolutions, the blocks, the final layer norm (openai-whisper,
 * `whisper/model.py`, `AudioEncoder`).
 *
 * @module
 */

import type { Arithmetic, BufferId, BufferSpec, Plan, Step, WeightId } from "../kernels/step.ts";
import type { EncoderDimensions } from "../model/dimensions.ts";
import { encoderTensors } from "../model/weight_names.ts";
import { migratedNames, type MigratedProduct, type Migration } from "./migration.ts";
import { builtInPolicy, type PerProduct } from "./policy.ts";

/**
 * Plans the encoder for windows of `2 · n_audio_ctx` log-mel frames.
 *
 * Input F32 [n_mels, 2·n_audio_ctx]; output F32 [n_audio_ctx, n_audio_state].
 *
 * @param arithmetic What each product is computed in; default F32.
 * @param migrations Scales that products in INT8 have in their weights; then the plan names weights that
 * {@linkcode withMigrations} adds. Those of other products are left out: nothing is gained there.
 */
export function planEncoder(
  dims: EncoderDimensions,
  arithmetic: PerProduct<Arithmetic> = builtInPolicy("f32", dims.n_audio_layer) as PerProduct<"f32">,
  migrations: readonly Migration[] = [],
): Plan {
  const { n_mels, n_audio_ctx: T, n_audio_state: C, n_audio_head: heads, n_audio_layer } = dims;
  const migrated = migrations.filter(({ block, product }) => arithmetic.blocks[block]?.[product] === "i8");
  const weights = [
    ...encoderTensors(dims),
    ...migrated.flatMap(({ block, product }) =>
      Object.values(migratedNames(block, product)).map((name) => ({ name, shape: [C] }))
    ),
  ];
  const idOf = new Map(weights.map(({ name }, id) => [name, id]));
  const weight = (name: string): WeightId => idOf.get(name)!;

  const buffers: BufferSpec[] = [];
  const buffer = (name: string, rows: number, columns: number): BufferId =>
    buffers.push({ name, rows, columns }) - 1;

  const logMel = buffer("log-mel", n_mels, 2 * T);
  const melFrames = buffer("log-mel by frames", 2 * T, n_mels);
  const conv1 = buffer("conv1", 2 * T, C);
  const x = buffer("residual stream", T, C);
  const normed = buffer("normed", T, C);
  const qkv = buffer("query, key, value", T, 3 * C);
  const attended = buffer("attended", T, C);
  const hidden = buffer("mlp hidden", T, 4 * C);
  const output = buffer("features", T, C);

  const layerNorm = (
    input: BufferId,
    output: BufferId,
    name: string,
    names = { weight: `${name}.weight`, bias: `${name}.bias` },
  ): Step => ({
    op: "layernorm",
    input,
    output,
    weight: weight(names.weight),
    bias: weight(names.bias),
    rows: T,
    columns: C,
  });
  const gemm = (
    input: BufferId,
    output: BufferId,
    names: readonly string[],
    shape: { readonly N: number; readonly K: number },
    arithmetic: Arithmetic,
    behind: {
      readonly activation?: "gelu";
      readonly residual?: BufferId;
      readonly columnScales?: string;
    } = {},
  ): Step => ({
    op: "gemm",
    input,
    output,
    parts: names.map((name) => ({
      weight: weight(`${name}.weight`),
      bias: idOf.get(`${name}.bias`) ?? null,
      N: shape.N / names.length,
    })),
    M: T,
    K: shape.K,
    N: shape.N,
    activation: behind.activation ?? "none",
    residual: behind.residual ?? null,
    arithmetic,
    ...(behind.columnScales === undefined ? {} : { columnScales: weight(behind.columnScales) }),
  });

  const steps: Step[] = [
    { op: "transpose", input: logMel, output: melFrames, rows: n_mels, columns: 2 * T },
    {
      op: "conv1d",
      input: melFrames,
      output: conv1,
      weight: weight("encoder.conv1.weight"),
      bias: weight("encoder.conv1.bias"),
      addend: null,
      framesIn: 2 * T,
      framesOut: 2 * T,
      channelsIn: n_mels,
      channelsOut: C,
      stride: 1,
      arithmetic: arithmetic.conv1,
    },
    {
      op: "conv1d",
      input: conv1,
      output: x,
      weight: weight("encoder.conv2.weight"),
      bias: weight("encoder.conv2.bias"),
      addend: weight("encoder.positional_embedding"),
      framesIn: 2 * T,
      framesOut: T,
      channelsIn: C,
      channelsOut: C,
      stride: 2,
      arithmetic: arithmetic.conv2,
    },
  ];
  for (let layer = 0; layer < n_audio_layer; layer++) {
    const products = arithmetic.blocks[layer];
    const block = `encoder.blocks.${layer}`;
    const attention = ["query", "key", "value"].map((part) => `${block}.attn.${part}`);
    const namesOf = (wanted: MigratedProduct) =>
      migrated.some(({ block, product }) => block === layer && product === wanted)
        ? migratedNames(layer, wanted)
        : undefined;
    const [ofQkv, ofMlp] = [namesOf("qkv"), namesOf("mlp1")];
    steps.push(
      layerNorm(x, normed, `${block}.attn_ln`, ofQkv),
      gemm(normed, qkv, attention, { N: 3 * C, K: C }, products.qkv, { columnScales: ofQkv?.scales }),
      {
        op: "attention",
        input: qkv,
        output: attended,
        T,
        heads,
        headWidth: C / heads,
        arithmetic: products.attention,
      },
      gemm(attended, x, [`${block}.attn.out`], { N: C, K: C }, products.out, { residual: x }),
      layerNorm(x, normed, `${block}.mlp_ln`, ofMlp),
      gemm(normed, hidden, [`${block}.mlp.0`], { N: 4 * C, K: C }, products.mlp1, {
        activation: "gelu",
        columnScales: ofMlp?.scales,
      }),
      gemm(hidden, x, [`${block}.mlp.2`], { N: C, K: 4 * C }, products.mlp2, { residual: x }),
    );
  }
  steps.push(layerNorm(x, output, "encoder.ln_post"));
  return Object.freeze({
    buffers: Object.freeze(buffers),
    weights: Object.freeze(weights),
    steps: Object.freeze(steps.map((step) => Object.freeze(step))),
    input: logMel,
    output,
  });
}
