/**
 * GELU in its exact form, `x · Φ(x) = x/2 · (1 + erf(x/√2))`, as Whisper was trained with; not the tanh
 * approximation, which is off by up to 5e-4.
 *
 * @module
 */

/** Nodes of the error function's table per unit. */
const NODES_PER_UNIT = 64;
/** From here on erf is 1 to double precision: erfc(6) = 2e-17. */
const ERF_IS_ONE = 6;

/** erf and its derivative at `i / NODES_PER_UNIT`. */
interface Nodes {
  readonly value: Float64Array;
  readonly slope: Float64Array;
}

/** Made at first use. */
let nodes: Nodes | undefined;

/** The Maclaurin series with all terms positive, `2/√π · e^(−x²) · Σ 2ⁿ·x^(2n+1) / (2n+1)!!`. */
function erfSeries(x: number): number {
  let term = x;
  let sum = x;
  for (let n = 1; term > sum * 1e-17; n++) {
    term *= 2 * x * x / (2 * n + 1);
    sum += term;
  }
  return 2 / Math.sqrt(Math.PI) * Math.exp(-x * x) * sum;
}

function makeNodes(): Nodes {
  const count = ERF_IS_ONE * NODES_PER_UNIT + 1;
  return {
    value: Float64Array.from({ length: count }, (_, i) => erfSeries(i / NODES_PER_UNIT)),
    slope: Float64Array.from(
      { length: count },
      (_, i) => 2 / Math.sqrt(Math.PI) * Math.exp(-((i / NODES_PER_UNIT) ** 2)),
    ),
  };
}

/**
 * The error function, within 2e-9 of the truth everywhere; NaN stays NaN.
 *
 * Taylor's formula around the nearest node x₀, at distance |d| ≤ 1/128: with g = erf′(x₀),
 * `erf(x₀ + d) ≈ erf(x₀) + g·d·(1 − x₀·d + (2x₀² − 1)/3·d²)`; the next term is at most
 * |d|⁴/24 · max |erf⁗| < (1/128)⁴ / 24 · 8.
 */
export function erf(x: number): number {
  const { value, slope } = nodes ??= makeNodes();
  const magnitude = Math.abs(x);
  if (!(magnitude < ERF_IS_ONE)) return Math.sign(x);
  const node = (magnitude * NODES_PER_UNIT + 0.5) | 0;
  const x0 = node / NODES_PER_UNIT;
  const d = magnitude - x0;
  const y = value[node] + slope[node] * d * (1 - d * (x0 - (2 * x0 * x0 - 1) / 3 * d));
  return x < 0 ? -y : y;
}

/** `x · Φ(x)` of one value, within 1e-8 · |x| of the truth. */
export function gelu(x: number): number {
  return 0.5 * x * (1 + erf(x * Math.SQRT1_2));
}
