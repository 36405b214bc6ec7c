/**
 * English texts as they are compared: without case, marks and fillers, contractions written out, numbers in digits,
 * American spelling (openai-whisper, `whisper/normalizers/english.py`).
 *
 * @module
 */

import { withoutBrackets, withoutDiacritics } from "./basic_normalizer.ts";
import { normalizeNumbers } from "./english_numbers.ts";
import SPELLINGS from "./spellings.json" with { type: "json" };

/** The edge of a word in any script, where `\\b` knows ASCII alone. */
const LETTER = "[\\p{L}\\p{N}_]";
const BOUNDARY = `(?:(?<=${LETTER})(?!${LETTER})|(?<!${LETTER})(?=${LETTER}))`;

const FILLERS = "hmm mm mhm mmm uh um".split(" ");

/** What is written out, in this order: later rules see what earlier ones wrote. */
const CONTRACTIONS: readonly (readonly [short: string, long: string])[] = [
  ...words(
    "won't=will not|can't=can not|let's=let us|ain't=aint|y'all=you all|wanna=want to|gotta=got to|gonna=going to|" +
      "i'ma=i am going to|imma=i am going to|woulda=would have|coulda=could have|shoulda=should have|ma'am=madam",
  ),
  ...words(
    "mr=mister |mrs=missus |st=saint |dr=doctor |prof=professor |capt=captain |gov=governor |ald=alderman |" +
      "gen=general |sen=senator |rep=representative |pres=president |rev=reverend |hon=honorable |asst=assistant |" +
      "assoc=associate |lt=lieutenant |col=colonel |jr=junior |sr=senior |esq=esquire ",
  ),
  ...endings(
    "'d been= had been|'s been= has been|'d gone= had gone|'s gone= has gone|'d done= had done|'s got= has got",
  ),
  ...endings("n't= not|'re= are|'s= is|'d= would|'ll= will|'t= not|'ve= have|'m= am"),
];

function pairs(list: string): [string, string][] {
  return list.split("|").map((pair) => pair.split("=") as [string, string]);
}

/** Whole words. */
function words(list: string): [string, string][] {
  return pairs(list).map(([short, long]) => [`${BOUNDARY}${short}${BOUNDARY}`, long]);
}

/** Ends of words. */
function endings(list: string): [string, string][] {
  return pairs(list).map(([short, long]) => [`${short}${BOUNDARY}`, long]);
}

const RULES = CONTRACTIONS.map(([short, long]) => [new RegExp(short, "gu"), long] as const);
const FILLER = new RegExp(`${BOUNDARY}(?:${FILLERS.join("|")})${BOUNDARY}`, "gu");

/** An English text as it is compared. */
export function normalizeEnglish(text: string): string {
  let spoken = withoutBrackets(text.toLowerCase()).replaceAll(FILLER, "").replaceAll(/\s+'/g, "'");
  for (const [short, long] of RULES) spoken = spoken.replaceAll(short, long);
  spoken = spoken
    .replaceAll(/(\d),(\d)/g, "$1$2")
    .replaceAll(/\.([^0-9]|$)/g, " $1");
  const spelled = normalizeNumbers(withoutDiacritics(spoken, ".%$¢€£"))
    .split(/\s+/)
    .map((word) => Object.hasOwn(SPELLINGS, word) ? (SPELLINGS as Record<string, string>)[word] : word)
    .join(" ");
  // Symbols stay where they belong to a number.
  return spelled
    .replaceAll(/[.$¢€£]([^0-9])/g, " $1")
    .replaceAll(/([^0-9])%/g, "$1 ")
    .replaceAll(/\s+/g, " ");
}
