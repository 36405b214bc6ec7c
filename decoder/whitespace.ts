/**
 * White space as openai-whisper sees it. JavaScript's own differs: it counts U+FEFF and leaves out U+0085 and the four
 * separators U+001C…U+001F, so texts would differ in rare places.
 *
 * @module
 */

const UNICODE_SPACE = /\p{White_Space}/u;

/** Python's `str.isspace()` counts four separators beside Unicode's White_Space. */
function isSpace(text: string, index: number): boolean {
  const unit = text.charCodeAt(index);
  return (unit >= 0x1c && unit <= 0x1f) || UNICODE_SPACE.test(text[index]);
}

/** The text without white space at either end, as Python's `str.strip()` leaves it. */
export function strip(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isSpace(text, start)) start++;
  while (end > start && isSpace(text, end - 1)) end--;
  return text.slice(start, end);
}
