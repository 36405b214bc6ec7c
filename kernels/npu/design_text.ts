/**
 * The design that a modelled PDI names, read back from its text ({@linkcode designText}).
 *
 * @module
 */

import { SottoError } from "../../errors.ts";
import { checkDesign, type OverlayDesign, type TileProgram, type TileType, TYPE_BITS } from "./design.ts";
import type { Generation } from "./transaction.ts";

const MAGIC = "sotto-npu-model 1\n";

function refuse(line: string): never {
  throw new SottoError(
    "E_XCLBIN",
    `Cannot read the modelled overlay because it has a line that is none: got ${
      JSON.stringify(line.slice(0, 80))
    }`,
  );
}

const NUMBER = "(\\d+|0x[0-9a-f]+)";
const TYPE = `(${Object.keys(TYPE_BITS).join("|")})`;
const ARRAY = /^array (npu1|npu2) columns (\d+) rows (\d+)$/;
const RUNTIME = new RegExp(`^runtime ${NUMBER}$`);
const MATMUL = new RegExp(
  `^program (\\d) matmul tile (\\d+) (\\d+) (\\d+) subtile (\\d+) (\\d+) (\\d+) a ${TYPE} b ${TYPE} c ${TYPE}(?: reduce (\\d+))?$`,
);
const ATTENTION = new RegExp(`^program (\\d) attention tile (\\d+) (\\d+) in ${TYPE} out ${TYPE}$`);
const VECTOR = /^program (\d) (softmax|gelu|layernorm) length (\d+)$/;

function programOfLine(line: string): { index: number; program: TileProgram } {
  const matmul = MATMUL.exec(line);
  if (matmul !== null && matmul[8] === matmul[9]) {
    const [index, m, k, n, r, s, t] = matmul.slice(1, 8).map(Number);
    const reduce = matmul[11] === undefined ? null : Number(matmul[11]);
    const [input, output] = [matmul[8], matmul[10]] as TileType[];
    return { index, program: { kind: "matmul", m, k, n, subtile: [r, s, t], input, output, reduce } };
  }
  const attention = ATTENTION.exec(line);
  if (attention !== null) {
    const [index, queries, width] = attention.slice(1, 4).map(Number);
    const [input, output] = attention.slice(4) as TileType[];
    return { index, program: { kind: "attention", queries, width, input, output } };
  }
  const vector = VECTOR.exec(line);
  if (vector === null) refuse(line);
  const kind = vector[2] as "softmax" | "gelu" | "layernorm";
  return { index: Number(vector[1]), program: { kind, length: Number(vector[3]) } };
}

/**
 * The design of a PDI.
 *
 * @returns null if it is not a modelled one.
 * @throws {SottoError} E_XCLBIN if it begins like one and is none; E_OPTION if no overlay can be so.
 */
export function designOfPdi(image: Uint8Array): OverlayDesign | null {
  const text = new TextDecoder("latin1").decode(image);
  if (!text.startsWith(MAGIC)) return null;
  const [array, ...lines] = text.slice(MAGIC.length).replace(/\n\0*$/, "").split("\n");
  const shape = ARRAY.exec(array);
  if (shape === null) refuse(array);
  const runtime = RUNTIME.exec(lines[0] ?? "");
  const programs = lines.slice(runtime === null ? 0 : 1).map((line, place) => {
    const { index, program } = programOfLine(line);
    if (index !== place) refuse(line);
    return program;
  });
  const design: OverlayDesign = {
    generation: shape[1] as Generation,
    columns: Number(shape[2]),
    rows: Number(shape[3]),
    runtime: runtime === null ? null : Number(runtime[1]),
    programs,
  };
  checkDesign(design);
  return design;
}
