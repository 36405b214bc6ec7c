import assert from "node:assert/strict";
import { compare } from "../../tensor/compare.ts";
import { simulate, type SimulatedFormat } from "../../tensor/simulate.ts";
import { uniformValues } from "./_values.ts";

const [ROWS, COLUMNS] = [16, 256];

/** Signal-to-noise ratios of uniform values, in dB; each is what the format's step gives, within 1 dB. */
const EXPECTED: readonly (readonly [SimulatedFormat, number])[] = [
  [{ format: "bf16" }, 56.3],
  [{ format: "bfp16" }, 48],
  [{ format: "bfp16", rounding: "truncate" }, 42],
  [{ format: "int8" }, 48.1],
  [{ format: "int8", granularity: "row" }, 48.2],
  [{ format: "int8", granularity: "column" }, 48.6],
  [{ format: "int8", granularity: { group: 64 }, symmetric: false }, 48.5],
  [{ format: "int16" }, 96.3],
];

Deno.test("simulate() keeps uniform values at each format's signal-to-noise ratio, in place", () => {
  for (const [format, snr] of EXPECTED) {
    const values = uniformValues(ROWS * COLUMNS, 9);
    const before = values.slice();
    assert.equal(simulate(values, [ROWS, COLUMNS], format), values);
    const report = compare(values, before);
    assert.ok(Math.abs(report.snr! - snr) < 1, `${JSON.stringify(format)}: ${report.snr} dB`);
  }
});

Deno.test("simulate() changes nothing the second time", () => {
  for (const [format] of EXPECTED) {
    if (format.format === "bfp16" && format.rounding === "truncate") continue; // −128 units become −64 larger ones
    const once = simulate(uniformValues(ROWS * COLUMNS, 9), [ROWS, COLUMNS], format);
    const report = compare(simulate(once.slice(), [ROWS, COLUMNS], format), once);
    // The scale of what was quantized is the same up to rounding.
    assert.ok(report.snr === null || report.snr > 120, `${JSON.stringify(format)}: ${report.snr}`);
  }
});

Deno.test("simulate() takes shapes that no block divides", () => {
  const values = uniformValues(3 * 13, 1);
  const before = values.slice();
  assert.ok(compare(simulate(values, [3, 13], { format: "bfp16" }), before).snr! > 40);
});
