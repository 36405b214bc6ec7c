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

/** Pixels: of a row, of a word's bar in its middle, of the lines of text above and below. */
const ROW_HEIGHT = 46, BAR_TOP = 19, BAR_HEIGHT = 8, BELOW = 29;

/** Rows of 6 s, on each the words as bars at their place, named above and below in turn: a short one has room for its name. */
function timeline(words: readonly TimedWord[]): Html {
  const rows = Map.groupBy(words, ({ start }) => Math.floor(start / ROW_SECONDS));
  const drawn = [...rows].map(([row, inRow]) => {
    const from = row * ROW_SECONDS;
    const boxes = inRow.map((timed, i) => {
      const left = (timed.start - from) * PIXELS_PER_SECOND;
      const width = Math.max(2, (timed.end - timed.start) * PIXELS_PER_SECOND - 2);
      const bar =
        `position:absolute; top:${BAR_TOP}px; width:100%; height:${BAR_HEIGHT}px; border-radius:3px; ` +
        `background:${colourOf(timed.probability)}`;
      const name = `position:absolute; top:${i % 2 === 0 ? 0 : BELOW}px; left:50%; ` +
        "transform:translateX(-50%); white-space:nowrap; font-size:12px; line-height:16px";
      return html`
        <div title="${describe(timed)}"
          style="position:absolute; left:${left.toFixed(1)}px; width:${width.toFixed(
            1,
          )}px; height:${ROW_HEIGHT}px">
          <div style="${bar}"></div>
          <div style="${name}">${timed.word.trim()}</div>
        </div>
      `;
    });
    return html`
      <div style="display:flex; margin:3px 0">
        <div
          style="width:64px; font-size:12px; line-height:${ROW_HEIGHT}px; opacity:.7; font-variant-numeric:tabular-nums">${clockTime(
            from,
          )}</div>
        <div style="position:relative; height:${ROW_HEIGHT}px; width:${ROW_SECONDS *
          PIXELS_PER_SECOND}px">${boxes}</div>
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
