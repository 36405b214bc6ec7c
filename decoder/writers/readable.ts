/**
 * Subtitles that can be read: broken into lines between phrases, shown long enough, never two at a time.
 *
 * Rules of thumb of subtitling (BBC Subtitle Guidelines; Netflix Timed Text Style Guide): two lines of 42 characters, no less
 * than 5/6 of a second, breaks behind punctuation and before conjunctions and prepositions, lines of like length.
 *
 * @module
 */

import type { Segment } from "../segments.ts";
import { strip } from "../whitespace.ts";
import type { Word } from "../words/word.ts";

/** How subtitles are laid out. */
export interface ReadableLayout {
  /** Characters of a line; a longer word has a line of its own. */
  readonly width: number;
  /** Lines of a subtitle. */
  readonly lines: number;
}

/** A subtitle: lines of text and when it is shown, in seconds. */
export interface ReadableCue {
  readonly start: number;
  readonly end: number;
  /** Lines with `\n` between. */
  readonly text: string;
}

/** Layout where nothing is said of it. */
export const READABLE: ReadableLayout = { width: 42, lines: 2 };

/** The least time that a subtitle is shown, and the gap behind it if another follows; in seconds. */
const SHORTEST = 5 / 6;
const GAP = 2 / 24;
/** A pause before which a subtitle ends. */
const PAUSE = 1;

/** Words that go with what follows them. */
const LEADING = new Set(
  ("and or but nor so yet because that which who when where while if than as at by for from in into of on onto " +
    "over to under with without the a an und oder aber weil dass der die das den dem ein eine mit von zu")
    .split(" "),
);

/**
 * A transcript's segments as subtitles. Words give the times where there are any; else a segment's time is shared out by
 * length.
 *
 * @param duration Of the recording, in seconds. Whisper may set times behind it, which nobody would see: what is shown ends
 * with the recording, and what would begin behind it is shown just before.
 */
export function readableCues(
  segments: readonly Segment[],
  layout: ReadableLayout = READABLE,
  duration: number = Infinity,
): ReadableCue[] {
  const phrases = segments.filter(({ text }) => strip(text) !== "").flatMap((segment) =>
    splitCues(wordsOf(segment), layout)
  );
  const starts: number[] = [];
  for (const [{ start }] of phrases) {
    const isBehind = start >= duration;
    starts.push(isBehind ? Math.max(starts.at(-1) ?? 0, duration - SHORTEST) : start);
  }
  return phrases.map((words, i) => {
    const start = starts[i];
    const next = starts.at(i + 1) ?? Infinity;
    const spoken = words[words.length - 1].end;
    const wanted = Math.max(spoken, start + SHORTEST);
    // The next one is never delayed; where it follows at once, this one is as short as it was spoken.
    const shown = Math.max(start, Math.min(wanted, next - GAP, next), Math.min(spoken, next));
    const end = Math.min(shown, duration);
    return { start, end, text: linesOf(words.map(({ word }) => word), layout).join("\n") };
  });
}

type Timed = Pick<Word, "word" | "start" | "end">;

/** Scripts in which a line may break between any two characters. */
const UNSPACED =
  "\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Thai}\\p{Script=Lao}\\p{Script=Myanmar}";
/** What stays together in a line: a character of such a script with the marks behind it, or what stands between spaces. */
const UNBROKEN = new RegExp(`\\s*(?:[${UNSPACED}][\\p{P}\\p{M}]*|[^\\s${UNSPACED}]+)`, "gu");
const BEGINS_UNSPACED = new RegExp(`^[${UNSPACED}]`, "u");

/** The words of a segment, what is written together in one; without word times, times by their share of the characters. */
function wordsOf({ words, text, start, end }: Segment): readonly Timed[] {
  if (words && words.length > 0) {
    return words.reduce<Timed[]>((joined, { word, start, end }) => {
      const last = joined.at(-1);
      const isPart = last && !/^\s/.test(word) && !BEGINS_UNSPACED.test(word);
      if (isPart) joined[joined.length - 1] = { word: last.word + word, start: last.start, end };
      else joined.push({ word, start, end });
      return joined;
    }, []);
  }
  const parts = text.match(UNBROKEN) ?? [];
  const total = parts.reduce((sum, part) => sum + part.length, 0);
  let done = 0;
  const at = () => start + (end - start) * done / total;
  return parts.map((word) => {
    const from = at();
    done += word.length;
    return { word, start: from, end: at() };
  });
}

/** Cuts words into subtitles, each of which fits, at pauses and else where it reads best. */
function splitCues(words: readonly Timed[], layout: ReadableLayout): (readonly Timed[])[] {
  const pause = words.findIndex(({ start }, i) => i > 0 && start - words[i - 1].end > PAUSE);
  if (pause > 0) {
    return [words.slice(0, pause), words.slice(pause)].flatMap((part) => splitCues(part, layout));
  }
  const texts = words.map(({ word }) => word);
  const broken = (count: number) => linesOf(texts.slice(0, count), layout);
  const hasRoom = (count: number) => broken(count).length <= layout.lines;
  const reads = (count: number) => hasRoom(count) && broken(count).slice(0, -1).every(endsWell);
  if (texts.length === 1 || reads(texts.length)) return [words];
  const fits = texts.some((_, i) => i > 0 && reads(i)) ? reads : hasRoom;
  let fitting = texts.length - 1;
  while (fitting > 1 && !fits(fitting)) fitting--;
  const least = Math.ceil(fitting / 2);
  const cut = bestBreak(texts, { least, most: fitting, wanted: fitting, perWord: 0.4, fits });
  return [words.slice(0, cut), ...splitCues(words.slice(cut), layout)];
}

/** Whether a line does not end with a word that goes with the next one. */
function endsWell(line: string): boolean {
  return !LEADING.has(line.slice(line.lastIndexOf(" ") + 1).toLowerCase());
}

/** Breaks a text into as few lines as fit, of like length, where it reads best. */
function linesOf(texts: readonly string[], layout: ReadableLayout): string[] {
  const whole = joined(texts);
  if (texts.length <= 1 || lengthOf(whole) <= layout.width) return [whole];
  let most = 1;
  while (most < texts.length - 1 && lengthOf(joined(texts.slice(0, most + 1))) <= layout.width) most++;
  // Of two lines each takes half; of more, the first is filled.
  const fitsInTwo = lengthOf(whole) <= 2 * layout.width;
  const half = texts.findIndex((_, i) => lengthOf(joined(texts.slice(0, i + 1))) * 2 >= lengthOf(whole)) +
    1;
  let least = 1;
  if (fitsInTwo) {
    while (least < most && lengthOf(joined(texts.slice(least))) > layout.width) least++;
  }
  const wanted = fitsInTwo ? Math.min(most, Math.max(least, half)) : most;
  const cut = bestBreak(texts, { least: fitsInTwo ? least : Math.ceil(most / 2), most, wanted });
  return [joined(texts.slice(0, cut)), ...linesOf(texts.slice(cut), layout)];
}

/** The number of words before the break that reads best. */
function bestBreak(
  texts: readonly string[],
  { least, most, wanted, perWord = 1, fits = () => true }: {
    readonly least: number;
    readonly most: number;
    readonly wanted: number;
    /** What a word more or less than wanted counts, against 8 for the end of a sentence. */
    readonly perWord?: number;
    readonly fits?: (count: number) => boolean;
  },
): number {
  let best = wanted;
  let highest = -Infinity;
  for (let cut = Math.max(1, least); cut <= most; cut++) {
    const before = strip(texts[cut - 1]);
    const score = (/[.!?…]["”’)]?$/.test(before) ? 8 : /[,;:]["”’)]?$/.test(before) ? 5 : 0) +
      (LEADING.has(strip(texts[cut] ?? "").toLowerCase()) ? 2 : 0) -
      (LEADING.has(before.toLowerCase()) ? 3 : 0) -
      perWord * Math.abs(cut - wanted);
    if (score > highest && fits(cut)) {
      highest = score;
      best = cut;
    }
  }
  return best;
}

/** Words as a line: each brings the space before it. */
function joined(texts: readonly string[]): string {
  return strip(texts.join(""));
}

/** Characters, not UTF-16 units. */
function lengthOf(text: string): number {
  return [...text].length;
}
