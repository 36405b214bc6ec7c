import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { formatReport } from "../../bench/report.ts";
import { timingOf } from "../../bench/timing.ts";

Deno.test("formatReport() keeps within 100 columns and shows time, rate, share, error and verdict in one row", () => {
  const text = formatReport({
    machine: { device: "AMD EPYC, avx512, 2 threads", f32Peak: 500e9, readBandwidth: 50e9 },
    rows: [
      {
        what: "encoder, f32 (avx512), base",
        time: { min: 0.2127, median: 0.25 },
        rate: { value: 411e9, unit: "FLOP" },
        error: 4.7e-6,
        verdicts: [{ goal: "≤ 1e-4", met: true }],
      },
      {
        what: "step",
        rate: { value: 25e9, unit: "B" },
        verdicts: [{ goal: "0.95 ≤ 0.5 ×", met: false }],
      },
    ],
    skipped: ["the peer"],
  });
  const lines = text.split("\n");
  ok(lines.every((line) => line.length <= 100), text);
  strictEqual(lines[0], "AMD EPYC, avx512, 2 threads; peak 500 GFLOP/s, memory 50 GB/s");
  match(
    lines[3],
    /^encoder, f32 \(avx512\), base +212\.7 +250\.0 +411 GF\/s +82 % +4\.7e-6 {2}ok ≤ 1e-4$/,
  );
  match(lines[4], /^step +25 GB\/s +50 % +MISSED 0\.95 ≤ 0\.5 ×$/);
  strictEqual(lines.at(-1), "skipped: the peer");
});

Deno.test("timingOf() gives the least and the median of odd and even counts", () => {
  deepStrictEqual(timingOf([3, 1, 2]), { min: 1, median: 2 });
  deepStrictEqual(timingOf([4, 1, 3, 2]), { min: 1, median: 2.5 });
  deepStrictEqual(timingOf([7]), { min: 7, median: 7 });
});
