import assert from "node:assert/strict";
import {
  type LogitFilter,
  SuppressBlank,
  SuppressTokens,
  TimestampRules,
} from "../../decoder/logit_filters.ts";
import { LogitRow } from "../../decoder/logit_row.ts";
import type { SpecialTokens } from "../../decoder/special_tokens.ts";

// A vocabulary of text 0…9, specials 10…18 and five timestamps 19…23.
const SPECIAL: SpecialTokens = {
  eot: 10,
  sot: 11,
  translate: 13,
  transcribe: 14,
  startOfLm: 15,
  prev: 16,
  noSpeech: 17,
  noTimestamps: 18,
  timestampBegin: 19,
  languages: new Map([["en", 12]]),
};
const V = 24;

/** Ids that a filter leaves, out of logits that are equal unless said otherwise. */
function left(
  rules: LogitFilter,
  written: readonly number[],
  logits: Record<number, number> = {},
): number[] {
  // Text is likely, so that times together do not outweigh it by their number.
  const values = Float32Array.from(
    { length: V },
    (_, id) => logits[id] ?? (id < SPECIAL.timestampBegin ? 5 : 0),
  );
  rules.apply(new LogitRow(values, SPECIAL.timestampBegin), written);
  return [...values.keys()].filter((id) => values[id] !== -Infinity);
}

const span = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);
const TEXT = span(0, 9);
const NO_TIMES = [...TEXT, ...span(10, 17)];

Deno.test("SuppressBlank forbids its tokens at the beginning alone", () => {
  assert.deepEqual(left(new SuppressBlank([3, 10]), []), span(0, 23).filter((id) => id !== 3 && id !== 10));
  assert.deepEqual(left(new SuppressBlank([3, 10]), [1]), span(0, 23));
});

Deno.test("SuppressTokens forbids its tokens always", () => {
  assert.deepEqual(left(new SuppressTokens([0, 23]), [1, 2]), span(1, 22));
});

Deno.test("TimestampRules begin with a time no later than allowed", () => {
  assert.deepEqual(left(new TimestampRules(SPECIAL, null), []), span(19, 23));
  assert.deepEqual(left(new TimestampRules(SPECIAL, 2), []), span(19, 21));
  assert.deepEqual(left(new TimestampRules(SPECIAL, 1500), []), span(19, 23));
});

Deno.test("TimestampRules let text follow the first time, and no second time", () => {
  assert.deepEqual(left(new TimestampRules(SPECIAL, null), [20]), NO_TIMES);
});

Deno.test("TimestampRules keep a segment longer than zero", () => {
  assert.deepEqual(left(new TimestampRules(SPECIAL, null), [20, 1]), [...NO_TIMES, ...span(21, 23)]);
});

Deno.test("TimestampRules let a time or the end follow a closing time", () => {
  assert.deepEqual(left(new TimestampRules(SPECIAL, null), [20, 1, 22], { 22: 0, 10: 9 }), [
    ...span(10, 17),
    22,
    23,
  ]);
});

Deno.test("TimestampRules want text after a pair, and do not go back in time", () => {
  assert.deepEqual(left(new TimestampRules(SPECIAL, null), [20, 1, 22, 22]), NO_TIMES);
  assert.deepEqual(left(new TimestampRules(SPECIAL, null), [20, 1, 22, 22, 1, 1]), [...NO_TIMES, 23]);
});

Deno.test("TimestampRules forbid text where all times together are likelier than any one token", () => {
  const rules = new TimestampRules(SPECIAL, null);
  const written = [19, 1];
  const times = { 20: 5, 21: 5, 22: 5, 23: 5 }; // together log 4 + 5
  assert.deepEqual(left(rules, written, { ...times, 3: 5 + Math.log(4) - 0.01 }), span(20, 23));
  assert.deepEqual(left(rules, written, { ...times, 3: 5 + Math.log(4) + 0.01 }), [
    ...NO_TIMES,
    ...span(20, 23),
  ]);
});

Deno.test("TimestampRules leave text where no time is left", () => {
  assert.deepEqual(left(new TimestampRules(SPECIAL, null), [19, 1, 23, 23, 1]), NO_TIMES);
});

Deno.test("TimestampRules never allow <|notimestamps|>", () => {
  for (const written of [[], [19], [19, 1], [19, 1, 20], [19, 1, 20, 20]]) {
    assert(!left(new TimestampRules(SPECIAL, null), written, { 18: 99 }).includes(18));
  }
});
