/**
 * A comparison of two tensors as figures and a histogram of the errors' sizes.
 *
 * @module
 */

import type { Comparison } from "../tensor/compare.ts";
import type { MediaBundle } from "./display.ts";
import { Html, html } from "./html.ts";
import { plotSvg } from "./plot.ts";

/** What a notebook shows of a comparison. */
export async function drawComparison(comparison: Comparison): Promise<MediaBundle> {
  const figures = figuresOf(comparison);
  const plain = figures.map(([name, value]) => `${name.padEnd(16)} ${value}`).join("\n");
  const svg = await comparisonSvg(comparison).catch((error: Error) => error);
  const plot = typeof svg === "string" ? new Html(svg) : html`<i>No plot: ${svg.message}</i>`;
  const rows = figures.map(([name, value]) =>
    html`
      <tr>
        <td style="text-align:left; padding:2px 16px 2px 0; opacity:.7">${name}</td>
        <td style="text-align:right; padding:2px 0; font-variant-numeric:tabular-nums">${value}</td>
      </tr>
    `
  );
  const table = html`<table style="border-collapse:collapse; font-size:14px; margin:0">${rows}</table>`;
  return {
    "text/html": html`
      <div
        style="font-family:system-ui,sans-serif; display:flex; gap:32px; align-items:center; flex-wrap:wrap">${table}${plot}</div>
    `
      .text,
    ...(typeof svg === "string" ? { "image/svg+xml": svg } : {}),
    "text/plain": plain,
  };
}

/**
 * How many errors are how large, a bar for each power of ten, as SVG.
 *
 * @throws {TypeError} if the plotting packages cannot be fetched.
 */
export async function comparisonSvg({ histogram }: Comparison): Promise<string> {
  const { bounds, counts } = histogram;
  const total = counts.reduce((sum, count) => sum + count, 0);
  const bars = counts.map((count, i) => ({
    size: i < bounds.length ? `≤ ${power(bounds[i])}` : `> ${power(bounds[i - 1])}`,
    share: total === 0 ? 0 : 100 * count / total,
  }));
  return await plotSvg((plot) => ({
    width: 520,
    height: 230,
    marginBottom: 42,
    x: {
      label: "error ÷ root mean square of the expected values",
      labelAnchor: "center",
      domain: bars.map(({ size }) => size),
    },
    y: { label: "values, %", grid: true, domain: [0, 100] },
    marks: [
      plot.barY(bars, { x: "size", y: "share", fill: "#2c7fb8" }),
      plot.text(bars.filter(({ share }) => share > 0), {
        x: "size",
        y: "share",
        text: ({ share }: { share: number }) => share < 0.1 ? "< 0.1" : share.toFixed(1),
        dy: -7,
      }),
      plot.ruleY([0]),
    ],
  }));
}

function figuresOf(comparison: Comparison): [name: string, value: string][] {
  const { count, nonFinite, relativeL2, snr, cosine, mse, mae, max, maxIndex } = comparison;
  return [
    ["values", count.toLocaleString("en")],
    ...(nonFinite > 0 ? [["not finite", nonFinite.toLocaleString("en")] as [string, string]] : []),
    ["relative L2 error", relativeL2 === null ? "–" : `${Number((100 * relativeL2).toPrecision(3))} %`],
    ["signal to noise", snr === null ? "–" : `${snr.toFixed(1)} dB`],
    ["cosine", cosine === null ? "–" : cosine.toFixed(6)],
    ["mean squared error", figure(mse)],
    ["mean absolute error", figure(mae)],
    ["largest error", figure(max)],
    ["… at index", maxIndex === null ? "–" : maxIndex.toLocaleString("en")],
  ];
}

const figure = (value: number | null): string => value === null ? "–" : value.toPrecision(3);

/** `10⁻³` */
function power(value: number): string {
  const digits = "⁰¹²³⁴⁵⁶⁷⁸⁹";
  const exponent = Math.round(Math.log10(value));
  const text = [...String(Math.abs(exponent))].map((digit) => digits[Number(digit)]).join("");
  return exponent === 0 ? "1" : exponent === 1 ? "10" : `10${exponent < 0 ? "⁻" : ""}${text}`;
}
