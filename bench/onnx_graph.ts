/**
 * Builds an ONNX model node by node. Field numbers: `onnx/onnx.proto` of the ONNX project, IR version 8.
 *
 * @module
 */

import { ProtoMessage } from "./protobuf.ts";

const IR_VERSION = 8;
/** Operators as of opset 17, the first with LayerNormalization. */
const OPSET = 17;

/** Values of `TensorProto.DataType`. */
const DATA_TYPES = { f32: 1, i64: 7 } as const;
/** Values of `AttributeProto.AttributeType`, and the field of each. */
const ATTRIBUTE_TYPES = { float: 1, int: 2, ints: 7 } as const;

/** The name of a value in a graph. */
export type ValueName = string;

/** An attribute: a whole number, a fraction as `{ float }`, or a list of whole numbers. */
export type Attribute = number | { readonly float: number } | readonly number[];

/** A graph in the making. */
export class OnnxGraph {
  readonly #graph = new ProtoMessage().text(2, "graph");
  #values = 0;

  /** Adds a node with one output, and answers its name: `output`, or one of its own. */
  node(
    op: string,
    inputs: readonly ValueName[],
    attributes: Readonly<Record<string, Attribute>> = {},
    output: ValueName = `${op}_${this.#values++}`,
  ): ValueName {
    const node = new ProtoMessage();
    for (const input of inputs) node.text(1, input);
    node.text(2, output).text(3, output).text(4, op);
    for (const [name, value] of Object.entries(attributes)) node.message(5, attribute(name, value));
    this.#graph.message(1, node);
    return output;
  }

  /** Adds a constant in F32, and answers its name. */
  constant(shape: readonly number[], values: Float32Array<ArrayBuffer>): ValueName {
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    return this.#initializer(DATA_TYPES.f32, shape, bytes);
  }

  /** Adds a list of whole numbers, and answers its name. */
  integers(values: readonly number[]): ValueName {
    const bytes = new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
    return this.#initializer(DATA_TYPES.i64, [values.length], bytes);
  }

  /** Declares an input in F32. */
  input(name: ValueName, shape: readonly number[]): ValueName {
    this.#graph.message(11, valueInfo(name, shape));
    return name;
  }

  /** Declares a value as an output in F32, under its name. */
  output(name: ValueName, shape: readonly number[]): void {
    this.#graph.message(12, valueInfo(name, shape));
  }

  /** The model, serialized. */
  finish(): Uint8Array<ArrayBuffer> {
    const opset = new ProtoMessage().text(1, "").int(2, OPSET);
    return new ProtoMessage().int(1, IR_VERSION).message(7, this.#graph).message(8, opset).finish();
  }

  #initializer(type: number, shape: readonly number[], bytes: Uint8Array): ValueName {
    const name = `constant_${this.#values++}`;
    const tensor = new ProtoMessage();
    for (const size of shape) tensor.int(1, size);
    this.#graph.message(5, tensor.int(2, type).text(8, name).bytes(9, bytes));
    return name;
  }
}

function attribute(name: string, value: Attribute): ProtoMessage {
  const message = new ProtoMessage().text(1, name);
  if (typeof value === "number") return message.int(3, value).int(20, ATTRIBUTE_TYPES.int);
  if ("float" in value) return message.float(2, value.float).int(20, ATTRIBUTE_TYPES.float);
  for (const item of value) message.int(8, item);
  return message.int(20, ATTRIBUTE_TYPES.ints);
}

function valueInfo(name: ValueName, shape: readonly number[]): ProtoMessage {
  const dims = new ProtoMessage();
  for (const size of shape) dims.message(1, new ProtoMessage().int(1, size));
  const tensor = new ProtoMessage().int(1, DATA_TYPES.f32).message(2, dims);
  return new ProtoMessage().text(1, name).message(2, new ProtoMessage().message(1, tensor));
}
