import assert from "node:assert/strict";
import { SottoError } from "../../errors.ts";
import { openByteSource } from "../../model/byte_source.ts";
import { parseGenerationConfig } from "../../model/generation_config.ts";
import { openGgml } from "../../model/ggml.ts";
import { openOpenaiPt } from "../../model/openai_pt.ts";
import { readSafetensors } from "../../model/safetensors.ts";
import { parseStrictJson } from "../../model/strict_json.ts";
import { writeGgml } from "../convert/ggml_writer.ts";
import { DEMO, safetensorsFile, seededRandom, tinyCheckpoint, TORCH_TINY } from "./support.ts";

/** Numbers that sizes, counts and offsets break on. */
const NASTY = [
  0,
  1,
  -1,
  4,
  0x7f,
  0x80,
  0xff,
  0x7fff,
  0xffff,
  0x7fffffff,
  0x80000000,
  0xffffffff,
  0x100000000,
  2 ** 53,
];

type Bytes = Uint8Array<ArrayBuffer>;

/** One to four changes of a file, within the given range of bytes: flips, numbers, cuts, copies, removals. */
function mutate(original: Bytes, random: () => number, [begin, end]: readonly [number, number]): Bytes {
  let bytes = original.slice();
  const below = (limit: number): number => Math.floor(random() * limit);
  for (let change = below(4); change >= 0; change--) {
    const at = begin + below(Math.max(1, Math.min(end, bytes.length) - begin));
    if (at >= bytes.length) continue;
    switch (below(6)) {
      case 0:
        bytes[at] ^= 1 << below(8);
        break;
      case 1:
        bytes[at] = below(256);
        break;
      case 2:
      case 3: {
        const number = new DataView(new ArrayBuffer(8));
        number.setBigInt64(0, BigInt(NASTY[below(NASTY.length)]), true);
        const size = [1, 2, 4, 8][below(4)];
        bytes.set(new Uint8Array(number.buffer, 0, Math.min(size, bytes.length - at)), at);
        break;
      }
      case 4: {
        const from = begin + below(end - begin);
        bytes.set(bytes.slice(from, from + Math.min(below(64), bytes.length - at)), at);
        break;
      }
      case 5: {
        const length = below(32);
        const cut = below(8) === 0; // mostly remove some bytes, at times everything behind
        bytes = cut
          ? bytes.slice(0, at)
          : new Uint8Array([...bytes.subarray(0, at), ...bytes.subarray(at + length)]);
        break;
      }
    }
  }
  return bytes;
}

/** Feeds mutations to a parser: each must be parsed or refused with a SottoError, and both must happen. */
async function fuzz(
  rounds: number,
  seed: number,
  { bytes, range }: { readonly bytes: Bytes; readonly range?: readonly [number, number] },
  parse: (bytes: Bytes) => unknown,
): Promise<void> {
  const random = seededRandom(seed);
  let refused = 0;
  for (let round = 0; round < rounds; round++) {
    const mutation = mutate(bytes, random, range ?? [0, bytes.length]);
    try {
      await parse(mutation);
    } catch (error) {
      refused++;
      assert.ok(error instanceof SottoError, `seed ${seed}, round ${round}: ${(error as Error).stack}`);
      assert.ok(
        error.message.length < 1500,
        `seed ${seed}, round ${round}: a message of ${error.message.length}`,
      );
    }
  }
  assert.ok(refused > rounds / 10 && refused < rounds, `${refused} of ${rounds} were refused`);
}

Deno.test("readSafetensors() survives 4,000 mutations", async () => {
  const header = {
    __metadata__: { format: "pt" },
    "a.weight": { dtype: "F32", shape: [2, 3], data_offsets: [0, 24] },
    "b.weight": { dtype: "F16", shape: [4], data_offsets: [24, 32] },
  };
  await fuzz(4000, 1, { bytes: safetensorsFile(header, 32) }, (bytes) => readSafetensors({ bytes }));
});

Deno.test("openOpenaiPt() survives 3,000 mutations of the pickle and of the zip directory", async () => {
  const bytes = await Deno.readFile(TORCH_TINY) as Bytes;
  // With no tokenizer.json for its eight tokens, bytes in memory get as far as the vocabulary.
  const open = async (bytes: Bytes): Promise<void> => {
    using source = await openByteSource({ bytes });
    await openOpenaiPt(source).catch((error) => {
      if (error.code !== "E_TOKENIZER") throw error;
    });
  };
  await open(bytes);
  const directory = new DataView(bytes.buffer).getUint32(bytes.length - 6, true);
  await fuzz(1500, 2, { bytes, range: [0, 6000] }, open);
  await fuzz(1500, 3, { bytes, range: [directory, bytes.length] }, open);
});

Deno.test("openGgml() survives 2,000 mutations of its header, vocabulary and tensors", async () => {
  const tokens = Array.from({ length: 8 }, (_, id) => Uint8Array.of(id));
  const bytes = await writeGgml(await tinyCheckpoint(), { tokens });
  const open = async (bytes: Bytes): Promise<void> => {
    using source = await openByteSource({ bytes });
    await openGgml(source);
  };
  const vocabulary = 4 + 11 * 4 + 8 + 80 * 201 * 4;
  await fuzz(500, 4, { bytes, range: [0, 56] }, open);
  await fuzz(1500, 5, { bytes, range: [vocabulary, bytes.length] }, open);
});

Deno.test("parseGenerationConfig() survives 3,000 mutations", async () => {
  const bytes = await Deno.readFile(`${DEMO}/generation_config.json`) as Bytes;
  const dims = {
    n_audio_ctx: 1500,
    n_vocab: 2370,
    n_text_ctx: 448,
    n_text_state: 128,
    n_text_head: 2,
    n_text_layer: 3,
  };
  await fuzz(3000, 6, { bytes }, (bytes) => {
    parseGenerationConfig(parseStrictJson(bytes, "test"), dims, { name: "test", warn: () => {} });
  });
});
