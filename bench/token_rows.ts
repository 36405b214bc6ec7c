/**
 * What a token costs beside the network: the rules, the log-softmax and the choice over 51,865 logits, which the
 * decoder's session reads, or TypeScript.
 *
 * @module
 */

import { SuppressTokens, TimestampRules } from "../decoder/logit_filters.ts";
import { LogitRow } from "../decoder/logit_row.ts";
import { Tokenizer } from "../decoder/mod.ts";
import { seededRandom } from "../decoder/random.ts";
import { chooseLikeliest } from "../decoder/token_choice.ts";
import type { Device, LogitReader } from "../kernels/device.ts";
import type { WeightStore } from "../model/weights.ts";
import { BASE_DECODER } from "./random_decoder.ts";
import type { Row } from "./report.ts";
import { timingOf } from "./timing.ts";

/** Goal: at most this many microseconds, 3 % of a 3 ms step of Whisper base. */
const MOST_MICROSECONDS = 90;

/** Tokens that are timed, after as many that let the compiler see what is asked of it. */
const TOKENS = 400;

/**
 * Logits in a normal distribution with a deviation of 3, one of them far above: 35 stands for a sure model, where
 * all others are negligible for the sum; 18 for an unsure one, where none is.
 */
const PEAKS: Readonly<Record<string, number>> = { sure: 35, unsure: 18 };

/** Times the choice of a text token in the middle of a segment, with the device's reader and without. */
export async function tokenRows(device: Device, weights: WeightStore): Promise<Row[]> {
  using decoder = await device.loadDecoder(BASE_DECODER, weights);
  using session = decoder.open(1);
  return [
    ...await choiceRows("choosing a token", session.logits),
    ...await choiceRows("  in TypeScript", undefined),
  ];
}

async function choiceRows(what: string, reader: LogitReader | undefined): Promise<Row[]> {
  const tokenizer = await Tokenizer.fromBundled("multilingual", { vocabularySize: 51865 });
  const { special, nonSpeechTokens, vocabularySize } = tokenizer;
  const filters = [new SuppressTokens(nonSpeechTokens), new TimestampRules(special, null)];
  const written = [special.timestampBegin, ...tokenizer.encode(" One two three")];
  const random = seededRandom(1);
  const normal = Float32Array.from(
    { length: vocabularySize },
    () => 3 * Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()),
  );
  const likeliest = written.at(-1)!;
  return Object.entries(PEAKS).map(([name, peak]) => {
    const logits = normal.slice();
    const row = new LogitRow(logits, special.timestampBegin, { logits: reader });
    const seconds: number[] = [];
    let logprob = 0;
    for (let i = 0; i < 2 * TOKENS; i++) {
      logits.set(normal);
      logits[likeliest] = peak;
      const begun = performance.now();
      row.take(logits);
      for (const filter of filters) filter.apply(row, written);
      logprob = chooseLikeliest(row).logprob;
      if (i >= TOKENS) seconds.push((performance.now() - begun) / 1000);
    }
    const exact = -Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit - peak), 0));
    const time = timingOf(seconds);
    const verdicts = [{ goal: `≤ ${MOST_MICROSECONDS} µs`, met: 1e6 * time.min <= MOST_MICROSECONDS }];
    return {
      what: `${what}, ${name}`,
      time,
      error: Math.abs(logprob - exact),
      ...reader && { verdicts },
    };
  });
}
