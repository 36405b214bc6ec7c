/**
 * Every operation written as its formula, in double precision: what the kernels are judged by.
 *
 * @module
 */

/** A matrix as rows of numbers. */
export type Matrix = number[][];

/** Row-major values as rows. */
export function matrix(values: ArrayLike<number>, columns: number): Matrix {
  return Array.from(
    { length: values.length / columns },
    (_, r) => Array.from({ length: columns }, (_, c) => values[r * columns + c]),
  );
}

/** in · weightᵀ + bias. */
export function linear(input: Matrix, weight: Matrix, bias?: ArrayLike<number> | null): Matrix {
  return input.map((x) => weight.map((w, n) => x.reduce((sum, xk, k) => sum + xk * w[k], bias?.[n] ?? 0)));
}

/** erf by its Maclaurin series in 300 terms, or 1 where it is. */
export function erf(x: number): number {
  if (Math.abs(x) > 6) return Math.sign(x);
  let term = x;
  let sum = x;
  for (let n = 1; n < 300; n++) {
    term *= 2 * x * x / (2 * n + 1);
    sum += term;
  }
  return 2 / Math.sqrt(Math.PI) * Math.exp(-x * x) * sum;
}

export function gelu(x: number): number {
  return 0.5 * x * (1 + erf(x / Math.SQRT2));
}

export function layerNorm(input: Matrix, weight: ArrayLike<number>, bias: ArrayLike<number>): Matrix {
  return input.map((row) => {
    const mean = row.reduce((a, b) => a + b, 0) / row.length;
    const variance = row.reduce((a, b) => a + (b - mean) ** 2, 0) / row.length;
    return row.map((x, c) => (x - mean) / Math.sqrt(variance + 1e-5) * weight[c] + bias[c]);
  });
}

/** softmax(q · kᵀ / √D) · v over the first `visible(t)` keys, head by head; q [n, C], k and v [T, C]. */
export function attention(
  q: Matrix,
  k: Matrix,
  v: Matrix,
  heads: number,
  visible: (row: number) => number = () => k.length,
): Matrix {
  const D = q[0].length / heads;
  return q.map((query, row) =>
    query.map((_, column) => {
      const from = Math.floor(column / D) * D;
      const scores = k.slice(0, visible(row)).map((key) => {
        let dot = 0;
        for (let d = 0; d < D; d++) dot += query[from + d] * key[from + d];
        return Math.exp(dot / Math.sqrt(D));
      });
      const sum = scores.reduce((a, b) => a + b, 0);
      return scores.reduce((total, score, t) => total + score * v[t][column], 0) / sum;
    })
  );
}

/** Element by element. */
export function add(a: Matrix, b: Matrix): Matrix {
  return a.map((row, r) => row.map((x, c) => x + b[r][c]));
}

/** Asserts |actual − expected| ≤ tolerance · (1 + |expected|) everywhere; NaN never passes. */
export function assertNear(
  actual: ArrayLike<number>,
  expected: Matrix | ArrayLike<number>,
  tolerance: number,
): void {
  const flat = Array.isArray(expected) && Array.isArray(expected[0])
    ? (expected as Matrix).flat()
    : Array.from(expected as ArrayLike<number>);
  if (actual.length !== flat.length) throw new Error(`got ${actual.length} values, expected ${flat.length}`);
  flat.forEach((value, i) => {
    const off = Math.abs(actual[i] - value);
    if (!(off <= tolerance * (1 + Math.abs(value)))) {
      throw new Error(`[${i}]: got ${actual[i]}, expected ${value}`);
    }
  });
}
