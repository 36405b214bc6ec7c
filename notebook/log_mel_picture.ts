/**
 * A log-mel spectrogram as a picture: time to the right, frequency upwards, loudness as colour.
 *
 * @module
 */

import type { LogMel } from "../mel/log_mel.ts";
import { FRAMES_PER_SECOND, SAMPLE_RATE } from "../mel/constants.ts";
import { hzToMel } from "../mel/filterbank.ts";
import type { MediaBundle } from "./display.ts";
import { type Colour, writePng } from "./png.ts";
import { drawText, textWidth } from "./stroke_font.ts";

/** Of viridis, the default of matplotlib (CC0): its lightness rises evenly, so that equal steps look equal. */
const VIRIDIS: readonly Colour[] = [
  [68, 1, 84],
  [71, 44, 122],
  [59, 81, 139],
  [44, 113, 142],
  [33, 144, 141],
  [39, 173, 129],
  [92, 200, 99],
  [170, 220, 50],
  [253, 231, 37],
];

/** Entries of the palette: first the colours of loudness, then greys from white to black. */
const LOUDNESS = 224;
const GREYS = 32;

/** Below the loudest value lies silence: Whisper cuts there. */
const LOUDNESS_RANGE = 2;

/** All in pixels. */
const MOST_COLUMNS = 900;
const FEWEST_COLUMNS = 300;
const BAND_ROWS = 3;
const LEFT = 62;
const RIGHT = 34;
const TOP = 12;
const BOTTOM = 34;
const CAP_HEIGHT = 11;
const TICK = 5;

const FREQUENCIES: readonly (readonly [hz: number, label: string])[] = [
  [250, "250 Hz"],
  [500, "500 Hz"],
  [1000, "1 kHz"],
  [2000, "2 kHz"],
  [4000, "4 kHz"],
];

/** Steps of the time axis in seconds, of which the first is taken that gives at most ten. */
const TIME_STEPS = [0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 60, 120, 300, 600, 1800, 3600];

/** Draws a log-mel as PNG with axes; one row of 30 s is 996 × 286 pixels at 80 bands. */
export function logMelPng(mel: LogMel): Uint8Array<ArrayBuffer> {
  const columns = Math.min(MOST_COLUMNS, Math.max(FEWEST_COLUMNS, mel.frames));
  const picture = new Picture(LEFT + columns + RIGHT, TOP + mel.bands * BAND_ROWS + BOTTOM);
  drawLoudness(picture, mel, columns);
  drawFrequencyAxis(picture, mel.bands);
  drawTimeAxis(picture, mel, columns);
  return writePng(picture.pixels, picture.width, palette());
}

/** What a notebook shows of a log-mel. */
export function drawLogMel(mel: LogMel): MediaBundle {
  const seconds = (mel.frames / FRAMES_PER_SECOND).toFixed(2);
  return {
    "image/png": logMelPng(mel).toBase64(),
    "text/plain": `LogMel: ${mel.bands} bands × ${mel.frames} frames (${seconds} s)`,
  };
}

/** Pixels that are palette entries. */
class Picture {
  readonly pixels: Uint8Array;

  constructor(readonly width: number, readonly height: number) {
    this.pixels = new Uint8Array(width * height).fill(LOUDNESS);
  }

  /** Colours a pixel with a loudness of 0…1. */
  loudness(x: number, y: number, value: number): void {
    this.pixels[y * this.width + x] = Math.round(Math.min(1, Math.max(0, value)) * (LOUDNESS - 1));
  }

  /** Darkens a pixel to at least `grey`, 0 white to 1 black. */
  ink(x: number, y: number, grey: number): void {
    const place = y * this.width + x;
    this.pixels[place] = Math.max(this.pixels[place], LOUDNESS + Math.round(grey * (GREYS - 1)));
  }

  text(text: string, x: number, y: number): void {
    drawText(text, { x, y, height: CAP_HEIGHT }, (x, y, coverage) => this.ink(x, y, 0.8 * coverage));
  }
}

function drawLoudness(picture: Picture, { data, bands, frames }: LogMel, columns: number): void {
  let loudest = -Infinity;
  for (const value of data) if (value > loudest) loudest = value;
  for (let column = 0; column < columns; column++) {
    const from = Math.floor(column * frames / columns);
    const to = Math.max(from + 1, Math.floor((column + 1) * frames / columns));
    for (let band = 0; band < bands; band++) {
      // The loudest of the frames that share a column: short sounds stay visible.
      let value = -Infinity;
      for (let frame = from; frame < Math.min(to, frames); frame++) {
        value = Math.max(value, data[band * frames + frame]);
      }
      const height = (value - loudest + LOUDNESS_RANGE) / LOUDNESS_RANGE;
      for (let row = 0; row < BAND_ROWS; row++) {
        picture.loudness(LEFT + column, TOP + (bands - 1 - band) * BAND_ROWS + row, height);
      }
    }
  }
}

function drawFrequencyAxis(picture: Picture, bands: number): void {
  const top = hzToMel(SAMPLE_RATE / 2);
  let below = Infinity;
  for (const [hz, label] of FREQUENCIES) {
    // Band b is centred on the mel top · (b + 1) / (bands + 1).
    const band = hzToMel(hz) / top * (bands + 1) - 1;
    const y = Math.round(TOP + (bands - band - 0.5) * BAND_ROWS);
    if (y < TOP || below - y < CAP_HEIGHT + 4) continue;
    below = y;
    for (let x = LEFT - TICK; x < LEFT; x++) picture.ink(x, y, 0.6);
    const width = textWidth(label, CAP_HEIGHT);
    picture.text(label, LEFT - TICK - 5 - width, y + CAP_HEIGHT / 2);
  }
}

function drawTimeAxis(picture: Picture, { bands, frames }: LogMel, columns: number): void {
  const seconds = frames / FRAMES_PER_SECOND;
  const axis = TOP + bands * BAND_ROWS;
  const step = TIME_STEPS.find((step) => seconds / step <= 10) ?? Math.ceil(seconds / 10);
  const digits = step < 0.1 ? 2 : step < 1 ? 1 : 0;
  for (let i = 0; i * step <= seconds + 1e-9; i++) {
    const x = LEFT + Math.min(columns - 1, Math.round(i * step / Math.max(seconds, step) * columns));
    for (let y = axis; y < axis + TICK; y++) picture.ink(x, y, 0.6);
    const label = `${(i * step).toFixed(digits)} s`;
    picture.text(label, x - textWidth(label, CAP_HEIGHT) / 2, axis + TICK + 5 + CAP_HEIGHT);
  }
}

function palette(): Colour[] {
  const loudness = Array.from({ length: LOUDNESS }, (_, i): Colour => {
    const at = i / (LOUDNESS - 1) * (VIRIDIS.length - 1);
    const from = Math.min(VIRIDIS.length - 2, Math.floor(at));
    const mix = (channel: number) =>
      Math.round(
        VIRIDIS[from][channel] + (VIRIDIS[from + 1][channel] - VIRIDIS[from][channel]) * (at - from),
      );
    return [mix(0), mix(1), mix(2)];
  });
  const greys = Array.from({ length: GREYS }, (_, i): Colour => {
    const level = Math.round(255 * (1 - i / (GREYS - 1)));
    return [level, level, level];
  });
  return [...loudness, ...greys];
}
