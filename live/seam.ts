/**
 * Which of the certain words are spoken before a cut, and which behind it: told by what is read on either side of it, for
 * times of words can be wrong by a sentence.
 *
 * @module
 */

/** What is read before a cut alone, and behind it alone. */
export interface Sides {
  readonly before: readonly string[];
  readonly behind: readonly string[];
}

/**
 * How many of the words lie before the cut: where those up to there are most like what is read before it, and those from
 * there on most like what is read first behind it (fewest words changed, missing or added).
 *
 * @param words Certain words in order. More may have been said behind them.
 * @returns 0…words.length; of equals the one nearest to the number of words that are read before the cut.
 */
export function wordsBeforeCut(words: readonly string[], sides: Sides): number {
  const own = words.map(spelling);
  const before = sides.before.map(spelling);
  const behind = sides.behind.map(spelling);
  const left = changes(own, before);
  let best = 0;
  let least = Infinity;
  for (let k = 0; k <= own.length; k++) {
    // What is read goes on behind the last certain word, on whichever side of the cut that lies.
    const cost = k === own.length
      ? Math.min(...left[k])
      : left[k][before.length] + Math.min(...changes(own.slice(k), behind).at(-1)!);
    const isNearer = Math.abs(k - before.length) < Math.abs(best - before.length);
    if (cost < least || (cost === least && isNearer)) {
      least = cost;
      best = k;
    }
  }
  return best;
}

/** A word without what two readings are likely to differ in: case, and punctuation. */
function spelling(word: string): string {
  const letters = word.toLowerCase().replace(/[^\p{L}\p{N}]/gu, "");
  return letters === "" ? word : letters;
}

/** Row i, column j: fewest changes that turn the first i words of one text into the first j of the other (Levenshtein). */
function changes(one: readonly string[], other: readonly string[]): number[][] {
  const rows = [Array.from({ length: other.length + 1 }, (_, j) => j)];
  for (const [i, word] of one.entries()) {
    const above = rows[i];
    const row = [i + 1];
    for (const [j, another] of other.entries()) {
      row.push(Math.min(above[j] + (word === another ? 0 : 1), above[j + 1] + 1, row[j] + 1));
    }
    rows.push(row);
  }
  return rows;
}
