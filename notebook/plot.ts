/**
 * Plots as SVG by Observable Plot, over linkedom's document: Deno has none of its own.
 *
 * Both come from npm when the first plot is drawn: who draws nothing downloads nothing.
 *
 * @module
 */

import { importNpm } from "../npm_module.ts";

/** The packages, pinned. */
export const PLOT_PACKAGES = {
  plot: "npm:@observablehq/plot@0.6.17",
  document: "npm:linkedom@0.18.12",
} as const;

/** The part of Observable Plot that is used here; options as its documentation says. */
export interface PlotLibrary {
  /** A plot as an SVG element. */
  plot(options: Record<string, unknown>): { readonly outerHTML: string };
  /** Vertical bars. */
  barY(data: readonly unknown[], options: Record<string, unknown>): unknown;
  /** Horizontal bars. */
  barX(data: readonly unknown[], options: Record<string, unknown>): unknown;
  /** A line through points. */
  lineY(data: readonly unknown[], options: Record<string, unknown>): unknown;
  /** Vertical lines. */
  ruleX(data: readonly unknown[], options?: Record<string, unknown>): unknown;
  /** Horizontal lines. */
  ruleY(data: readonly unknown[], options?: Record<string, unknown>): unknown;
  /** Texts at places. */
  text(data: readonly unknown[], options: Record<string, unknown>): unknown;
}

/**
 * Draws a plot.
 *
 * @param describe Makes the options of `Plot.plot()`.
 * @returns An `<svg>` element that stands by itself.
 * @throws {TypeError} if the packages cannot be fetched.
 */
export async function plotSvg(describe: (library: PlotLibrary) => Record<string, unknown>): Promise<string> {
  const library = await importNpm(PLOT_PACKAGES.plot) as PlotLibrary;
  const { parseHTML } = await importNpm(PLOT_PACKAGES.document) as {
    parseHTML(html: string): { document: unknown };
  };
  const { document } = parseHTML("<html></html>");
  const svg = library.plot({ document, ...describe(library) }).outerHTML;
  return svg.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ');
}
