/**
 * Results that draw themselves in a notebook and are plain data everywhere else.
 *
 * Deno's notebook kernel asks the last value of a cell for a method named {@linkcode DISPLAY}. Results get it as a
 * property of their own that is not enumerable: JSON, `Object.keys`, spreading, comparing and `structuredClone` do not
 * see it, and a copy does not draw itself.
 *
 * @module
 */

/** The name of the method that a notebook calls. */
export const DISPLAY: unique symbol = Symbol.for("Jupyter.display") as never;

/** What a notebook shows, by media type, the same thing in each; `text/plain` is for where nothing else can be. */
export type MediaBundle = Readonly<Record<string, string>>;

/** A value that draws itself. */
export interface Displayable {
  /** Draws it. */
  [DISPLAY](): Promise<MediaBundle>;
}

/**
 * Teaches a value to draw itself.
 *
 * @param value Is changed, and returned.
 * @param draw Should import what it draws with: most values are never drawn.
 */
export function drawnBy<T extends object>(value: T, draw: (value: T) => Promise<MediaBundle>): T {
  return Object.defineProperty(value, DISPLAY, { value: () => draw(value), configurable: true });
}

/** What a value draws, or null where it draws nothing. */
export async function drawingOf(value: object): Promise<MediaBundle | null> {
  return DISPLAY in value ? await (value as Displayable)[DISPLAY]() : null;
}
