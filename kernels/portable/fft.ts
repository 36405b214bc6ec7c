/**
 * Power spectra of real frames by a fast Fourier transform in double precision.
 *
 * Whisper's frames have 400 = 2⁴·5² samples, so powers of two are not enough: the transform splits by 5, 4
 * and 2, in Stockham's order, which needs no bit reversal.
 *
 * @module
 */

/** One pass over the data: `m` butterflies of `radix` points on each of `stride` interleaved transforms. */
interface Pass {
  readonly radix: 2 | 4 | 5;
  readonly m: number;
  readonly stride: number;
  /** e^(−2πi·p·j / (m·radix)) for p < m, 1 ≤ j < radix: real and imaginary parts in turn. */
  readonly twiddles: Float64Array;
}

/** Splits n = 2^a · 5^b into passes. */
function planPasses(n: number): Pass[] {
  const passes: Pass[] = [];
  for (let left = n, stride = 1; left > 1;) {
    const radix = left % 5 === 0 ? 5 : left % 4 === 0 ? 4 : left % 2 === 0 ? 2 : 0;
    if (radix === 0) throw new RangeError(`Cannot transform ${n} points: need a product of twos and fives`);
    const m = left / radix;
    const twiddles = new Float64Array(2 * m * (radix - 1));
    for (let p = 0, i = 0; p < m; p++) {
      for (let j = 1; j < radix; j++) {
        const angle = -2 * Math.PI * p * j / left;
        twiddles[i++] = Math.cos(angle);
        twiddles[i++] = Math.sin(angle);
      }
    }
    passes.push({ radix, m, stride, twiddles });
    left = m;
    stride *= radix;
  }
  return passes;
}

/** Computes |X[k]|², k = 0…n/2, of real frames of n samples; n even, n/2 a product of twos and fives. */
export class PowerSpectrum {
  /** Samples in a frame, n. */
  readonly size: number;
  readonly #passes: Pass[];
  /** Interleaved complex numbers [n/2]; each pass reads one and writes the other. */
  #from: Float64Array;
  #to: Float64Array;
  /** cos and sin of 2πk/n, k = 0…n/2. */
  readonly #cos: Float64Array;
  readonly #sin: Float64Array;

  /**
   * Plans the transform of `size` real samples.
   *
   * @throws {RangeError} if there is none for that size.
   */
  constructor(size: number) {
    if (size % 2 !== 0 || size < 2) {
      throw new RangeError(`Cannot transform ${size} real samples: need an even number`);
    }
    const half = size / 2;
    this.size = size;
    this.#passes = planPasses(half);
    this.#from = new Float64Array(size);
    this.#to = new Float64Array(size);
    this.#cos = Float64Array.from({ length: half + 1 }, (_, k) => Math.cos(2 * Math.PI * k / size));
    this.#sin = Float64Array.from({ length: half + 1 }, (_, k) => Math.sin(2 * Math.PI * k / size));
  }

  /**
   * The power spectrum of `samples[start + i] · window[i]`.
   *
   * @param window F64 [n].
   * @param power F64 [n/2 + 1], written.
   */
  compute(samples: Float32Array, start: number, window: Float64Array, power: Float64Array): void {
    // Even samples become real parts and odd ones imaginary parts of a transform of half the size.
    const z = this.#from;
    for (let i = 0; i < this.size; i++) z[i] = samples[start + i] * window[i];
    this.#transform();
    this.#unpack(power);
  }

  #transform(): void {
    for (const pass of this.#passes) {
      if (pass.radix === 5) pass5(pass, this.#from, this.#to);
      else if (pass.radix === 4) pass4(pass, this.#from, this.#to);
      else pass2(pass, this.#from, this.#to);
      [this.#from, this.#to] = [this.#to, this.#from];
    }
  }

  /** `X[k] = E[k] + e^(−2πik/n) · O[k]`, E and O the transforms of the even and the odd samples. */
  #unpack(power: Float64Array): void {
    const z = this.#from;
    const half = this.size / 2;
    for (let k = 0; k <= half; k++) {
      const i = 2 * (k % half);
      const j = 2 * ((half - k) % half);
      const evenRe = 0.5 * (z[i] + z[j]);
      const evenIm = 0.5 * (z[i + 1] - z[j + 1]);
      const oddRe = 0.5 * (z[i + 1] + z[j + 1]);
      const oddIm = 0.5 * (z[j] - z[i]);
      const re = evenRe + this.#cos[k] * oddRe + this.#sin[k] * oddIm;
      const im = evenIm + this.#cos[k] * oddIm - this.#sin[k] * oddRe;
      power[k] = re * re + im * im;
    }
  }
}

function pass2({ m, stride, twiddles }: Pass, x: Float64Array, y: Float64Array): void {
  for (let p = 0; p < m; p++) {
    const wRe = twiddles[2 * p], wIm = twiddles[2 * p + 1];
    for (let q = 0; q < stride; q++) {
      const i0 = 2 * (q + stride * p), i1 = i0 + 2 * stride * m;
      const o0 = 2 * (q + stride * 2 * p), o1 = o0 + 2 * stride;
      const re = x[i0] - x[i1], im = x[i0 + 1] - x[i1 + 1];
      y[o0] = x[i0] + x[i1];
      y[o0 + 1] = x[i0 + 1] + x[i1 + 1];
      y[o1] = re * wRe - im * wIm;
      y[o1 + 1] = re * wIm + im * wRe;
    }
  }
}

function pass4({ m, stride, twiddles }: Pass, x: Float64Array, y: Float64Array): void {
  const hop = 2 * stride * m;
  for (let p = 0; p < m; p++) {
    const w = 6 * p;
    const w1Re = twiddles[w], w1Im = twiddles[w + 1];
    const w2Re = twiddles[w + 2], w2Im = twiddles[w + 3];
    const w3Re = twiddles[w + 4], w3Im = twiddles[w + 5];
    for (let q = 0; q < stride; q++) {
      const i0 = 2 * (q + stride * p), i1 = i0 + hop, i2 = i1 + hop, i3 = i2 + hop;
      const sum02Re = x[i0] + x[i2], sum02Im = x[i0 + 1] + x[i2 + 1];
      const dif02Re = x[i0] - x[i2], dif02Im = x[i0 + 1] - x[i2 + 1];
      const sum13Re = x[i1] + x[i3], sum13Im = x[i1 + 1] + x[i3 + 1];
      const dif13Re = x[i1] - x[i3], dif13Im = x[i1 + 1] - x[i3 + 1];
      const o0 = 2 * (q + stride * 4 * p), o1 = o0 + 2 * stride, o2 = o1 + 2 * stride, o3 = o2 + 2 * stride;
      y[o0] = sum02Re + sum13Re;
      y[o0 + 1] = sum02Im + sum13Im;
      // Multiplying by −i turns (re, im) into (im, −re).
      const re1 = dif02Re + dif13Im, im1 = dif02Im - dif13Re;
      y[o1] = re1 * w1Re - im1 * w1Im;
      y[o1 + 1] = re1 * w1Im + im1 * w1Re;
      const re2 = sum02Re - sum13Re, im2 = sum02Im - sum13Im;
      y[o2] = re2 * w2Re - im2 * w2Im;
      y[o2 + 1] = re2 * w2Im + im2 * w2Re;
      const re3 = dif02Re - dif13Im, im3 = dif02Im + dif13Re;
      y[o3] = re3 * w3Re - im3 * w3Im;
      y[o3 + 1] = re3 * w3Im + im3 * w3Re;
    }
  }
}

const COS_1_5 = Math.cos(2 * Math.PI / 5);
const COS_2_5 = Math.cos(4 * Math.PI / 5);
const SIN_1_5 = Math.sin(2 * Math.PI / 5);
const SIN_2_5 = Math.sin(4 * Math.PI / 5);

function pass5({ m, stride, twiddles }: Pass, x: Float64Array, y: Float64Array): void {
  const hop = 2 * stride * m;
  for (let p = 0; p < m; p++) {
    const w = 8 * p;
    const w1Re = twiddles[w], w1Im = twiddles[w + 1];
    const w2Re = twiddles[w + 2], w2Im = twiddles[w + 3];
    const w3Re = twiddles[w + 4], w3Im = twiddles[w + 5];
    const w4Re = twiddles[w + 6], w4Im = twiddles[w + 7];
    for (let q = 0; q < stride; q++) {
      const i0 = 2 * (q + stride * p), i1 = i0 + hop, i2 = i1 + hop, i3 = i2 + hop, i4 = i3 + hop;
      // Points 1 and 4, 2 and 3 meet conjugate roots: their sums go with cosines, their differences with sines.
      const x0Re = x[i0], x0Im = x[i0 + 1];
      const sum14Re = x[i1] + x[i4], sum14Im = x[i1 + 1] + x[i4 + 1];
      const dif14Re = x[i1] - x[i4], dif14Im = x[i1 + 1] - x[i4 + 1];
      const sum23Re = x[i2] + x[i3], sum23Im = x[i2 + 1] + x[i3 + 1];
      const dif23Re = x[i2] - x[i3], dif23Im = x[i2 + 1] - x[i3 + 1];
      const a1Re = x0Re + COS_1_5 * sum14Re + COS_2_5 * sum23Re;
      const a1Im = x0Im + COS_1_5 * sum14Im + COS_2_5 * sum23Im;
      const a2Re = x0Re + COS_2_5 * sum14Re + COS_1_5 * sum23Re;
      const a2Im = x0Im + COS_2_5 * sum14Im + COS_1_5 * sum23Im;
      const b1Re = SIN_1_5 * dif14Re + SIN_2_5 * dif23Re;
      const b1Im = SIN_1_5 * dif14Im + SIN_2_5 * dif23Im;
      const b2Re = SIN_2_5 * dif14Re - SIN_1_5 * dif23Re;
      const b2Im = SIN_2_5 * dif14Im - SIN_1_5 * dif23Im;
      const hopOut = 2 * stride;
      const o0 = 2 * (q + stride * 5 * p),
        o1 = o0 + hopOut,
        o2 = o1 + hopOut,
        o3 = o2 + hopOut,
        o4 = o3 + hopOut;
      y[o0] = x0Re + sum14Re + sum23Re;
      y[o0 + 1] = x0Im + sum14Im + sum23Im;
      // Output j is a − i·b, output 5 − j is a + i·b; each then meets its twiddle.
      const re1 = a1Re + b1Im, im1 = a1Im - b1Re;
      y[o1] = re1 * w1Re - im1 * w1Im;
      y[o1 + 1] = re1 * w1Im + im1 * w1Re;
      const re2 = a2Re + b2Im, im2 = a2Im - b2Re;
      y[o2] = re2 * w2Re - im2 * w2Im;
      y[o2 + 1] = re2 * w2Im + im2 * w2Re;
      const re3 = a2Re - b2Im, im3 = a2Im + b2Re;
      y[o3] = re3 * w3Re - im3 * w3Im;
      y[o3 + 1] = re3 * w3Im + im3 * w3Re;
      const re4 = a1Re - b1Im, im4 = a1Im + b1Re;
      y[o4] = re4 * w4Re - im4 * w4Im;
      y[o4 + 1] = re4 * w4Im + im4 * w4Re;
    }
  }
}
