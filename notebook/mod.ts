/**
 * Pictures of results, for those who want them outside a notebook.
 *
 * @module
 */

export { comparisonSvg } from "./comparison_plot.ts";
export { DISPLAY, type Displayable, drawingOf, drawnBy, type MediaBundle } from "./display.ts";
export { logMelPng } from "./log_mel_picture.ts";
export { type PlotLibrary, plotSvg } from "./plot.ts";
export { wavBytes } from "./wav.ts";
export type { Comparison, ErrorHistogram } from "../tensor/compare.ts";
