/**
 * Whisper's encoder as an ONNX model in F32, for a peer to run: the graph that exporting openai-whisper's
 * `AudioEncoder` from PyTorch gives, with the weights inside.
 *
 * @module
 */

import type { EncoderDimensions } from "../model/dimensions.ts";
import { readFloat32 } from "../model/read_tensor.ts";
import { encoderTensors } from "../model/weight_names.ts";
import type { WeightStore } from "../model/weights.ts";
import { OnnxGraph, type ValueName } from "./onnx_graph.ts";

/** Names of the model's input F32 [1, n_mels, 2·n_audio_ctx] and output F32 [1, n_audio_ctx, n_audio_state]. */
export const ONNX_INPUT: ValueName = "log_mel";

/** The serialized model, and the name of its output. */
export interface OnnxEncoder {
  readonly model: Uint8Array<ArrayBuffer>;
  readonly output: ValueName;
}

/** Epsilon of PyTorch's LayerNorm. */
const EPSILON = 1e-5;

/** Writes the encoder as an ONNX model. */
export async function onnxEncoder(dims: EncoderDimensions, weights: WeightStore): Promise<OnnxEncoder> {
  const { n_mels, n_audio_ctx: T, n_audio_state: C, n_audio_head: H, n_audio_layer } = dims;
  const shapes = new Map(encoderTensors(dims).map(({ name, shape }) => [name, shape]));
  const graph = new OnnxGraph();
  const node = graph.node.bind(graph);

  const has = (name: string): boolean => shapes.has(name);
  const weight = async (name: string): Promise<ValueName> => {
    const shape = shapes.get(name)!;
    return graph.constant(shape, await readFloat32(weights.get(name, shape)));
  };
  const scalar = (value: number): ValueName => graph.constant([], Float32Array.of(value));
  const [sqrt2, one, half, scale] = [Math.SQRT2, 1, 0.5, 1 / Math.sqrt(C / H)].map(scalar);
  const splitHeads = graph.integers([1, T, H, C / H]);
  const joinHeads = graph.integers([1, T, C]);

  const gelu = (x: ValueName): ValueName => {
    const erf = node("Erf", [node("Div", [x, sqrt2])]);
    return node("Mul", [node("Mul", [x, node("Add", [erf, one])]), half]);
  };
  const layerNorm = async (x: ValueName, name: string): Promise<ValueName> =>
    node("LayerNormalization", [x, await weight(`${name}.weight`), await weight(`${name}.bias`)], {
      axis: 2,
      epsilon: { float: EPSILON },
    });
  /** x · Wᵀ + b; the weight is stored transposed, as exporters fold it. */
  const linear = async (x: ValueName, name: string): Promise<ValueName> => {
    const shape = shapes.get(`${name}.weight`)!;
    const [n, k] = shape;
    const values = await readFloat32(weights.get(`${name}.weight`, shape));
    const product = node("MatMul", [x, graph.constant([k, n], transpose(values, n, k))]);
    return has(`${name}.bias`) ? node("Add", [product, await weight(`${name}.bias`)]) : product;
  };
  const heads = (x: ValueName, perm: readonly number[]): ValueName =>
    node("Transpose", [node("Reshape", [x, splitHeads])], { perm });

  const conv = async (x: ValueName, name: string, stride: number): Promise<ValueName> =>
    gelu(node("Conv", [x, await weight(`${name}.weight`), await weight(`${name}.bias`)], {
      kernel_shape: [3],
      pads: [1, 1],
      strides: [stride],
    }));

  const input = graph.input(ONNX_INPUT, [1, n_mels, 2 * T]);
  let x = await conv(await conv(input, "encoder.conv1", 1), "encoder.conv2", 2);
  x = node("Add", [
    node("Transpose", [x], { perm: [0, 2, 1] }),
    await weight("encoder.positional_embedding"),
  ]);
  for (let layer = 0; layer < n_audio_layer; layer++) {
    const block = `encoder.blocks.${layer}`;
    const normed = await layerNorm(x, `${block}.attn_ln`);
    const query = heads(node("Mul", [await linear(normed, `${block}.attn.query`), scale]), [0, 2, 1, 3]);
    const key = heads(await linear(normed, `${block}.attn.key`), [0, 2, 3, 1]);
    const value = heads(await linear(normed, `${block}.attn.value`), [0, 2, 1, 3]);
    const attention = node("MatMul", [node("Softmax", [node("MatMul", [query, key])], { axis: 3 }), value]);
    const joined = node("Reshape", [node("Transpose", [attention], { perm: [0, 2, 1, 3] }), joinHeads]);
    x = node("Add", [x, await linear(joined, `${block}.attn.out`)]);
    const hidden = gelu(await linear(await layerNorm(x, `${block}.mlp_ln`), `${block}.mlp.0`));
    x = node("Add", [x, await linear(hidden, `${block}.mlp.2`)]);
  }
  const output = await layerNorm(x, "encoder.ln_post");
  graph.output(output, [1, T, C]);
  return { model: graph.finish(), output };
}

function transpose(
  values: Float32Array<ArrayBuffer>,
  rows: number,
  columns: number,
): Float32Array<ArrayBuffer> {
  const out = new Float32Array(values.length);
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) out[c * rows + r] = values[r * columns + c];
  }
  return out;
}
