import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { OnnxGraph } from "../../bench/onnx_graph.ts";
import { ProtoMessage } from "../../bench/protobuf.ts";
import { bytesPerStep } from "../../bench/random_decoder.ts";

const hex = (message: ProtoMessage) => message.finish().toHex();

Deno.test("ProtoMessage encodes the documentation's examples", () => {
  strictEqual(hex(new ProtoMessage().int(1, 150)), "089601");
  strictEqual(hex(new ProtoMessage().text(2, "testing")), "120774657374696e67");
  strictEqual(hex(new ProtoMessage().message(3, new ProtoMessage().int(1, 150))), "1a03089601");
});

Deno.test("ProtoMessage encodes numbers beyond 32 bits, floats, and high field numbers", () => {
  strictEqual(hex(new ProtoMessage().int(1, 0)), "0800");
  strictEqual(hex(new ProtoMessage().int(1, 2 ** 40)), "08808080808020");
  strictEqual(hex(new ProtoMessage().float(1, 1)), "0d0000803f");
  strictEqual(hex(new ProtoMessage().int(16, 1)), "800101");
});

Deno.test("OnnxGraph gives every value a name of its own", () => {
  const graph = new OnnxGraph();
  const input = graph.input("x", [1, 2]);
  const names = [
    input,
    graph.constant([2], Float32Array.of(1, 2)),
    graph.integers([3]),
    graph.node("Add", [input, input]),
  ];
  names.push(graph.node("Add", [input, names[1]], { axis: 1, epsilon: { float: 1e-5 }, perm: [0, 1] }));
  strictEqual(new Set(names).size, names.length);
  graph.output(names[4], [1, 2]);
  const model = new TextDecoder("latin1").decode(graph.finish());
  deepStrictEqual([..."Add"].every((letter) => model.includes(letter)), true);
});

Deno.test("bytesPerStep() counts what a token reads: embeddings once, no cross keys and values", () => {
  const dims = {
    n_audio_ctx: 3,
    n_vocab: 11,
    n_text_ctx: 5,
    n_text_state: 2,
    n_text_head: 1,
    n_text_layer: 1,
  };
  const matrices = 11 * 2 + 14 * 2 * 2; // vocabulary; self q, k, v, out, cross q, out, MLP 8
  const vectors = 2 * (2 + 2 + 2 + 2) + 2 * (3 + 2) + (8 + 2); // four layer norms; biases of attentions and MLP
  strictEqual(bytesPerStep(dims), 2 * (matrices + vectors));
});
