/**
 * When each word is spoken: dynamic time warping over the attention of the text decoder.
 *
 * @module
 */

export { warnOfTranslatedWords } from "./options.ts";
export { APPEND_PUNCTUATIONS, PREPEND_PUNCTUATIONS } from "./punctuation.ts";
export type { Word } from "./word.ts";
export { WordOrder } from "./word_order.ts";
export { type TimedWindow, type WordOptions, type WordState, WordTimer } from "./word_timer.ts";
