import assert from "node:assert/strict";
import { officialAlignmentHeads } from "../../model/alignment_heads.ts";
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
