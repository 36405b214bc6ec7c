/** What the designs are made of: the catalogue's sizes, the ports that streams push to, and what the hardware has. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { ironCatalogue, ironCatalogueText, type IronEntry } from "../../kernels/iron/catalogue_lines.ts";
import { attentionStream } from "../../kernels/npu/attention_stream.ts";
import {
  CATALOGUE,
  ENCODER_NPU1,
  ENCODER_NPU2,
  kernelNamed,
  programOf,
} from "../../kernels/npu/catalogue.ts";
import {
  bytesOf,
  TILE_MEMORY_BYTES,
  TILE_RESERVED_BYTES,
  tileBufferBytes,
} from "../../kernels/npu/design.ts";
import { granularityOf } from "../../kernels/npu/instructions.ts";
import { programKernels } from "../../kernels/npu/program_kernels.ts";
import { checkStream } from "../../kernels/npu/stream_check.ts";
import { planProduct, planStream } from "../../kernels/npu/tiling.ts";
import { describe, type Description, IRON, python, testWithPrograms } from "./_iron.ts";

const PYTHON = ["python3"] as const;

/** The bytes of a tile of each operand on a port of a product. */
function objectBytes({ program, rows, columns }: IronEntry): Record<string, number> {
  assert.ok(program?.kind === "matmul");
  const { m, k, n, input, output } = program;
  const rowsEach = rows / Math.min(rows, columns);
  return {
    mm2s0: rowsEach * bytesOf(input, m * k),
    mm2s1: bytesOf(input, k * n),
    s2mm0: rows * bytesOf(output, m * n),
  };
}

/** The ports that a stream for an entry pushes to. */
function portsOfStream(entry: IronEntry): string[] {
  const kernel = kernelNamed(entry.name);
  const { design } = kernel;
  if (design === null) return ["0/mm2s0", "0/s2mm0"];
  const stream = kernel.operation === "attention"
    ? attentionStream(design, [{ T: 64, heads: design.columns }])
    : planStream(planProduct(kernel, kernel.launch ?? granularityOf(design, programOf(kernel))));
  const { tasks } = checkStream(stream);
  const ports = tasks.map(({ column, direction, channel }) => `${column}/${direction}${channel}`);
  return [...new Set(ports)].sort();
}

/** The compute tiles in a row or a column of the array. */
function tilesOf(
  { columns, rows }: IronEntry,
  within: { column?: number; row?: number },
): [number, number][] {
  const all = Array.from(
    { length: columns },
    (_, column) => Array.from({ length: rows }, (_, row): [number, number] => [column, 2 + row]),
  ).flat();
  return all.filter(([column, row]) =>
    (within.column ?? column) === column && (within.row === undefined || within.row + 2 === row)
  );
}

let described: Promise<Record<string, Description>> | undefined;
const all = () => described ??= describe();

Deno.test("catalogue.jsonl is the catalogue's", async () => {
  assert.equal(await Deno.readTextFile(join(IRON, "catalogue.jsonl")), ironCatalogueText());
  assert.deepEqual(ironCatalogue().entries.map(({ name }) => name), CATALOGUE.map(({ name }) => name));
});

testWithPrograms("every design fits the hardware, and every entry has one", PYTHON, async () => {
  const designs = await all();
  assert.deepEqual(Object.keys(designs), CATALOGUE.map(({ name }) => name));
  for (const [name, { complaints }] of Object.entries(designs)) assert.deepEqual(complaints, [], name);
});

testWithPrograms("a design with tiles too large is complained of", PYTHON, async () => {
  for (const change of ["n=128", "k=256"]) {
    const { complaints } = (await describe("encoder_bf16_npu1", change)).encoder_bf16_npu1;
    assert.match(complaints.join("\n"), /buffers \[/, change);
  }
  const { complaints } = (await describe("bfp16_512x512x512_32tile", "m=1024")).bfp16_512x512x512_32tile;
  assert.match(complaints.join("\n"), /bytes of 524288/);
});

testWithPrograms("designs have exactly the ports that streams push to", PYTHON, async () => {
  const designs = await all();
  for (const entry of ironCatalogue().entries) {
    const { ports, device, tiles } = designs[entry.name];
    assert.deepEqual(device, [entry.generation, entry.columns], entry.name);
    assert.deepEqual(tiles, tilesOf(entry, {}), entry.name);
    assert.deepEqual(Object.keys(ports).sort(), portsOfStream(entry), entry.name);
    assert.ok(Object.values(ports).every(({ row }) => row === 0), entry.name);
  }
});

testWithPrograms("products' ports lead where the streams' contract says", PYTHON, async () => {
  const designs = await all();
  for (const entry of ironCatalogue().entries.filter(({ operation }) => operation === "gemm")) {
    const feeders = Math.min(entry.columns, entry.rows);
    const rowsEach = entry.rows / feeders;
    for (const [port, { objectBytes: bytes, tiles }] of Object.entries(designs[entry.name].ports)) {
      const [column, channel] = [Number(port[0]), port.slice(2)];
      const feeder = column * feeders / entry.columns;
      const expected = channel === "mm2s0"
        ? Array.from({ length: rowsEach }, (_, i) => tilesOf(entry, { row: feeder * rowsEach + i })).flat()
          .sort()
        : tilesOf(entry, { column });
      assert.deepEqual(tiles, expected, `${entry.name} ${port}`);
      assert.equal(bytes, objectBytes(entry)[channel], `${entry.name} ${port}`);
    }
  }
});

testWithPrograms("attention's ports lead to their column", PYTHON, async () => {
  const designs = await all();
  for (const entry of ironCatalogue().entries.filter(({ operation }) => operation === "attention")) {
    const { program, rows } = entry;
    assert.ok(program?.kind === "attention");
    const tile = bytesOf(program.input, program.queries * program.width);
    const sizes: Record<string, number> = { mm2s0: rows * tile, mm2s1: tile, s2mm0: rows * tile };
    for (const [port, { objectBytes: bytes, tiles }] of Object.entries(designs[entry.name].ports)) {
      assert.deepEqual(tiles, tilesOf(entry, { column: Number(port[0]) }), `${entry.name} ${port}`);
      assert.equal(bytes, sizes[port.slice(2)], `${entry.name} ${port}`);
    }
  }
});

testWithPrograms("buffers and runtime words lie where the catalogue has room for them", PYTHON, async () => {
  const designs = await all();
  for (const entry of ironCatalogue().entries) {
    const { bufferBytes, outputDepth, pinned } = designs[entry.name];
    assert.deepEqual(pinned, entry.runtime === null ? [] : [[entry.runtime, 16]], entry.name);
    const room = TILE_MEMORY_BYTES - TILE_RESERVED_BYTES;
    assert.ok(bufferBytes <= room, `${entry.name}: ${bufferBytes}`);
    if (entry.program?.kind !== "matmul" || entry.program.output === "bf16") continue;
    const { double, single } = tileBufferBytes(entry.program);
    assert.deepEqual([bufferBytes, outputDepth], double <= room ? [double, 2] : [single, 1], entry.name);
  }
});

/** The lines that build.py prints for a name. */
async function buildLines(name: string): Promise<string[]> {
  const { code, stdout, stderr } = await python("kernels/iron/build.py", name, "--dry-run");
  assert.equal(code, 0, stderr);
  return stdout.trimEnd().split("\n");
}

testWithPrograms("build.py says how an overlay is compiled, without the toolchain", PYTHON, async () => {
  const [clang, design, aiecc, ...more] = await buildLines("i8_512x512x512_4tile");
  assert.deepEqual(more, []);
  const { recipe } = (await all())["i8_512x512x512_4tile"];
  assert.match(clang, /--target=aie2p-none-unknown-elf/);
  for (const flag of recipe.flags) assert.ok(clang.includes(` ${flag} `), flag);
  assert.ok(clang.endsWith(`tiles/${recipe.source} -o ${recipe.object_file}`), clang);
  assert.match(design, /design\.py i8_512x512x512_4tile > i8_512x512x512_4tile\.mlir$/);
  assert.match(aiecc, /--xclbin-name=i8_512x512x512_4tile\.xclbin .* i8_512x512x512_4tile\.mlir$/);
  assert.doesNotMatch(aiecc, /--xclbin-kernel-name/);
});

testWithPrograms(
  "build.py puts an encoder's programs into one container, each by its name",
  PYTHON,
  async () => {
    for (const [name, design] of [["encoder_npu1", ENCODER_NPU1], ["encoder_npu2", ENCODER_NPU2]] as const) {
      const linked = (await buildLines(name)).filter((line) => line.startsWith("aiecc "));
      const given = (option: string) => linked.map((line) => line.match(`--xclbin-${option}=(\\S+)`)?.[1]);
      const kernels = given("kernel-name").map(String);
      assert.deepEqual(programKernels(design, kernels), kernels, "in the order of the design, all of them");
      assert.equal(new Set(given("kernel-id")).size, kernels.length);
      const containers = given("name");
      assert.equal(containers.at(-1), `${name}.xclbin`);
      assert.deepEqual(given("input"), [undefined, ...containers.slice(0, -1)]);
    }
  },
);

testWithPrograms("build.py wants to be told where the toolchain is", PYTHON, async () => {
  const { code, stderr } = await python("kernels/iron/build.py", "encoder_i8_npu2");
  assert.equal(code, 2);
  assert.match(stderr, /--peano is not given/);
});

testWithPrograms("design.py lists the catalogue, and refuses what it has not", PYTHON, async () => {
  const { stdout } = await python("kernels/iron/design.py");
  assert.deepEqual(stdout.trimEnd().split("\n"), CATALOGUE.map(({ name }) => name));
  const { code, stderr } = await python("kernels/iron/design.py", "bf16_65x65");
  assert.equal(code, 2);
  assert.match(stderr, /invalid choice/);
});

Deno.test("every file says that it was not compiled for an NPU here", async () => {
  const files = ["product.py", "attention.py", "attention_tile.py", "design.py", "build.py"];
  for await (const { name } of Deno.readDir(join(IRON, "tiles"))) {
    if (name.endsWith(".cc")) files.push(`tiles/${name}`);
  }
  for (const file of [...files, "README.md"]) {
    const text = await Deno.readTextFile(join(IRON, file));
    assert.match(text, /NOT (COMPILED|RUN) [^.]*WHERE IT WAS\s+WRITTEN/i, file);
  }
});
