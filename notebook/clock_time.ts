/**
 * Seconds as people read them.
 *
 * @module
 */

/** `0:03.24`, `1:02:03.20`. */
export function clockTime(seconds: number): string {
  const hundredths = Math.round(seconds * 100);
  const part = (unit: number, of: number) => Math.floor(hundredths / unit) % of;
  const minutes = part(6000, 60);
  const hours = part(360_000, Infinity);
  const two = (value: number) => String(value).padStart(2, "0");
  const tail = `${two(part(100, 60))}.${two(part(1, 100))}`;
  return hours > 0 ? `${hours}:${two(minutes)}:${tail}` : `${minutes}:${tail}`;
}
