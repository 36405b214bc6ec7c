import { PowerSpectrum } from "../../kernels/portable/fft.ts";
import { logMelPower } from "../../kernels/portable/log_mel_power.ts";
import { Pace } from "../../kernels/portable/pace.ts";
import { Random } from "./_random.ts";
import assert from "node:assert/strict";

/** |Σ x[i] · e^(−2πi·i·k/n)|², by the formula. */
function naivePower(x: ArrayLike<number>): number[] {
  const n = x.length;
  return Array.from({ length: n / 2 + 1 }, (_, k) => {
    let re = 0, im = 0;
    for (let i = 0; i < n; i++) {
      re += x[i] * Math.cos(2 * Math.PI * (i * k % n) / n);
      im -= x[i] * Math.sin(2 * Math.PI * (i * k % n) / n);
    }
    return re * re + im * im;
  });
}

Deno.test("PowerSpectrum equals the formula for sizes of twos and fives", () => {
  const random = new Random(10);
  for (const n of [2, 4, 8, 10, 16, 20, 40, 50, 64, 100, 250, 400, 512]) {
    const x = random.array(n + 3);
    const power = new Float64Array(n / 2 + 1);
    new PowerSpectrum(n).compute(x, 3, new Float64Array(n).fill(1), power);
    naivePower(x.subarray(3)).forEach((expected, k) => {
      assert.ok(Math.abs(power[k] - expected) <= 1e-11 * n * n, `n ${n}, bin ${k}: ${power[k]}, ${expected}`);
    });
  }
});

Deno.test("PowerSpectrum refuses sizes it has no transform for", () => {
  for (const n of [0, 7, 14, 402]) assert.throws(() => new PowerSpectrum(n), RangeError);
});

Deno.test("logMelPower() equals windowing, transforming and weighing by the formula", async () => {
  const random = new Random(11);
  const frames = 3, bands = 4;
  const samples = random.array(160 * (frames - 1) + 400);
  // A band of one bin, one of many, one of none, one of all.
  const weights = Float32Array.from({ length: bands * 201 }, (_, i) => {
    const band = Math.floor(i / 201), bin = i % 201;
    return band === 0 ? Number(bin === 200) : band === 1 ? Number(bin > 3 && bin < 90) : band === 2 ? 0 : 0.5;
  });
  const out = await logMelPower(samples, frames, { bands, weights }, new Pace());
  for (let frame = 0; frame < frames; frame++) {
    const windowed = Array.from(
      { length: 400 },
      (_, i) => samples[frame * 160 + i] * Math.sin(Math.PI * i / 400) ** 2,
    );
    const power = naivePower(windowed);
    for (let band = 0; band < bands; band++) {
      const mel = power.reduce((sum, p, bin) => sum + p * weights[band * 201 + bin], 0);
      assert.ok(Math.abs(out[frame * bands + band] - Math.log10(Math.max(mel, 1e-10))) < 1e-6);
    }
  }
});

Deno.test("logMelPower() of silence is -10, of no frames is nothing, and refuses too few samples", async () => {
  const filters = { bands: 1, weights: new Float32Array(201).fill(1) };
  assert.deepEqual(
    await logMelPower(new Float32Array(560), 2, filters, new Pace()),
    Float32Array.of(-10, -10),
  );
  assert.equal((await logMelPower(new Float32Array(0), 0, filters, new Pace())).length, 0);
  await assert.rejects(logMelPower(new Float32Array(559), 2, filters, new Pace()), { code: "E_OPTION" });
  await assert.rejects(logMelPower(new Float32Array(400), 1, { ...filters, bands: 2 }, new Pace()), {
    code: "E_OPTION",
  });
});
