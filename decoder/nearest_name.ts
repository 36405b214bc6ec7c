/**
 * Guesses what a misspelt name was meant to be.
 *
 * @module
 */

/** Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`. */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replace = last[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      row[j] = Math.min(last[j] + 1, row[j - 1] + 1, replace);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        row[j] = Math.min(row[j], beforeLast[j - 2] + 1);
      }
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length];
}

/**
 * The known name nearest to `name`, letter case aside, or undefined where none is near: more than a third of
 * its letters would have to change.
 */
export function nearestName(name: string, known: Iterable<string>): string | undefined {
  const spelling = name.toLowerCase();
  let nearest: string | undefined;
  let least = Math.max(1, Math.floor(spelling.length / 3)) + 1;
  for (const candidate of known) {
    if (Math.abs(candidate.length - spelling.length) >= least) continue;
    const distance = editDistance(spelling, candidate.toLowerCase());
    if (distance < least) [nearest, least] = [candidate, distance];
  }
  return nearest;
}
