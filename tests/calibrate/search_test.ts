import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { builtInPolicy, type Rounding } from "../../encoder/policy.ts";
import { placeName, placesOf, policyOf, roundingsOf } from "../../calibrate/places.ts";
import { type Errors, search, secondsOf } from "../../calibrate/search.ts";

/** Squared errors of places on two clips, all known or to be measured. */
function errorsOf(table: Readonly<Record<string, readonly number[]>>) {
  const measured: string[] = [];
  const errors: Errors = {
    known: (place, rounding) =>
      rounding === "f32"
        ? [0, 0]
        : measured.includes(`${place} ${rounding}`)
        ? table[`${place} ${rounding}`]
        : undefined,
    measure: (place, rounding) => {
      if (rounding !== "f32") measured.push(`${place} ${rounding}`);
      return Promise.resolve(errors.known(place, rounding)!);
    },
  };
  return { errors, measured };
}

const SECONDS: Readonly<Record<Rounding, number[]>> = { f32: [4, 4, 40], half: [2, 2, 20], int8: [1, 1, 10] };

const TABLE = {
  "0 int8": [9, 1],
  "0 half": [1, 0.1],
  "1 int8": [1, 1],
  "1 half": [0.1, 0.1],
  "2 int8": [2, 3],
  "2 half": [0.2, 0.3],
};

Deno.test("search() leaves everything at its fastest where the budget has room", async () => {
  const { errors, measured } = errorsOf(TABLE);
  const { roundings, predicted } = await search({ seconds: SECONDS, errors, budget: [12, 5] });
  deepStrictEqual(roundings, ["int8", "int8", "int8"]);
  deepStrictEqual(predicted, [12, 5]);
  strictEqual(measured.length, 3);
});

Deno.test("search() makes exact what wins most for its time, and measures no more than that takes", async () => {
  const { errors, measured } = errorsOf(TABLE);
  const { roundings, predicted } = await search({ seconds: SECONDS, errors, budget: [5, 5] });
  deepStrictEqual(roundings, ["half", "int8", "int8"]);
  ok(predicted.every((square) => square <= 5));
  ok(!measured.includes("2 half"), measured.join());
});

Deno.test("search() holds every clip's budget, down to F32 everywhere", async () => {
  for (const budget of [[4, 5], [5, 0.5], [0.35, 5], [1, 0], [0, 0]]) {
    const { roundings, predicted } = await search({
      seconds: SECONDS,
      errors: errorsOf(TABLE).errors,
      budget,
    });
    ok(predicted.every((square, clip) => square <= budget[clip]), `${budget}: ${roundings} ${predicted}`);
  }
});

Deno.test("search() rounds nothing that is no faster rounded", async () => {
  const seconds = { ...SECONDS, half: [4, 4, 40], int8: [5, 4, 10] };
  const { roundings } = await search({ seconds, errors: errorsOf(TABLE).errors, budget: [100, 100] });
  deepStrictEqual(roundings, ["f32", "f32", "int8"]);
  strictEqual(secondsOf(seconds, roundings), 18);
});

Deno.test("places are a policy's products in the plan's order, there and back", () => {
  const policy = builtInPolicy("int8", 3);
  const roundings = roundingsOf(policy);
  deepStrictEqual(policyOf(roundings), policy);
  const names = placesOf(3).map(placeName);
  strictEqual(names.length, roundings.length);
  deepStrictEqual(names.slice(0, 4), ["conv1", "conv2", "block 0 qkv", "block 0 attention"]);
});
