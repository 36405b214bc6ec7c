import assert from "node:assert/strict";
import { SottoError } from "../../errors.ts";
import { ENCODER_NPU1 } from "../../kernels/npu/catalogue.ts";
import { disassemble } from "../../kernels/npu/disassemble.ts";
import { productStream } from "../../kernels/npu/instructions.ts";
import { checkStream } from "../../kernels/npu/stream_check.ts";
import {
  decodeTransaction,
  encodeTransaction,
  formatInstructionText,
  type Operation,
  parseInstructionText,
  type Transaction,
} from "../../kernels/npu/transaction.ts";

const STREAM = productStream(ENCODER_NPU1, [{ M: 768, K: 128, N: 512 }]);
const BYTES = [2 * 768 * 128, 2 * 128 * 512, 4 * 768 * 512];
const WORDS = encodeTransaction(STREAM);

Deno.test("decodeTransaction() takes back what encodeTransaction() gave, in both encodings", () => {
  for (const version of ["1.0", "0.1"] as const) {
    for (const generation of ["npu1", "npu2"] as const) {
      const transaction = { ...STREAM, version, generation };
      assert.deepEqual(decodeTransaction(encodeTransaction(transaction)), transaction);
    }
  }
});

Deno.test("parseInstructionText() takes back what formatInstructionText() gave", () => {
  const text = formatInstructionText(WORDS);
  assert.deepEqual(parseInstructionText(text), WORDS);
  assert.deepEqual(parseInstructionText(text.toLowerCase().replaceAll("\n", "\r\n")), WORDS);
  assert.equal(text.split("\n")[0], "06030001");
});

function changed(at: number, value: number): Uint32Array {
  const words = WORDS.slice();
  words[at] = value;
  return words;
}

const MALFORMED: readonly (readonly [string, Uint32Array, RegExp])[] = [
  ["nothing", new Uint32Array(0), /header of 4 words: got 0/],
  ["another version", changed(0, 0x0603_0203), /version must be 1\.0 or 0\.1: got 3\.2/],
  ["another device", changed(0, 0x0607_0001), /generation must be 3 \(npu1\) or 4 \(npu2\): got 7/],
  ["a length that does not fit", changed(3, 4 * WORDS.length + 4), /header says/],
  ["fewer operations than words", changed(2, 3), /header says 3 operations: got more words/],
  ["more operations than words", changed(2, 0xffff_ffff), /cannot hold/],
  ["an operation more", changed(2, WORDS[2] + 1), /must be a write, .*: got the end/],
  ["an operation that is none", changed(4, 0x77), /operation 0 must be a write/],
  ["a block of no size", changed(6, 0), /size of operation 0 must be 12 bytes or more/],
  ["a block of half words", changed(6, 29), /size of operation 0/],
  ["a block past the end", changed(6, 0x4000_0000), /operation 0 must end inside/],
];

for (const [name, words, message] of MALFORMED) {
  Deno.test(`decodeTransaction() refuses ${name}`, () => {
    assert.throws(() => decodeTransaction(words), { name: "SottoError", code: "E_XCLBIN", message });
  });
}

Deno.test("decodeTransaction() refuses a stream cut anywhere", () => {
  for (let length = 0; length < WORDS.length; length++) {
    const cut = WORDS.slice(0, length);
    if (length > 3) cut[3] = 4 * length;
    assert.throws(() => decodeTransaction(cut), { name: "SottoError", code: "E_XCLBIN" });
  }
});

Deno.test("parseInstructionText() refuses what is no word", () => {
  for (const text of ["06030001\nhello", "123456789", "-1", "0x", "1 2"]) {
    assert.throws(() => parseInstructionText(text), {
      name: "SottoError",
      code: "E_XCLBIN",
      message: /line \d must be/,
    });
  }
});

/** The stream with its operations changed. */
function withOperations(change: (operations: Operation[]) => void): Transaction {
  const operations = STREAM.operations.slice();
  change(operations);
  return { ...STREAM, operations };
}

const FIRST_TASK = STREAM.operations.findIndex((operation) => operation.op === "patch") - 1;

Deno.test("checkStream() counts what the stream moves and needs", () => {
  const report = checkStream(STREAM, BYTES);
  assert.deepEqual(report.bufferBytes, BYTES);
  assert.equal(report.bytesOut, BYTES[2]);
  assert.equal(report.bytesIn, 2 * BYTES[0] + 3 * BYTES[1]);
  assert.equal(report.operations, STREAM.operations.length);
  assert.equal(report.waits, 2 * 4);
});

const UNSOUND: readonly (readonly [string, Transaction, readonly number[], RegExp])[] = [
  [
    "reads past a buffer",
    STREAM,
    [BYTES[0] - 4, BYTES[1], BYTES[2]],
    /stay inside buffer bo0 of 196604 bytes: got its byte 196607/,
  ],
  ["writes past a buffer", STREAM, [BYTES[0], BYTES[1], 4], /stay inside buffer bo2 of 4 bytes/],
  ["names a buffer that is not given", STREAM, BYTES.slice(0, 2), /one of 2 buffers: got 2/],
  [
    "pushes a descriptor that is not set up",
    withOperations((operations) => operations.splice(FIRST_TASK, 2)),
    BYTES,
    /must have a descriptor that is valid and of the kind used here: got descriptor 0/,
  ],
  ...([[2, 1 << 30], [6, 1 << 26], [6, 5 << 20], [7, 1 << 26], [3, 1]] as const).map(([word, bits]) =>
    [
      `pushes a descriptor whose word ${word} has 0x${bits.toString(16)} set`,
      withOperations((operations) => {
        const block = operations[FIRST_TASK] as Operation & { op: "blockWrite" };
        operations[FIRST_TASK] = {
          ...block,
          words: block.words.map((value, i) => i === word ? value | bits : value),
        };
      }),
      BYTES,
      /of the kind used here: got descriptor 0/,
    ] as const
  ),
  [
    "pushes a descriptor without an address",
    withOperations((operations) => operations.splice(FIRST_TASK + 1, 1)),
    BYTES,
    /must have a buffer's address/,
  ],
  [
    "patches what is no address",
    withOperations((operations) => {
      const patch = operations[FIRST_TASK + 1] as Operation & { op: "patch" };
      operations[FIRST_TASK + 1] = { ...patch, address: patch.address + 8 };
    }),
    BYTES,
    /go to the address of a descriptor/,
  ],
  [
    "reaches another column",
    withOperations((operations) => operations.push({ op: "write", address: 4 << 25, value: 0 })),
    BYTES,
    /partition's 4 columns: got column 4/,
  ],
  [
    "rewrites a descriptor in use",
    withOperations((operations) => operations.splice(FIRST_TASK + 4, 0, operations[FIRST_TASK])),
    BYTES,
    /must not be rewritten while a task may use it: got descriptor 0/,
  ],
  [
    "overfills a queue",
    withOperations((operations) => {
      const push = operations[FIRST_TASK + 3];
      operations.splice(FIRST_TASK + 4, 0, push, push, push, push, push);
    }),
    BYTES,
    /at most 4 tasks beside the one in progress: got 5/,
  ],
  [
    "waits for nothing",
    withOperations((operations) => operations.push(operations.at(-1)!)),
    BYTES,
    /must have a token to wait for: got none in column 3/,
  ],
  [
    "ends too early",
    withOperations((operations) => operations.pop()),
    BYTES,
    /column 3 must have been waited for: got 1 outputs/,
  ],
];

for (const [name, stream, bytes, message] of UNSOUND) {
  Deno.test(`checkStream() refuses a stream that ${name}`, () => {
    assert.throws(() => checkStream(stream, bytes), { name: "SottoError", code: "E_XCLBIN", message });
  });
}

Deno.test("streams are read and checked or refused after 10,000 mutations, and nothing else", () => {
  let state = 7;
  const random = (limit: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor(state / 2 ** 32 * limit);
  };
  let refused = 0;
  for (let round = 0; round < 10_000; round++) {
    const words = WORDS.slice();
    for (let change = random(3); change >= 0; change--) {
      const at = random(words.length);
      words[at] = random(2) === 0 ? words[at] ^ 1 << random(32) : random(2 ** 32);
    }
    try {
      checkStream(decodeTransaction(words), BYTES);
    } catch (error) {
      if (!(error instanceof SottoError && error.code === "E_XCLBIN")) throw error;
      refused++;
    }
  }
  assert(refused > 5_000, `${refused} of 10,000 were refused`);
});

Deno.test("disassemble() names the DMA's registers", () => {
  const lines = disassemble(productStream(ENCODER_NPU1, [{ M: 256, K: 64, N: 256 }]));
  assert.equal(lines[0], "transaction 1.0 for npu1, 4 columns, 60 operations");
  assert.equal(lines[1], "    0  block   tile 0,2 0xf000 ← 0x0 0x1 0x0 0x0");
  assert.equal(lines[17], "   16  block   column 0 bd 0: 1@0 × 1@1 × 256@256 × 64 words");
  assert.equal(lines[18], "   17  patch   column 0 bd 0 word 1 + bo2 + 0x0");
  assert.equal(lines[20], "   19  push    column 0 s2mm 0: bd 0, 1 times, token");
  assert.equal(lines.at(-1), "   59  wait    column 3, row 0, s2mm 0");
});
