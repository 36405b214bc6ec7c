import { hzToMel, melFilters, melToHz } from "../../mel/filterbank.ts";
import { testWithData } from "../support/shared_data.ts";
import { readNpz } from "./_npz.ts";
import assert from "node:assert/strict";

testWithData("melFilters() equals the banks Whisper was trained with", ["mel_filters.npz"], async (path) => {
  const trained = readNpz(await Deno.readFile(path));
  for (const bands of [80, 128]) {
    const { weights } = melFilters(bands);
    const expected = trained[`mel_${bands}`];
    assert.equal(weights.length, expected.length);
    const worst = weights.reduce((max, w, i) => Math.max(max, Math.abs(w - expected[i])), 0);
    assert.ok(worst <= 1e-7, `${bands} bands: ${worst} off`);
  }
});

Deno.test("melFilters() gives every band a triangle that is not empty and nothing below 0", () => {
  for (const bands of [1, 40, 80, 128]) {
    const filters = melFilters(bands);
    assert.equal(filters.bands, bands);
    assert.equal(filters.weights.length, bands * 201);
    assert.ok(filters.weights.every((w) => w >= 0 && Number.isFinite(w)));
    for (let band = 0; band < bands; band++) {
      assert.ok(
        filters.weights.subarray(band * 201, (band + 1) * 201).some((w) => w > 0),
        `band ${band} of ${bands}`,
      );
    }
    assert.equal(melFilters(bands), filters, "made once");
  }
});

Deno.test("melFilters() refuses what is no count of bands", () => {
  for (const bands of [0, -1, 1.5, NaN]) assert.throws(() => melFilters(bands), { code: "E_OPTION" });
});

Deno.test("hzToMel() and melToHz() invert each other and join at 1000 Hz, 15 mel", () => {
  for (const hz of [0, 20, 999.9, 1000, 1000.1, 6400, 8000]) {
    assert.ok(Math.abs(melToHz(hzToMel(hz)) - hz) < 1e-9 * (1 + hz));
  }
  assert.ok(Math.abs(hzToMel(1000) - 15) < 1e-12);
  assert.ok(Math.abs(hzToMel(6400) - 42) < 1e-12);
});
