/**
 * Punctuation goes to the word that it belongs to.
 *
 * @module
 */

import { strip } from "../whitespace.ts";
import type { AlignedWord } from "./word.ts";

/** Marks that belong to the word behind them (openai-whisper's default). */
export const PREPEND_PUNCTUATIONS = "\"'“¿([{-";

/** Marks that belong to the word before them (openai-whisper's default). */
export const APPEND_PUNCTUATIONS = "\"'.。,，!！?？:：”)]}、";

/**
 * Merges marks into the words they belong to, in place: a merged word keeps its times, and its text and tokens are
 * empty.
 *
 * A mark is merged if it occurs, as it is, in the string: several marks in one word only if they follow each other
 * there.
 */
export function mergePunctuation(words: AlignedWord[], prepended: string, appended: string): void {
  let following = words.length - 1;
  for (let i = words.length - 2; i >= 0; i--) {
    const { text, tokens } = words[i];
    if (text.startsWith(" ") && prepended.includes(strip(text))) {
      const target = words[following];
      target.text = text + target.text;
      target.tokens = [...tokens, ...target.tokens];
      words[i].text = "";
      words[i].tokens = [];
    } else {
      following = i;
    }
  }
  let previous = 0;
  for (let i = 1; i < words.length; i++) {
    const { text, tokens } = words[i];
    if (!words[previous].text.endsWith(" ") && appended.includes(text)) {
      const target = words[previous];
      target.text += text;
      target.tokens = [...target.tokens, ...tokens];
      words[i].text = "";
      words[i].tokens = [];
    } else {
      previous = i;
    }
  }
}
