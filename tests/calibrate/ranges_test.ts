import { ok, strictEqual } from "node:assert/strict";
import { noiseOf } from "../../calibrate/noise.ts";
import { groupedError, rangeOf, squaredError } from "../../calibrate/ranges.ts";
import { migrationOf } from "../../calibrate/migrations.ts";

const HOT = Float32Array.from({ length: 1000 }, (_, i) => i === 500 ? -100 : Math.sin(i));

Deno.test("rangeOf() is the largest magnitude, the one that one in a hundred exceeds, or what errs least", () => {
  strictEqual(rangeOf(HOT, "max"), 100);
  ok(rangeOf(HOT, "percentile") <= 1);
  strictEqual(rangeOf(HOT, "mse"), 100); // cutting off the hot value would err more than all the rest
  strictEqual(rangeOf(new Float32Array(64), "mse"), 0);
});

Deno.test("squaredError() is that of the nearest code, and of values cut to the range", () => {
  strictEqual(squaredError(Float32Array.of(127, -127, 64), 127), 0);
  ok(Math.abs(squaredError(Float32Array.of(0.25), 127) - 0.0625) < 1e-9);
  strictEqual(squaredError(Float32Array.of(200), 127), 73 ** 2);
  strictEqual(squaredError(Float32Array.of(1), 0), 0);
});

Deno.test("groupedError() falls with shorter groups, and is what INT8 of uniform noise has", () => {
  const rows = noiseOf(64 * 512, "white", 7);
  const errors = [32, 64, 512].map((group) => groupedError(rows, 512, { group, method: "max" }));
  ok(errors[0] < errors[1] && errors[1] < errors[2], `${errors}`);
  // Steps of 2/254 of values even over −1…1: (1/127)/√12 against 1/√3.
  ok(Math.abs(errors[2] - 0.0039) < 0.0001, `${errors[2]}`);
});

Deno.test("migrationOf() evens channels out, around 1, and leaves those alone that are always 0", () => {
  const activations = Float64Array.of(8, 2, 0, 0.5);
  const ranges = {
    block: 1,
    product: "qkv" as const,
    activations: { max: activations, percentile: activations, mse: activations },
    weights: Float64Array.of(1, 1, 1, 1),
  };
  const { scales } = migrationOf(ranges, "max", 0.5);
  ok(Math.abs(scales[0] / scales[1] - 2) < 1e-4, `${scales}`);
  strictEqual(scales[2], 1);
  const product = scales[0] * scales[1] * scales[3];
  ok(Math.abs(product - 1) < 1e-4, `${product}`);
});

Deno.test("noiseOf() is the same again, other with another seed, within −1…1, and of its colour", () => {
  const roughness = (samples: Float32Array) => {
    let difference = 0, all = 0;
    for (let i = 1; i < samples.length; i++) {
      difference += (samples[i] - samples[i - 1]) ** 2;
      all += samples[i] ** 2;
    }
    return difference / all;
  };
  const [white, pink, brown] = (["white", "pink", "brown"] as const).map((colour) =>
    noiseOf(20_000, colour, 3)
  );
  for (const samples of [white, pink, brown]) ok(samples.every((value) => value >= -1 && value <= 1));
  ok(roughness(white) > 2 * roughness(pink) && roughness(pink) > 2 * roughness(brown));
  strictEqual(noiseOf(100, "pink", 3)[50], noiseOf(100, "pink", 3)[50]);
  ok(white[50] !== noiseOf(100, "white", 4)[50]);
});
