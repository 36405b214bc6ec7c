/**
 * A typeface of strokes for axis labels: polylines in a box 1 high, drawn at any size with smooth edges.
 *
 * It has what labels of time and frequency need and nothing else, so that pictures need no font of the machine.
 *
 * @module
 */

/** A stroke: points from the lower left corner of the glyph, in cap heights. */
type Stroke = readonly (readonly [x: number, y: number])[];

/** Width of a glyph with the gap behind it, in cap heights. */
const ADVANCE = 0.72;

/** Widths of the glyphs that are not as wide as a figure. */
const NARROW: Readonly<Record<string, number>> = { ".": 0.3, " ": 0.35 };

/** An arc of an ellipse, counterclockwise where `to` is above `from`; in degrees from the right. */
function arc(x: number, y: number, [width, height]: readonly number[], from: number, to: number): Stroke {
  const steps = 12;
  return Array.from({ length: steps + 1 }, (_, i) => {
    const angle = (from + (to - from) * i / steps) * Math.PI / 180;
    return [x + width * Math.cos(angle), y + height * Math.sin(angle)] as const;
  });
}

const GLYPHS: Readonly<Record<string, readonly Stroke[]>> = {
  "0": [arc(0.27, 0.5, [0.25, 0.48], 0, 360)],
  "1": [[[0.08, 0.78], [0.3, 0.98], [0.3, 0.02]]],
  "2": [[...arc(0.27, 0.72, [0.24, 0.26], 165, -35), [0.03, 0.02], [0.52, 0.02]]],
  "3": [[...arc(0.25, 0.74, [0.23, 0.24], 150, -90)], [...arc(0.25, 0.26, [0.25, 0.24], 90, -150)]],
  "4": [[[0.4, 0.02], [0.4, 0.98], [0.02, 0.3], [0.54, 0.3]]],
  "5": [[[0.47, 0.98], [0.09, 0.98], [0.06, 0.55], ...arc(0.25, 0.33, [0.27, 0.31], 125, -145)]],
  "6": [arc(0.27, 0.31, [0.25, 0.29], 0, 360), arc(0.5, 0.4, [0.48, 0.58], 92, 180)],
  "7": [[[0.03, 0.98], [0.52, 0.98], [0.2, 0.02]]],
  "8": [arc(0.27, 0.75, [0.21, 0.23], 0, 360), arc(0.27, 0.27, [0.25, 0.25], 0, 360)],
  "9": [arc(0.27, 0.69, [0.25, 0.29], 0, 360), arc(0.04, 0.6, [0.48, 0.58], 0, -88)],
  ".": [[[0.08, 0.03], [0.08, 0.04]]],
  " ": [],
  k: [[[0.05, 0.02], [0.05, 0.98]], [[0.42, 0.66], [0.06, 0.3]], [[0.18, 0.42], [0.44, 0.02]]],
  H: [[[0.04, 0.02], [0.04, 0.98]], [[0.5, 0.02], [0.5, 0.98]], [[0.04, 0.52], [0.5, 0.52]]],
  z: [[[0.05, 0.64], [0.43, 0.64], [0.03, 0.02], [0.44, 0.02]]],
  s: [[...arc(0.22, 0.48, [0.17, 0.16], 20, 270), ...arc(0.22, 0.17, [0.19, 0.15], 90, -160)]],
};

/** Width of a text in pixels. */
export function textWidth(text: string, height: number): number {
  return [...text].reduce((width, glyph) => width + (NARROW[glyph] ?? ADVANCE) * height, 0) -
    (ADVANCE - 0.54) * height;
}

/**
 * Draws a text.
 *
 * @param put Receives pixels that the strokes touch, with how much of each they cover, 0…1.
 * @param place Left end and baseline of the text, and its cap height; in pixels.
 * @throws {RangeError} for a character that the typeface does not have.
 */
export function drawText(
  text: string,
  place: { readonly x: number; readonly y: number; readonly height: number },
  put: (x: number, y: number, coverage: number) => void,
): void {
  const { y, height } = place;
  const radius = height * 0.055 + 0.2;
  let left = place.x;
  for (const glyph of text) {
    const strokes = GLYPHS[glyph];
    if (strokes === undefined) throw new RangeError(`Cannot draw "${glyph}": the typeface does not have it`);
    const lines = strokes.flatMap((stroke) =>
      stroke.slice(1).map((to, i) => [stroke[i], to].map(([u, v]) => [left + u * height, y - v * height]))
    );
    for (let py = Math.floor(y - height - 2); py <= y + 2 && lines.length > 0; py++) {
      for (let px = Math.floor(left - 2); px <= left + height * ADVANCE + 2; px++) {
        const distance = Math.min(...lines.map(([a, b]) => distanceTo(px + 0.5, py + 0.5, a, b)));
        const coverage = Math.min(1, radius + 0.5 - distance);
        if (coverage > 0) put(px, py, coverage);
      }
    }
    left += (NARROW[glyph] ?? ADVANCE) * height;
  }
}

/** From a point to a line segment. */
function distanceTo(x: number, y: number, [ax, ay]: readonly number[], [bx, by]: readonly number[]): number {
  const squared = (bx - ax) ** 2 + (by - ay) ** 2;
  const along = squared === 0 ? 0 : ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / squared;
  const at = Math.min(1, Math.max(0, along));
  return Math.hypot(x - ax - at * (bx - ax), y - ay - at * (by - ay));
}
