/**
 * A network that is asked as Silero's is, and answers what a test can foretell.
 */

import { OnnxGraph } from "../../bench/onnx_graph.ts";

const one = (value: number): Float32Array<ArrayBuffer> => Float32Array.of(value);

/**
 * Says that there is speech where a sample is louder than `loud`.
 *
 * @param names What its inputs and outputs are called.
 * @param loud Of full scale.
 * @param remembers Whether what was loud in the chunk before counts as well.
 */
export function sileroStandIn(
  { names = ["input", "state", "output", "stateN"], loud = 0.5, remembers = false }: {
    readonly names?: readonly string[];
    readonly loud?: number;
    readonly remembers?: boolean;
  } = {},
): Uint8Array<ArrayBuffer> {
  const [input, state, output, stateN] = names;
  const graph = new OnnxGraph();
  const samples = graph.input(input, [1, 576]);
  const before = graph.input(state, [2, 1, 128]);
  const loudest = graph.node("ReduceMax", [graph.node("Abs", [samples])], { axes: [1], keepdims: 1 });
  const remembered = graph.node("Mul", [
    graph.node("Reshape", [
      graph.node("ReduceMax", [before], { axes: [0, 2], keepdims: 1 }),
      graph.integers([1, 1]),
    ]),
    graph.constant([1], one(remembers ? 1 : 0)),
  ]);
  const level = graph.node("Max", [loudest, remembered]);
  const scaled = graph.node("Mul", [level, graph.constant([1], one(40))]);
  graph.output(
    graph.node("Sigmoid", [graph.node("Sub", [scaled, graph.constant([1], one(40 * loud))])], {}, output),
    [1, 1],
  );
  const nothing = graph.node("Mul", [before, graph.constant([1], one(0))]);
  graph.output(
    graph.node("Add", [nothing, graph.node("Reshape", [loudest, graph.integers([1, 1, 1])])], {}, stateN),
    [
      2,
      1,
      128,
    ],
  );
  return graph.finish();
}
