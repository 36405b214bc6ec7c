import assert from "node:assert/strict";
import { Agreement } from "../../live/agreement.ts";

const words = (text: string) =>
  text.split(" ").filter(Boolean).map((text) => ({ text, tokens: [text.length, text.charCodeAt(0)] }));
const texts = (list: readonly { text: string }[]) => list.map(({ text }) => text).join(" ");

Deno.test("Agreement commits what two readings share, but for the last word", () => {
  const agreement = new Agreement();
  assert.equal(texts(agreement.add(words("the tree"))), "");
  assert.equal(texts(agreement.add(words("the train to"))), "the");
  // The next readings begin behind what is certain.
  assert.equal(texts(agreement.add(words("train to Rome"))), "train to");
  assert.equal(texts(agreement.add(words("Rome"))), "");
  assert.equal(texts(agreement.committed), "the train to");
  assert.equal(agreement.prefix.length, 6);
});

Deno.test("Agreement forgets a reading that was wrong, never a word that is certain", () => {
  const agreement = new Agreement();
  agreement.add(words("a b c"));
  agreement.add(words("a b c"));
  assert.equal(texts(agreement.committed), "a b");
  assert.equal(texts(agreement.add([])), "");
  assert.equal(texts(agreement.add(words("x y"))), "");
  assert.equal(texts(agreement.committed), "a b");
  agreement.restart();
  assert.deepEqual(agreement.committed, []);
});
