import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import { BestLogits } from "../../decoder/best_logits.ts";
import { type LogitFilter, SuppressTokens, TimestampRules } from "../../decoder/logit_filters.ts";
import { LogitRow } from "../../decoder/logit_row.ts";
import { seededRandom } from "../../decoder/random.ts";
import { Tokenizer } from "../../decoder/mod.ts";
import { chooseAtRandom, chooseLikeliest } from "../../decoder/token_choice.ts";
import { CpuDevice } from "../../kernels/cpu/device.ts";
import type { DecoderSession, LogitReader } from "../../kernels/device.ts";
import { openCheckpoint } from "../../model/open.ts";
import { LIBRARY_PATH, testWithLibrary, variants } from "../support/cpu_library.ts";
import { PROJECT_ROOT } from "../support/shared_data.ts";

const demo = await openCheckpoint(new URL("models/demo", PROJECT_ROOT).pathname);

async function withSession(
  variant: string,
  body: (session: DecoderSession & { readonly logits: LogitReader }) => void | Promise<void>,
): Promise<void> {
  using device = CpuDevice.open({ library: LIBRARY_PATH, variant, threads: 2 });
  using decoder = await device.loadDecoder(demo.dims.decoder!, demo.weights);
  using session = decoder.open(1);
  ok(session.logits);
  await body(session as DecoderSession & { readonly logits: LogitReader });
}

/** Rows of what choices can go wrong by: ties, forbidden tokens, NaN, nothing at all, one that outweighs all. */
function hostileRows(
  size: number,
  random: () => number,
): [name: string, logits: Float32Array<ArrayBuffer>][] {
  const make = (of: (i: number) => number) => Float32Array.from({ length: size }, (_, i) => of(i));
  const spread = () => (random() + random() + random() - 1.5) * 12;
  return [
    ["random", make(spread)],
    ["ties", make(() => Math.floor(4 * random()))],
    ["all equal", make(() => 1)],
    ["rising", make((i) => i / 64)],
    ["mostly forbidden", make(() => random() < 0.99 ? -Infinity : spread())],
    ["NaN among them", make(() => random() < 0.3 ? NaN : spread())],
    ["nothing allowed", make(() => random() < 0.5 ? NaN : -Infinity)],
    ["one sure", make((i) => i === size >> 1 ? 40 : -80 + spread())],
    ["±0", make(() => random() < 0.5 ? 0 : -0)],
  ];
}

for (const variant of variants()) {
  testWithLibrary(
    `a session's logits are read as in TypeScript, the highest exactly (${variant})`,
    async () => {
      await withSession(variant, ({ logits: reader }) => {
        for (const size of [1, 63, 64, 65, 130, 1024, 1501]) {
          for (const [name, logits] of hostileRows(size, seededRandom(size))) {
            for (const part of [{ from: 0, to: size }, { from: size >> 2, to: size - (size >> 3) }]) {
              for (const most of [1, 2, 6]) {
                const [native, portable] = [new BestLogits(most), new BestLogits(most)];
                native.scan(logits, part, reader);
                portable.scan(logits, part);
                const found = (best: BestLogits) => [...best.tokens.subarray(0, best.count)];
                deepStrictEqual(found(native), found(portable), `${name}, ${size}, ${most}`);
                strictEqual(native.highest, portable.highest);
              }
            }
          }
        }
      });
    },
  );

  testWithLibrary(`rules and choices are those of TypeScript, drawn ones too (${variant})`, async () => {
    const tokenizer = await Tokenizer.from(demo.vocabulary!, { vocabularySize: demo.dims.decoder!.n_vocab });
    const { special, nonSpeechTokens, vocabularySize } = tokenizer;
    const filters: LogitFilter[] = [new SuppressTokens(nonSpeechTokens), new TimestampRules(special, 50)];
    const begin = special.timestampBegin;
    await withSession(variant, ({ logits: reader }) => {
      for (
        const written of [[], [begin], [begin, 5, 6], [begin, 5, begin + 20], [
          begin,
          5,
          begin + 20,
          begin + 20,
        ]]
      ) {
        for (const [name, logits] of hostileRows(vocabularySize, seededRandom(written.length))) {
          const rows = [reader, undefined].map((reader) => {
            const row = new LogitRow(logits.slice(), begin, { most: 6, logits: reader });
            for (const filter of filters) filter.apply(row, written);
            return row;
          });
          const ranked = rows.map((row) => {
            const found: [number, number][] = [];
            row.forBest((token, logit) => found.push([token, logit]));
            return found;
          });
          deepStrictEqual(ranked[0], ranked[1], `${name} after ${written}`);
          for (
            const choose of [() => chooseLikeliest, (seed: number) => chooseAtRandom(0.4, seededRandom(seed))]
          ) {
            for (let seed = 0; seed < 8; seed++) {
              const [native, portable] = rows.map((row) => choose(seed)(row));
              strictEqual(native.token, portable.token, `${name} after ${written}`);
              ok(
                Math.abs(native.logprob - portable.logprob) < 2e-6,
                `${native.logprob}, ${portable.logprob}`,
              );
            }
          }
        }
      }
    });
  });
}

testWithLibrary("a session refuses to read logits that are not there", async () => {
  const logits = Float32Array.of(1, 2, 3);
  let reader: LogitReader;
  await withSession("", (session) => {
    reader = session.logits;
    const wrong = { code: "E_NATIVE", message: /within them: got 3/ };
    for (const part of [{ from: 0, to: 4 }, { from: -1, to: 2 }, { from: 2, to: 1 }]) {
      throws(() => reader.best(logits, part, new Int32Array(1)), wrong);
      throws(() => reader.sum(logits, part, 3), wrong);
    }
    throws(() => reader.best(logits, { from: 0, to: 3 }, new Int32Array(0)), { code: "E_NATIVE" });
    strictEqual(reader.best(logits, { from: 3, to: 3 }, new Int32Array(1)), 0);
    strictEqual(reader.sum(logits, { from: 3, to: 3 }, 3), 0);
  });
  throws(() => reader.sum(logits, { from: 0, to: 3 }, 3), { code: "E_BUSY" });
});
