import assert from "node:assert/strict";
import { alignmentHeadsOf, officialAlignmentHeads } from "../../model/alignment_heads.ts";
import { parseGenerationConfig } from "../../model/generation_config.ts";
import { OFFICIAL_MODELS } from "../../model/official_models.ts";

/** Layers and heads of each size's decoder. */
const SIZES: Readonly<Record<string, readonly [layers: number, heads: number]>> = {
  "tiny": [4, 6],
  "base": [6, 8],
  "small": [12, 12],
  "medium": [24, 16],
  "large": [32, 20],
  "large-v3-turbo": [4, 20],
  "turbo": [4, 20],
};

Deno.test("officialAlignmentHeads() has heads for every official model, within its decoder", () => {
  for (const name of OFFICIAL_MODELS.keys()) {
    const [layers, heads] = SIZES[name] ?? SIZES[name.replace(/\.en$|-v\d$/, "")];
    const found = officialAlignmentHeads(name);
    assert.ok(found && found.length >= 5, name);
    assert.ok(found.every(([layer, head]) => layer < layers && head < heads), name);
  }
  assert.deepEqual(officialAlignmentHeads("base")?.slice(0, 3), [[3, 1], [4, 2], [4, 3]]);
  assert.deepEqual(officialAlignmentHeads("turbo"), officialAlignmentHeads("large-v3-turbo"));
  assert.equal(officialAlignmentHeads("constructor"), null);
});

/** A decoder of a size, with no heads named by the checkpoint. */
function headsOf(
  [n_text_layer, n_text_head]: readonly [number, number],
  n_vocab: number,
  name = "/models/x.pt",
) {
  const dims = {
    n_audio_ctx: 1500,
    n_vocab,
    n_text_ctx: 448,
    n_text_state: 64 * n_text_head,
    n_text_head,
    n_text_layer,
  };
  return alignmentHeadsOf({ name, generation: null }, dims);
}

Deno.test("alignmentHeadsOf() knows an official model by its size", () => {
  for (const size of ["tiny", "base", "small", "medium"]) {
    assert.deepEqual(headsOf(SIZES[size], 51_865), officialAlignmentHeads(size));
    assert.deepEqual(headsOf(SIZES[size], 51_864), officialAlignmentHeads(`${size}.en`));
  }
  assert.deepEqual(headsOf(SIZES["large"], 51_866), officialAlignmentHeads("large-v3"));
  assert.deepEqual(headsOf(SIZES["turbo"], 51_866), officialAlignmentHeads("turbo"));
});

Deno.test("alignmentHeadsOf() tells the first two large models apart by the file's name", () => {
  for (const name of ["large-v1", "large-v2"]) {
    assert.deepEqual(
      headsOf(SIZES["large"], 51_865, `/models/ggml-${name}.bin`),
      officialAlignmentHeads(name),
    );
  }
  assert.equal(headsOf(SIZES["large"], 51_865).length, 16 * 20);
});

Deno.test("alignmentHeadsOf() takes all heads of the upper half of the layers of an unknown model", () => {
  assert.deepEqual(headsOf([3, 2], 2370), [[1, 0], [1, 1], [2, 0], [2, 1]]);
  assert.deepEqual(headsOf([2, 20], 51_866).length, 20);
  assert.deepEqual(headsOf(SIZES["base"], 2370).length, 3 * 8);
});

Deno.test("alignmentHeadsOf() takes the heads that the checkpoint names, in order and each once", () => {
  const dims = {
    n_audio_ctx: 1500,
    n_vocab: 2370,
    n_text_ctx: 448,
    n_text_state: 128,
    n_text_head: 4,
    n_text_layer: 3,
  };
  const json = { alignment_heads: [[2, 1], [0, 3], [2, 1], [2, 0]] };
  const generation = parseGenerationConfig(json, dims, { name: "x", warn: () => assert.fail() });
  assert.deepEqual(alignmentHeadsOf({ name: "x", generation }, dims), [[0, 3], [2, 0], [2, 1]]);
});
