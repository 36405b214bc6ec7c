/**
 * Words with their times: a line of text to point at, and a timeline.
 *
 * @module
 */

import { clockTime } from "./clock_time.ts";
import type { MediaBundle } from "./display.ts";
import { type Html, html } from "./html.ts";

/** A word as the decoder times it. */
export interface TimedWord {
  readonly word: string;
  /** Seconds. */
  readonly start: number;
  /** Seconds. */
  readonly end: number;
  /** 0…1 */
  readonly probability: number;
}

/** The words as text; each tells its time and probability when pointed at, and is underlined by probability. */
export function wordSpans(words: readonly TimedWord[]): Html[] {
  return words.map((timed) =>
    html`${timed.word.startsWith(" ") ? " " : ""}<span title="${
      describe(timed)
    }" style="border-bottom:2px solid ${colourOf(timed.probability)}">${timed.word.trim()}</span>`
  );
}

/** What a notebook shows of words. */
export function drawWords(words: readonly TimedWord[]): MediaBundle {
  return {
    "text/html": timeline(words).text,
    "text/plain": words.map((timed) => `${timed.word.trim()} ${describe(timed)}`).join("\n"),
  };
}

/** Pixels a second of the timeline, and of its rows. */
const PIXELS_PER_SECOND = 160;
const ROW_SECONDS = 6;

/** Rows of 6 s, on each the words as boxes at their place. */
function timeline(words: readonly TimedWord[]): Html {
  const rows = Map.groupBy(words, ({ start }) => Math.floor(start / ROW_SECONDS));
  const drawn = [...rows].map(([row, inRow]) => {
    const from = row * ROW_SECONDS;
    const boxes = inRow.map((timed) => {
      const left = (timed.start - from) * PIXELS_PER_SECOND;
      const width = Math.max(2, (timed.end - timed.start) * PIXELS_PER_SECOND - 2);
      return html`
        <div title="${describe(timed)}"
          style="position:absolute; box-sizing:border-box; left:${left.toFixed(1)}px; width:${width.toFixed(
            1,
          )}px; height:26px; line-height:24px; overflow:hidden; text-overflow:ellipsis; white-space:nowrap; text-align:center; font-size:12px; border-radius:3px; background:#8882; border-bottom:3px solid ${colourOf(
            timed.probability,
          )}">${timed.word.trim()}</div>
      `;
    });
    return html`
      <div style="display:flex; margin:3px 0">
        <div
          style="width:64px; font-size:12px; line-height:26px; opacity:.7; font-variant-numeric:tabular-nums">${clockTime(
            from,
          )}</div>
        <div style="position:relative; height:26px; width:${ROW_SECONDS * PIXELS_PER_SECOND}px">${boxes}</div>
      </div>
    `;
  });
  return html`<div style="font-family:system-ui,sans-serif; overflow-x:auto">${drawn}</div>`;
}

function describe({ start, end, probability }: TimedWord): string {
  return `${clockTime(start)} – ${clockTime(end)}, ${Math.round(100 * probability)} %`;
}

/** Blue where the model was sure, orange where it guessed. */
function colourOf(probability: number): string {
  return `color-mix(in oklab, #2c7fb8 ${Math.round(100 * probability)}%, #e6772e)`;
}
