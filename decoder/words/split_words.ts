/**
 * Tokens to words.
 *
 * @module
 */

import type { TextPart, Tokenizer } from "../tokenizer.ts";
import { strip } from "../whitespace.ts";

/** Languages written without spaces: every character, or run of tokens that makes one, counts as a word. */
const WITHOUT_SPACES: ReadonlySet<string> = new Set(["zh", "ja", "th", "lo", "my", "yue"]);

/** ASCII's punctuation, in its order. */
const PUNCTUATION = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";

/**
 * Cuts tokens into words: where a space begins, and before punctuation.
 *
 * Special tokens are words of their own. Bytes at the end that make no whole character come with the special token
 * behind them, or are left out where there is none.
 *
 * @param language Code; of a language without spaces, words are characters.
 */
export function splitWords(tokenizer: Tokenizer, tokens: readonly number[], language: string): TextPart[] {
  const parts = tokenizer.splitOnCharacters(tokens);
  if (WITHOUT_SPACES.has(language)) return parts;
  const words: { text: string; tokens: number[] }[] = [];
  for (const { text, tokens } of parts) {
    const isSpecial = tokens[0] >= tokenizer.special.eot;
    const begins = isSpecial || text.startsWith(" ") || PUNCTUATION.includes(strip(text));
    const last = words.at(-1);
    if (begins || last === undefined) {
      words.push({ text, tokens: [...tokens] });
    } else {
      last.text += text;
      last.tokens.push(...tokens);
    }
  }
  return words;
}
