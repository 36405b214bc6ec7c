import { openPortableDevice } from "../../kernels/portable/device.ts";
import type { DecoderDimensions } from "../../model/dimensions.ts";
import { decoderTensors } from "../../model/weight_names.ts";
import * as naive from "./_naive.ts";
import { assertNear, type Matrix, matrix } from "./_naive.ts";
import { Random } from "./_random.ts";
import { makeWeights } from "./_weights.ts";
import assert from "node:assert/strict";

const TINY: DecoderDimensions = {
  n_audio_ctx: 9,
  n_vocab: 31,
  n_text_ctx: 12,
  n_text_state: 6,
  n_text_head: 2,
  n_text_layer: 2,
};
const { n_audio_ctx: T, n_text_state: C, n_vocab: V } = TINY;

const random = new Random(30);
const { store, values } = makeWeights(decoderTensors(TINY), (length) => random.array(length, 0.7));
const FEATURES = random.array(T * C);

/** Logits [n, V] of all positions by the formulas, without any cache. */
function naiveDecoder(tokens: readonly number[], features: Float32Array): Matrix {
  const linear = (x: Matrix, name: string) =>
    naive.linear(x, matrix(values[`${name}.weight`], x[0].length), values[`${name}.bias`]);
  const norm = (x: Matrix, name: string) =>
    naive.layerNorm(x, values[`${name}.weight`], values[`${name}.bias`]);
  const embedding = matrix(values["decoder.token_embedding.weight"], C);
  const positions = matrix(values["decoder.positional_embedding"], C);
  const audio = matrix(features, C);
  let x = naive.add(tokens.map((token) => embedding[token]), positions);
  for (let layer = 0; layer < TINY.n_text_layer; layer++) {
    const attend = (name: string, over: Matrix | null, visible?: (row: number) => number): Matrix => {
      const normed = norm(x, `${name}_ln`);
      const source = over ?? normed;
      const mixed = naive.attention(
        linear(normed, `${name}.query`),
        linear(source, `${name}.key`),
        linear(source, `${name}.value`),
        TINY.n_text_head,
        visible,
      );
      return naive.add(x, linear(mixed, `${name}.out`));
    };
    const block = `decoder.blocks.${layer}`;
    x = attend(`${block}.attn`, null, (row) => row + 1);
    x = attend(`${block}.cross_attn`, audio);
    const hidden = linear(norm(x, `${block}.mlp_ln`), `${block}.mlp.0`).map((row) => row.map(naive.gelu));
    x = naive.add(x, linear(hidden, `${block}.mlp.2`));
  }
  return naive.linear(norm(x, "decoder.ln"), embedding);
}

async function withSession(hypotheses: number, body: (session: Session) => Promise<void>): Promise<void> {
  using device = openPortableDevice();
  using decoder = await device.loadDecoder(TINY, store);
  using session = decoder.open(hypotheses);
  await session.setFeatures(FEATURES);
  await body(session);
}
type Session = ReturnType<Awaited<ReturnType<ReturnType<typeof openPortableDevice>["loadDecoder"]>>["open"]>;

Deno.test("step() gives the formulas' logits, all tokens at once or one by one", async () => {
  const tokens = [3, 30, 0, 7, 7, 12];
  const expected = naiveDecoder(tokens, FEATURES);
  await withSession(1, async (session) => {
    const rows = tokens.map((_, i) => i);
    assertNear(await session.step(Int32Array.from(tokens), 1, 0, rows), expected, 1e-5);
    for (const [i, token] of tokens.entries()) {
      assertNear(await session.step(Int32Array.of(token), 1, i), expected[i], 1e-5);
    }
    assertNear(await session.step(Int32Array.from(tokens), 1, 0), expected[5], 1e-5);
    const two = await session.step(Int32Array.from(tokens), 1, 0, [4, 1]);
    assertNear(two, [expected[4], expected[1]], 1e-5);
  });
});

Deno.test("step() keeps sequences apart and overwrites behind a position", async () => {
  await withSession(3, async (session) => {
    const prompts = [[1, 2, 3], [4, 5, 6], [7, 8, 9]];
    const logits = await session.step(Int32Array.from(prompts.flat()), 3, 0);
    assertNear(logits, prompts.map((prompt) => naiveDecoder(prompt, FEATURES)[2]), 1e-5);
    const next = await session.step(Int32Array.of(10, 11), 2, 1); // sequences 0 and 1, from their second token on
    assertNear(next, [naiveDecoder([1, 10], FEATURES)[1], naiveDecoder([4, 11], FEATURES)[1]], 1e-5);
  });
});

Deno.test("reorder() copies, moves and swaps sequences", async () => {
  await withSession(4, async (session) => {
    await session.step(Int32Array.of(1, 2, 3, 4, 5, 6), 3, 0);
    await session.reorder([2, 0, 2, 1]);
    const sources = [[5, 6], [1, 2], [5, 6], [3, 4]];
    const added = [20, 21, 22, 23];
    const logits = await session.step(Int32Array.from(added), 4, 2);
    assertNear(logits, sources.map((source, i) => naiveDecoder([...source, added[i]], FEATURES)[2]), 1e-5);
    await session.reorder([1]); // the others stay
    const again = await session.step(Int32Array.of(9, 9), 2, 3);
    assertNear(again, [0, 1].map(() => naiveDecoder([1, 2, 21, 9], FEATURES)[3]), 1e-5);
  });
});

Deno.test("setFeatures() empties the cache and takes the new window", async () => {
  const other = new Random(31).array(T * C);
  await withSession(1, async (session) => {
    await session.step(Int32Array.of(1, 2), 1, 0);
    await session.setFeatures(other);
    await assert.rejects(session.step(Int32Array.of(1), 1, 2), { code: "E_OPTION" });
    assertNear(await session.step(Int32Array.of(5), 1, 0), naiveDecoder([5], other)[0], 1e-5);
  });
});

Deno.test("step() refuses what it cannot decode and says the rule and the value", async () => {
  await withSession(2, async (session) => {
    const refused = async (
      rule: RegExp,
      tokens: number[],
      sequences: number,
      position: number,
      rows?: number[],
    ) => {
      const step = session.step(Int32Array.from(tokens), sequences, position, rows);
      await assert.rejects(step, { code: "E_OPTION", message: rule });
    };
    await refused(/tokens in 0…30, got 31/, [31], 1, 0);
    await refused(/tokens in 0…30, got -1/, [-1], 1, 0);
    await refused(/context is full: .* 12 tokens, got 13/, new Array(13).fill(1), 1, 0);
    await refused(/1…2 sequences, got 3/, [1, 1, 1], 3, 0);
    await refused(/as many tokens .* got 3/, [1, 1, 1], 2, 0);
    await refused(/as many tokens .* got 0/, [], 1, 0);
    await refused(/position in 0…0, got 1/, [1], 1, 1);
    await refused(/rows in 0…0, got 1/, [1], 1, 0, [1]);
    await assert.rejects(session.reorder([0, 2]), { code: "E_OPTION" });
    await assert.rejects(session.reorder([0, 0, 0]), { code: "E_OPTION" });
    await assert.rejects(session.setFeatures(new Float32Array(3)), { code: "E_OPTION" });
    assertNear(await session.step(Int32Array.of(5), 1, 0), naiveDecoder([5], FEATURES)[0], 1e-5);
  });
});

Deno.test("a portable session answers E_BUSY while it works and after disposal", async () => {
  using device = openPortableDevice();
  const decoder = await device.loadDecoder(TINY, store);
  assert.throws(() => decoder.open(0), { code: "E_OPTION" });
  const session = decoder.open(1);
  await assert.rejects(session.step(Int32Array.of(1), 1, 0), { code: "E_OPTION", message: /features/ });
  await session.setFeatures(FEATURES);
  const running = session.step(Int32Array.of(1), 1, 0);
  await assert.rejects(session.step(Int32Array.of(1), 1, 0), { code: "E_BUSY" });
  assert.throws(() => session[Symbol.dispose](), { code: "E_BUSY" });
  assert.equal((await running).length, V);
  session[Symbol.dispose]();
  await assert.rejects(session.step(Int32Array.of(1), 1, 0), { code: "E_BUSY" });
  decoder[Symbol.dispose]();
  assert.throws(() => decoder.open(1), { code: "E_BUSY" });
  device[Symbol.dispose]();
  await assert.rejects(device.loadDecoder(TINY, store), { code: "E_BUSY" });
});
