import { match, strictEqual } from "node:assert/strict";
import { markdownTable, reportMarkdown } from "../../bench/markdown.ts";

const REPORT = {
  machine: { device: "AMD EPYC, avx512, 2 threads", f32Peak: 500e9, readBandwidth: 50e9 },
  rows: [{ what: "encoder", time: { min: 0.2, median: 0.25 }, verdicts: [{ goal: "≤ 1e-4", met: true }] }],
  skipped: [],
};
const WHEN = { date: "2026-01-02", command: "deno task bench", load: 0.1, cores: 2, versions: "Deno 2" };

Deno.test("markdownTable() aligns numbers to the right, names and verdicts to the left", () => {
  strictEqual(
    markdownTable(["", "min, ms", "verdict"], [["encoder", "9.00", "ok"], ["a", "10.00", ""]]),
    [
      "|         | min, ms | verdict |",
      "| ------- | ------: | ------- |",
      "| encoder |    9.00 | ok      |",
      "| a       |   10.00 |         |",
    ].join("\n"),
  );
});

Deno.test("reportMarkdown() says when, on what and how, and leaves out what was not measured", () => {
  const text = reportMarkdown(REPORT, WHEN);
  match(
    text,
    /^# Benchmark: AMD EPYC, avx512, 2 threads\n\n2026-01-02, Deno 2\. The machine did nothing else\./,
  );
  match(text, /\| encoder +\| +200\.0 \| +250\.0 \|/);
  match(text, /\n {4}deno task bench\n/);
  strictEqual(/^## (.*)$/m.exec(text)?.[1], "Stages");
  strictEqual(text.match(/^## /gm)?.length, 1);
});

Deno.test("reportMarkdown() says that the machine did other work", () => {
  match(reportMarkdown(REPORT, { ...WHEN, load: 3.25 }), /did other work too \(load 3\.3 on 2 cores/);
});
