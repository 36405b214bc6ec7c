import assert from "node:assert/strict";
import { BeamSearch, candidatesOf } from "../../decoder/beam_search.ts";
import { likeliestOf } from "../../decoder/hypothesis.ts";
import { LogitRow } from "../../decoder/logit_row.ts";

// A vocabulary of the end, three words and one time.
const EOT = 0;
const [A, B, C] = [1, 2, 3];

/** A row in which tokens have these probabilities; the others are forbidden. */
function row(probabilities: Record<number, number>, candidates: number): LogitRow {
  const logits = new Float32Array(5).fill(-Infinity);
  for (const [token, p] of Object.entries(probabilities)) logits[Number(token)] = Math.log(p);
  return new LogitRow(logits, 4, { most: candidates });
}

/** Offers each text in progress its row, and goes on. */
function step(search: BeamSearch, ...rows: Record<number, number>[]) {
  rows.forEach((probabilities, i) => search.offer(i, row(probabilities, search.candidates)));
  return search.advance();
}

const close = (actual: number, expected: number) => assert(Math.abs(actual - expected) < 1e-6);
const texts = (search: BeamSearch) => search.finish().map(({ tokens }) => tokens);

Deno.test("BeamSearch keeps the likeliest texts, whichever text they continue", () => {
  const search = new BeamSearch(2, { patience: null, eot: EOT });
  assert.deepEqual(step(search, { [A]: 0.5, [B]: 0.4, [C]: 0.1 }), { tokens: [A, B], sources: [0, 0] });
  // Both of B's words are likelier than either of A's.
  const next = step(search, { [A]: 0.4, [B]: 0.3, [C]: 0.3 }, { [A]: 0.55, [C]: 0.45 });
  assert.deepEqual(next, { tokens: [A, A], sources: [1, 0] });
  assert.deepEqual(search.inProgress.map(({ tokens }) => tokens), [[B, A], [A, A]]);
  close(search.inProgress[0].sumLogprob, Math.log(0.4 * 0.55));
});

Deno.test("BeamSearch takes the earlier text of equally likely ones", () => {
  const search = new BeamSearch(2, { patience: null, eot: EOT });
  step(search, { [A]: 0.5, [B]: 0.5 });
  assert.deepEqual(step(search, { [A]: 0.5, [B]: 0.5 }, { [A]: 0.5, [B]: 0.5 }), {
    tokens: [A, B],
    sources: [0, 0],
  });
});

Deno.test("BeamSearch ends when as many texts are finished as there are beams", () => {
  const search = new BeamSearch(2, { patience: null, eot: EOT });
  step(search, { [A]: 0.6, [B]: 0.4 });
  assert.equal(step(search, { [EOT]: 0.5, [A]: 0.5 }, { [B]: 1 }).tokens.length, 2);
  assert.deepEqual(step(search, { [EOT]: 0.9, [A]: 0.1 }, { [C]: 1 }).tokens, []);
  assert.deepEqual(texts(search), [[A], [B, B]]);
});

Deno.test("BeamSearch finishes a text only while it is among the best", () => {
  const search = new BeamSearch(1, { patience: null, eot: EOT });
  assert.deepEqual(step(search, { [A]: 0.6, [EOT]: 0.4 }).tokens, [A]); // the end is second to A
  assert.deepEqual(step(search, { [EOT]: 0.6, [A]: 0.4 }).tokens, []);
  assert.deepEqual(texts(search), [[A]]);
});

Deno.test("BeamSearch waits for more or fewer finished texts by its patience", () => {
  assert.equal(candidatesOf(5, null), 5);
  assert.equal(candidatesOf(5, 0.5), 2); // halves go to the even number, as in Python
  assert.equal(candidatesOf(3, 0.5), 2);
  const patient = new BeamSearch(1, { patience: 2, eot: EOT });
  assert.deepEqual(step(patient, { [EOT]: 0.6, [A]: 0.4 }).tokens, [A]);
  assert.deepEqual(step(patient, { [EOT]: 0.6, [A]: 0.4 }).tokens, []);
  assert.deepEqual(texts(patient), [[], [A]]);
  const hasty = new BeamSearch(3, { patience: 0.4, eot: EOT });
  assert.deepEqual(step(hasty, { [EOT]: 0.5, [A]: 0.3, [B]: 0.2 }).tokens, []);
  assert.deepEqual(texts(hasty), [[], [A], [B]]); // unfinished ones fill up the beams
});

Deno.test("BeamSearch takes unfinished texts where too few are finished", () => {
  const search = new BeamSearch(3, { patience: null, eot: EOT });
  step(search, { [A]: 0.5, [B]: 0.3, [C]: 0.2 });
  step(search, { [EOT]: 0.5, [A]: 0.5 }, { [A]: 1 }, { [A]: 1 });
  assert.deepEqual(texts(search), [[A], [B, A], [A, A]]);
});

Deno.test("BeamSearch never continues a text with a forbidden token, and keeps a text that may not go on", () => {
  const search = new BeamSearch(3, { patience: null, eot: EOT });
  assert.deepEqual(step(search, { [A]: 1 }), { tokens: [A], sources: [0] });
  assert.deepEqual(step(search, {}), { tokens: [], sources: [] });
  assert.deepEqual(texts(search), [[A]]);
});

Deno.test("BeamSearch ends where nothing but the end is allowed", () => {
  const search = new BeamSearch(2, { patience: null, eot: EOT });
  step(search, { [A]: 1 });
  assert.deepEqual(step(search, { [EOT]: 1 }).tokens, []);
  assert.deepEqual(texts(search), [[A]]);
});

Deno.test("likeliestOf() judges by the mean, or by Google's length penalty", () => {
  const short = { tokens: [A], sumLogprob: -0.5 };
  const long = { tokens: [A, B, C, A], sumLogprob: -1.6 };
  assert.equal(likeliestOf([short, long], null), long);
  assert.equal(likeliestOf([short, long], 0), short);
  const penalized = [short, long].map(({ tokens, sumLogprob }) =>
    sumLogprob / ((5 + tokens.length) / 6) ** 1
  );
  assert.equal(likeliestOf([short, long], 1), penalized[0] >= penalized[1] ? short : long);
  assert.equal(likeliestOf([long, { ...long }], null), long);
  assert.deepEqual(likeliestOf([{ tokens: [], sumLogprob: -1 }], null), { tokens: [], sumLogprob: -1 });
});
