import assert from "node:assert/strict";
import { SottoError } from "../../errors.ts";
import { cropMatrix, padMatrix, roundUp } from "../../tensor/pad.ts";
import { uniformValues } from "./_values.ts";

Deno.test("padMatrix() adds zeros, cropMatrix() takes them away again", () => {
  const values = uniformValues(6, 1);
  const padded = padMatrix(values, [2, 3], [4, 5]);
  for (let r = 0; r < 4; r++) {
    for (let c = 0; c < 5; c++) assert.equal(padded[r * 5 + c], r < 2 && c < 3 ? values[r * 3 + c] : 0);
  }
  assert.deepEqual(cropMatrix(padded, [4, 5], [2, 3]), values);
  const codes = Int8Array.of(1, 2);
  assert.deepEqual(padMatrix(codes, [1, 2], [1, 3]), Int8Array.of(1, 2, 0));
});

Deno.test("padMatrix() and cropMatrix() copy nothing where a view serves", () => {
  const values = uniformValues(6, 1);
  assert.equal(padMatrix(values, [2, 3], [2, 3]), values);
  assert.equal(cropMatrix(values, [2, 3], [1, 3]).buffer, values.buffer);
  assert.equal(roundUp(33, 8), 40);
  assert.equal(roundUp(40, 8), 40);
});

Deno.test("padMatrix() and cropMatrix() refuse sizes that do not fit", () => {
  const values = uniformValues(6, 1);
  for (
    const run of [
      () => padMatrix(values, [2, 3], [1, 3]),
      () => padMatrix(values, [3, 3], [4, 4]),
      () => padMatrix(values, [2, 3], [2, NaN]),
      () => cropMatrix(values, [2, 3], [2, 4]),
      () => cropMatrix(values, [3, 3], [2, 3]),
    ]
  ) {
    assert.throws(run, (error) => error instanceof SottoError && error.code === "E_OPTION");
  }
});
