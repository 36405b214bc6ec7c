/**
 * How a text differs from the true one: fewest substitutions, deletions and insertions.
 *
 * @module
 */

/** Counts of errors, and of what there was to get right. */
export interface ErrorCounts {
  readonly substitutions: number;
  /** Units of the true text that are missing. */
  readonly deletions: number;
  /** Units that are not in the true text. */
  readonly insertions: number;
  /** Units of the true text. */
  readonly length: number;
}

/** Nothing compared yet. */
export const NO_ERRORS: ErrorCounts = { substitutions: 0, deletions: 0, insertions: 0, length: 0 };

/**
 * The edits of least number that turn the true units into the written ones (Levenshtein); of several ways, the one with
 * the most substitutions.
 */
export function errorsBetween<T>(truth: readonly T[], written: readonly T[]): ErrorCounts {
  const columns = written.length + 1;
  const cost = new Uint32Array((truth.length + 1) * columns);
  for (let j = 0; j < columns; j++) cost[j] = j;
  for (let i = 1; i <= truth.length; i++) {
    cost[i * columns] = i;
    for (let j = 1; j < columns; j++) {
      const diagonal = cost[(i - 1) * columns + j - 1] + (truth[i - 1] === written[j - 1] ? 0 : 1);
      cost[i * columns + j] = Math.min(
        diagonal,
        cost[(i - 1) * columns + j] + 1,
        cost[i * columns + j - 1] + 1,
      );
    }
  }
  let [substitutions, deletions, insertions] = [0, 0, 0];
  for (let i = truth.length, j = written.length; i > 0 || j > 0;) {
    const here = cost[i * columns + j];
    const isSame = i > 0 && j > 0 && truth[i - 1] === written[j - 1];
    if (i > 0 && j > 0 && here === cost[(i - 1) * columns + j - 1] + (isSame ? 0 : 1)) {
      if (!isSame) substitutions++;
      i--;
      j--;
    } else if (i > 0 && here === cost[(i - 1) * columns + j] + 1) {
      deletions++;
      i--;
    } else {
      insertions++;
      j--;
    }
  }
  return { substitutions, deletions, insertions, length: truth.length };
}

/** Counts of two texts together. */
export function addErrors(a: ErrorCounts, b: ErrorCounts): ErrorCounts {
  return {
    substitutions: a.substitutions + b.substitutions,
    deletions: a.deletions + b.deletions,
    insertions: a.insertions + b.insertions,
    length: a.length + b.length,
  };
}

/** Errors for each unit of the true text; where that is empty, 0 if nothing was written, else Infinity. */
export function errorRate({ substitutions, deletions, insertions, length }: ErrorCounts): number {
  const errors = substitutions + deletions + insertions;
  return errors === 0 ? 0 : errors / length;
}
