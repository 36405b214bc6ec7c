/**
 * Which tokens write what was not said: speaker tags, sound descriptions, music notes.
 *
 * @module
 */

/** Suppressed where they are one token, alone or after a space (openai-whisper, `Tokenizer.non_speech_tokens`). */
const SYMBOLS: readonly string[] = [
  ...'"#()*+/:;<=>@[\\]^_`{|}~「」『』',
  ..."<< >> <<< >>> -- --- -( -[ (' (\" (( )) ((( ))) [[ ]] {{ }} ♪♪ ♪♪♪".split(" "),
];

/** Suppressed by their first token however many they are: all their siblings are symbols as well. */
const NOTES: readonly string[] = [..."♩♪♫♬♭♮♯"];

/**
 * The tokens to suppress, ascending.
 *
 * @param encode The vocabulary's encoder.
 */
export function nonSpeechTokens(encode: (text: string) => number[]): number[] {
  // Hyphen and apostrophe belong into words, but do not begin one.
  const found = new Set([encode(" -")[0], encode(" '")[0]]);
  for (const symbol of [...SYMBOLS, ...NOTES]) {
    for (const tokens of [encode(symbol), encode(` ${symbol}`)]) {
      if (tokens.length === 1 || NOTES.includes(symbol)) found.add(tokens[0]);
    }
  }
  return [...found].sort((a, b) => a - b);
}
