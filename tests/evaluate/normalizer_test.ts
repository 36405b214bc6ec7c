import assert from "node:assert/strict";
import { normalizeBasic } from "../../evaluate/basic_normalizer.ts";
import { normalizeEnglish } from "../../evaluate/english_normalizer.ts";

const { english, basic }: Record<"english" | "basic", [string, string][]> = JSON.parse(
  await Deno.readTextFile(new URL("../data/evaluate/normalized.json", import.meta.url)),
);

Deno.test("normalizeEnglish() normalizes as openai-whisper does, numbers in any order included", () => {
  assert(english.length > 500);
  for (const [text, normalized] of english) assert.equal(normalizeEnglish(text), normalized, text);
});

Deno.test("normalizeBasic() normalizes as openai-whisper does", () => {
  for (const [text, normalized] of basic) assert.equal(normalizeBasic(text), normalized, text);
});
