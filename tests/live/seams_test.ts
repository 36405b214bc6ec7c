import assert from "node:assert/strict";
import { joinedSentences, sentencesAstray } from "../../bench/joined_sentences.ts";
import { testWithLibrary } from "../support/cpu_library.ts";
import { bundled, cut, joined, silence } from "../voice/_recordings.ts";
import { live, load } from "./_live.ts";

Deno.test("sentencesAstray() tells sentences lost and doubled from words misheard", () => {
  const texts = ["Play the news in the cellar.", "It is cold.", "Wake me up at eight."];
  assert.deepEqual(sentencesAstray(texts, texts.join(" ")), { lost: [], added: [] });
  assert.deepEqual(sentencesAstray(texts, "Play news in a cellar. Fifteen, please. Wake me at nine?"), {
    lost: [],
    added: [],
  });
  assert.deepEqual(sentencesAstray(texts, "Play the news in the cellar. Wake me at eight."), {
    lost: ["It is cold."],
    added: [],
  });
  assert.deepEqual(sentencesAstray(texts, `${texts.join(" ")} Wake me at nine.`), {
    lost: [],
    added: ["Wake me at nine."],
  });
});

testWithLibrary(
  "captions of speech almost without pauses lose no sentence at a seam, and double none",
  async () => {
    using model = await load();
    for (const seed of [1, 3]) {
      const { samples, texts } = await joinedSentences({ seed, pauses: [0.1, 0.4], seconds: 50 });
      const { updates, transcript: { captions } } = await live(model, samples, {
        language: "en",
        chunk: 0.1,
        closing: false,
      });
      assert.equal(updates.map(({ committed }) => committed).join(""), captions.text);
      assert.deepEqual(sentencesAstray(texts, captions.text), { lost: [], added: [] }, `stream ${seed}`);
    }
  },
);

testWithLibrary("a word that begins as a pause seems over belongs to the phrase before it", async () => {
  using model = await load();
  // The end of "…bottles of milk, please.": its last word stands apart, and comes in two readings.
  const order = cut(await bundled("09_long"), 65, 68.5);
  const { transcript: { captions } } = await live(model, joined(order, silence(1)), {
    language: "en",
    closing: false,
  });
  assert.equal(captions.segments.length, 1, captions.text);
  assert.match(captions.text, /milk, please\.$/);
});
