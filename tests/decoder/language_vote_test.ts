import assert from "node:assert/strict";
import type { LanguageDetection, MelWindows } from "../../decoder/mod.ts";
import { voteOnLanguage } from "../../decoder/language_vote.ts";

/** A recording of windows whose German probability is given, the last one cut short. */
function recording(german: readonly number[], speech?: readonly boolean[]) {
  const asked: number[] = [];
  const windows: MelWindows = {
    contentFrames: 3000 * german.length - 100,
    window: (seek) => Promise.resolve(Float32Array.of(seek / 3000)),
    ...(speech && { holdsSpeech: (seek: number) => speech[seek / 3000] }),
  };
  const detect = ([index]: Float32Array): Promise<LanguageDetection> => {
    asked.push(index);
    const de = german[index];
    return Promise.resolve({ language: de > 0.5 ? "de" : "en", probabilities: { en: 1 - de, de } });
  };
  return {
    asked,
    vote: (voters: number, threshold: number) => voteOnLanguage(windows, { voters, threshold, detect }),
  };
}

Deno.test("voteOnLanguage() stops at a window that is sure", async () => {
  const { asked, vote } = recording([0.4, 0.95, 0.1, 0.1]);
  assert.deepEqual(await vote(4, 0.9), { language: "de", probabilities: { en: 1 - 0.95, de: 0.95 } });
  assert.deepEqual(asked, [0, 1]);
});

Deno.test("voteOnLanguage() counts votes where none is sure, and gives mean probabilities", async () => {
  const { asked, vote } = recording([0.6, 0.6, 0.1, 0.6]);
  const { language, probabilities } = await vote(3, 0.9);
  assert.equal(language, "de");
  assert(Math.abs(probabilities.de - 1.3 / 3) < 1e-12 && Math.abs(probabilities.en - 1.7 / 3) < 1e-12);
  assert.deepEqual(asked, [0, 1, 2]);
});

Deno.test("voteOnLanguage() breaks a tie by the probability", async () => {
  assert.equal((await recording([0.6, 0.2]).vote(2, 0.99)).language, "en");
  assert.equal((await recording([0.4, 0.7]).vote(2, 0.99)).language, "de");
});

Deno.test("voteOnLanguage() leaves out windows without speech, unless there are no others", async () => {
  const music = recording([0.1, 0.1, 0.8, 0.9], [false, false, true, true]);
  assert.equal((await music.vote(1, 0.99)).language, "de");
  assert.deepEqual(music.asked, [2]);
  const silent = recording([0.3, 0.8], [false, false]);
  assert.equal((await silent.vote(2, 0.5)).language, "en");
  assert.deepEqual(silent.asked, [0]);
});
