/**
 * Texts as they are compared in any language: without case, marks and symbols (openai-whisper,
 * `whisper/normalizers/basic.py`).
 *
 * @module
 */

/** Letters that do not fall apart into a letter and a mark. */
const WHOLE_LETTERS: Readonly<Record<string, string>> = {
  ...{ œ: "oe", Œ: "OE", ø: "o", Ø: "O", æ: "ae", Æ: "AE", ß: "ss", ẞ: "SS" },
  ...{ đ: "d", Đ: "D", ð: "d", Ð: "D", þ: "th", Þ: "th", ł: "l", Ł: "L" },
};

/** Marks, symbols and punctuation become spaces, but for those to be kept; diacritics go. */
export function withoutDiacritics(text: string, kept = ""): string {
  return Array.from(text.normalize("NFKD"), (character) => {
    if (kept.includes(character)) return character;
    if (Object.hasOwn(WHOLE_LETTERS, character)) return WHOLE_LETTERS[character];
    if (/\p{Mn}/u.test(character)) return "";
    return /[\p{M}\p{S}\p{P}]/u.test(character) ? " " : character;
  }).join("");
}

/** What stands in brackets is not spoken. */
export function withoutBrackets(text: string): string {
  return text.replaceAll(/[<[][^>\]]*[>\]]/g, "").replaceAll(/\(([^)]+?)\)/g, "");
}

/** A text as it is compared where nothing is known of its language. */
export function normalizeBasic(text: string): string {
  const spoken = withoutBrackets(text.toLowerCase()).normalize("NFKC");
  return spoken.replaceAll(/[\p{M}\p{S}\p{P}]/gu, " ").toLowerCase().replaceAll(/\s+/g, " ");
}
