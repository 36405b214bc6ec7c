import assert from "node:assert/strict";
import { SottoError } from "../../errors.ts";
import { HEADER, HEADER_BYTES, SECTION, SECTION_HEADER_BYTES } from "../../kernels/xclbin/layout.ts";
import { mlirAieKernels, mlirAieMemory, mlirAiePartition } from "../../kernels/xclbin/mlir_aie.ts";
import { readNpuXclbin, readXclbin } from "../../kernels/xclbin/read.ts";
import { packXclbin, type XclbinParts } from "../../kernels/xclbin/write.ts";

const UUID = "00112233-4455-6677-8899-aabbccddeeff";

function parts(changes: Partial<XclbinParts> = {}): XclbinParts {
  return {
    partition: mlirAiePartition(4, [1], UUID),
    kernels: mlirAieKernels(),
    memory: mlirAieMemory(),
    pdi: () => Uint8Array.from({ length: 100 }, (_, i) => i),
    ...changes,
  };
}

const WHOLE = packXclbin(parts());

/** A copy with a 64-bit little-endian number in it. */
function withNumber(at: number, value: bigint, bytes = 8): Uint8Array {
  const copy = WHOLE.slice();
  for (let i = 0; i < bytes; i++) copy[at + i] = Number(value >> BigInt(8 * i) & 0xffn);
  return copy;
}

function sectionField(index: number, field: number): number {
  return HEADER_BYTES + index * SECTION_HEADER_BYTES + field;
}

function assertRefused(bytes: Uint8Array, message: RegExp): void {
  assert.throws(() => readNpuXclbin(bytes), (error) => {
    assert(error instanceof SottoError, String(error));
    assert.equal(error.code, "E_XCLBIN");
    assert.match(error.message, message);
    return true;
  });
}

Deno.test("readXclbin() reads what packXclbin() wrote without any data from elsewhere", () => {
  const xclbin = readNpuXclbin(WHOLE);
  assert.equal(xclbin.partition.pdis[0].uuid, UUID);
  assert.equal(xclbin.partition.pdis[0].image.length, 100);
  assert.equal(xclbin.kernels[0].arguments.length, 8);
});

const HOSTILE: readonly (readonly [string, Uint8Array, RegExp])[] = [
  ["nothing", new Uint8Array(0), /must start with "xclbin2": got ""/],
  [
    "the magic alone, which libxrt takes for valid",
    new TextEncoder().encode("xclbin2\0"),
    /header must lie inside/,
  ],
  ["another magic", WHOLE.map((byte, i) => i === 6 ? 0x31 : byte), /must start with/],
  ["a length that is too large", withNumber(HEADER.length, BigInt(WHOLE.length + 1)), /header says/],
  ["a length of 2^63", withNumber(HEADER.length, 1n << 63n), /must be a size in bytes/],
  ["a negative signature", withNumber(HEADER.signatureLength, 0xffff_fffen, 4), /signature length/],
  ["a million sections", withNumber(HEADER.sectionCount, 1_000_000n, 4), /at most 1024 sections/],
  [
    "more sections than bytes",
    withNumber(HEADER.sectionCount, 1000n, 4),
    /1000 section headers must lie inside/,
  ],
  [
    "a section past the end",
    withNumber(sectionField(1, SECTION.offset), 1n << 40n),
    /AIE_PARTITION must end inside/,
  ],
  [
    "a section that wraps around",
    withNumber(sectionField(1, SECTION.offset), 0xffff_ffff_ffff_fff8n),
    /size in bytes/,
  ],
  [
    "a section in the header",
    withNumber(sectionField(0, SECTION.offset), 8n),
    /must not overlap the section headers/,
  ],
  [
    "two sections in one place",
    withNumber(sectionField(2, SECTION.offset), BigInt(readXclbin(WHOLE).sections[1].offset)),
    /must not overlap the bytes of section/,
  ],
  [
    "a section of no bytes",
    withNumber(sectionField(1, SECTION.size), 0n),
    /fixed part must lie inside the section/,
  ],
  ["no partition", withNumber(sectionField(1, SECTION.kind), 99n, 4), /needs a section AIE_PARTITION/],
  ["no kernel", withNumber(sectionField(2, SECTION.kind), 99n, 4), /needs a kernel/],
];

for (const [name, bytes, message] of HOSTILE) {
  Deno.test(`readXclbin() refuses ${name}`, () => assertRefused(bytes, message));
}

Deno.test("readXclbin() refuses a partition of no columns, of no PDI, and a PDI outside", () => {
  const start = readXclbin(WHOLE).sections[1].offset;
  const image = start + new DataView(WHOLE.buffer).getUint32(start + 124, true) + 16;
  assertRefused(withNumber(start + 32, 0n, 2), /one or more columns/);
  assertRefused(withNumber(start + 120, 0n, 4), /program image/);
  assertRefused(withNumber(start + 120, 65n, 4), /at most 64 PDIs/);
  assertRefused(withNumber(image, 0xffff_ffffn, 4), /PDI image must lie inside/);
  assertRefused(withNumber(image, 0n, 4), /PDI must hold bytes/);
});

Deno.test("readXclbin() refuses a file cut anywhere", () => {
  for (let length = 0; length < WHOLE.length; length++) {
    assertRefused(WHOLE.subarray(0, length), /./);
  }
});

Deno.test("readXclbin() refuses a file cut anywhere whose length field agrees", () => {
  for (let length = HEADER_BYTES; length < WHOLE.length; length += 7) {
    const cut = withNumber(HEADER.length, BigInt(length)).subarray(0, length);
    assertRefused(cut, /./);
  }
});

Deno.test("readXclbin() reads or refuses 10,000 mutations, and nothing else", () => {
  let state = 1;
  const random = (limit: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0; // Knuth's linear congruence: the same on every run
    return Math.floor(state / 2 ** 32 * limit);
  };
  const interesting = [0, 1, 0x7f, 0x80, 0xff];
  let refused = 0;
  for (let round = 0; round < 10_000; round++) {
    const bytes = WHOLE.slice();
    for (let change = random(4); change >= 0; change--) {
      // Most mutations hit the header, the section table and the tables: the PDI is opaque.
      bytes[random(bytes.length)] = random(2) === 0 ? random(256) : interesting[random(interesting.length)];
    }
    try {
      readXclbin(bytes);
    } catch (error) {
      if (!(error instanceof SottoError && error.code === "E_XCLBIN")) throw error;
      refused++;
    }
  }
  assert(refused > 500 && refused < 9_500, `${refused} of 10,000 were refused`);
});

Deno.test("packXclbin() names the place of what is wrong", () => {
  const changed = (text: string, from: string, to: string) => {
    assert(text.includes(from), from);
    return text.replace(from, to);
  };
  const wrong: readonly (readonly [Partial<XclbinParts>, RegExp])[] = [
    [{ kernels: "{" }, /kernels must be JSON/],
    [{ kernels: "{}" }, /kernels\.ps-kernels must be an object: got nothing/],
    [{ kernels: '{"ps-kernels": {"kernels": []}}' }, /kernels must have an element/],
    [
      { kernels: changed(mlirAieKernels(), '"uint64_t"', '"long double"') },
      /argument's type must be a C scalar or a pointer: got "long double"/,
    ],
    [{ kernels: changed(mlirAieKernels(), '"SRAM"', '"CACHE"') }, /one of HOST, SRAM: got CACHE/],
    [
      { kernels: changed(mlirAieKernels(), '"0x901"', '"0x1901"') },
      /dpu_kernel_id must be a whole number of 12 bits/,
    ],
    [
      { memory: changed(mlirAieMemory(), '"MEM_DRAM"', '"MEM_CHEESE"') },
      /m_mem_data\[0\]\.m_type must be one of/,
    ],
    [{ memory: changed(mlirAieMemory(), '"HOST"', '"A_NAME_TOO_LONG_"') }, /one of A_NAME_TOO_LONG_/],
    [{ partition: mlirAiePartition(0, [1], UUID) }, /one or more columns/],
    [{ partition: mlirAiePartition(4, [], UUID) }, /start_columns must have an element/],
    [
      { partition: mlirAiePartition(4, [70_000], UUID) },
      /start_columns\[0\] must be a whole number of 16 bits/,
    ],
    [{ partition: mlirAiePartition(4, [1], "not hexadecimal") }, /uuid must be 32 hexadecimal digits/],
  ];
  for (const [changes, message] of wrong) {
    assert.throws(() => packXclbin(parts(changes)), { name: "SottoError", code: "E_XCLBIN", message });
  }
});
