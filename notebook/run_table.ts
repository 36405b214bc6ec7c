/**
 * A run report as a table, with a bar of where the time went.
 *
 * @module
 */

import type { RunReport } from "../run_report.ts";
import type { MediaBundle } from "./display.ts";
import { type Html, html } from "./html.ts";

const STAGES = [["mel", "log-mel", "#7fcdbb"], ["encoder", "encoder", "#2c7fb8"], [
  "decoder",
  "decoder",
  "#e6a15c",
]] as const;

/** What a notebook shows of a run. */
export function drawRun(run: RunReport): MediaBundle {
  const facts = [
    ["device", `${run.device}: ${run.description}`],
    ["encoder", run.arithmetic.encoder],
    ["decoder", run.arithmetic.decoder],
    [
      "recording",
      `${seconds(run.seconds.audio)}, ${run.windows} ${run.windows === 1 ? "window" : "windows"}`,
    ],
    ["time", `${seconds(run.seconds.total)}, ${run.realTimeFactor.toFixed(1)} × real time`],
    ...(run.npu
      ? [[
        "NPU",
        `${run.npu.launches} launches${
          run.npu.modelled ? `, ${seconds(run.npu.modelledSeconds)} modelled` : ""
        }`,
      ]]
      : []),
    ...(run.isComplete ? [] : [["", "stopped before the end"]]),
    ...run.warnings.map(({ code, message }) => [code, message]),
  ];
  const rows = facts.map(([name, value]) =>
    html`
      <tr>
        <td style="text-align:left; padding:2px 16px 2px 0; opacity:.7">${name}</td>
        <td style="text-align:left; padding:2px 0">${value}</td>
      </tr>
    `
  );
  const picture = html`
    <div
      style="font-family:system-ui,sans-serif; font-size:14px"><table style="border-collapse:collapse; font-size:14px; margin:0 0 8px">${rows}</table>${bar(
        run,
      )}</div>
  `;
  return {
    "text/html": picture.text,
    "text/plain": facts.map(([name, value]) => `${name.padEnd(10)} ${value}`).join("\n"),
  };
}

function bar({ seconds: times }: RunReport): Html {
  const total = Math.max(times.total, Number.MIN_VALUE);
  const parts = STAGES.map(([stage, , colour]) =>
    html`<div style="width:${(100 * times[stage] / total).toFixed(2)}%; background:${colour}"></div>`
  );
  const legend = STAGES.map(([stage, name, colour]) =>
    html`<span style="margin-right:18px"><span style="color:${colour}">■</span> ${name} ${
      seconds(times[stage])
    }</span>`
  );
  return html`
    <div style="display:flex; width:480px; height:14px; border-radius:4px; overflow:hidden">${parts}</div>
    <div style="font-size:12px; margin-top:4px">${legend}</div>
  `;
}

function seconds(value: number): string {
  return value < 1 ? `${Math.round(1000 * value)} ms` : `${value.toFixed(2)} s`;
}
