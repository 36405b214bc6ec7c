import assert from "node:assert/strict";
import { Tokenizer } from "../../decoder/mod.ts";
import { openaiSpecialNames } from "../../decoder/special_tokens.ts";
import { bundledTokens, type PackedVocabulary, unpackTokens } from "../../decoder/vocabulary/bundled.ts";
import { packRanks } from "../../decoder/vocabulary/pack.ts";
import { testWithData } from "../support/shared_data.ts";
import { dataJson } from "./_data.ts";
import { DEMO } from "./_demo_model.ts";

const readJson = async (name: string) => JSON.parse(await Deno.readTextFile(`${DEMO}/${name}`));

/** A vocabulary from each kind of source, and its record in the reference data. */
const SOURCES: readonly [name: string, record: string, load: () => Promise<Tokenizer>][] = [
  [
    "bundled multilingual",
    "multilingual_99",
    () => Tokenizer.fromBundled("multilingual", { vocabularySize: 51865 }),
  ],
  [
    "bundled large-v3",
    "multilingual_100",
    () => Tokenizer.fromBundled("multilingual", { vocabularySize: 51866 }),
  ],
  ["bundled gpt2", "gpt2", () => Tokenizer.fromBundled("gpt2", { vocabularySize: 51864 })],
  [
    "tokenizer.json",
    "demo",
    async () => Tokenizer.fromTokenizerJson(await readJson("tokenizer.json"), { vocabularySize: 2370 }),
  ],
  ["vocab.json and merges.txt", "demo", async () =>
    Tokenizer.fromVocabAndMerges({
      vocab: await readJson("vocab.json"),
      merges: await Deno.readTextFile(`${DEMO}/merges.txt`),
      addedTokens: await readJson("added_tokens.json"),
    }, { vocabularySize: 2370 })],
  [
    "ggml without special tokens",
    "demo",
    async () => Tokenizer.fromGgml((await demoTokens()).slice(0, 859), { vocabularySize: 2370 }),
  ],
  [
    "ggml with special tokens",
    "demo",
    async () => Tokenizer.fromGgml(await demoTokens(), { vocabularySize: 2370 }),
  ],
  [
    "ggml with the end alone",
    "demo",
    async () => Tokenizer.fromGgml((await demoTokens()).slice(0, 860), { vocabularySize: 2370 }),
  ],
];

/** All tokens of the demo model as bytes; the languages of the demo are not the first two of Whisper's. */
async function demoTokens(): Promise<Uint8Array[]> {
  const tokenizer = Tokenizer.fromTokenizerJson(await readJson("tokenizer.json"), { vocabularySize: 2370 });
  return Array.from({ length: 2370 }, (_, id) => tokenizer.bytesOf(id));
}

for (const [name, record, load] of SOURCES) {
  const numbered = name.includes("without") || name.includes("alone");
  Deno.test(`Tokenizer from ${name} finds the special tokens`, async () => {
    const { special, nonSpeechTokens } = await load();
    const golden = (await dataJson("tokenizer.json"))[record];
    assert.deepEqual([special.eot, special.sot, special.startOfLm, special.prev, special.noSpeech], [
      golden.eot,
      golden.sot,
      golden.sot_lm,
      golden.sot_prev,
      golden.no_speech,
    ]);
    assert.deepEqual([special.noTimestamps, special.timestampBegin, special.transcribe, special.translate], [
      golden.no_timestamps,
      golden.timestamp_begin,
      golden.transcribe,
      golden.translate,
    ]);
    // Without names, two languages can only be taken for Whisper's first two.
    const languages = numbered ? { en: 861, zh: 862 } : golden.languages;
    assert.deepEqual(Object.fromEntries(special.languages), languages);
    assert.deepEqual(nonSpeechTokens, golden.non_speech_tokens);
  });

  Deno.test(`Tokenizer from ${name} encodes and decodes as tiktoken does`, async () => {
    const tokenizer = await load();
    const golden = (await dataJson("tokenizer.json"))[record];
    for (const [text, ids] of golden.encoded) {
      assert.deepEqual(tokenizer.encode(text), ids, JSON.stringify(text));
      assert.equal(tokenizer.decode(ids), text);
    }
    for (const { ids, text, timed } of golden.decoded) {
      if (numbered && ids.some((id: number) => id >= golden.eot && id < golden.timestamp_begin)) continue;
      assert.equal(tokenizer.decode(ids), text);
      assert.equal(tokenizer.decodeWithTimestamps(ids), timed);
    }
    for (const { ids, words, tokens } of golden.splits) {
      assert.deepEqual(
        tokenizer.splitOnCharacters(ids),
        words.map((text: string, i: number) => ({ text, tokens: tokens[i] })),
      );
    }
  });
}

Deno.test("Tokenizer.startSequence() names language and task for multilingual models alone", async () => {
  const golden = await dataJson("tokenizer.json");
  const multilingual = await Tokenizer.fromBundled("multilingual", { vocabularySize: 51865 });
  assert.deepEqual(multilingual.startSequence("de", "translate"), golden.multilingual_99.sot_sequence);
  const large = await Tokenizer.fromBundled("multilingual", { vocabularySize: 51866 });
  assert.deepEqual(large.startSequence("yue", "transcribe"), golden.multilingual_100.sot_sequence);
  assert.throws(() => multilingual.startSequence("yue", "transcribe"), { code: "E_OPTION" });
  const english = await Tokenizer.fromBundled("gpt2", { vocabularySize: 51864 });
  assert.equal(english.multilingual, false);
  assert.deepEqual(english.startSequence("en", "transcribe"), golden.gpt2.sot_sequence);
});

Deno.test("Tokenizer.encode() refuses the spelling of a special token", async () => {
  const tokenizer = await Tokenizer.fromBundled("multilingual", { vocabularySize: 51865 });
  assert.throws(() => tokenizer.encode("a <|endoftext|> b"), {
    code: "E_OPTION",
    message: /<\|endoftext\|>/,
  });
  assert.throws(() => tokenizer.encode("<|<|1.08|>"), { code: "E_OPTION" });
});

Deno.test("Tokenizer.encode() takes an unpaired surrogate as U+FFFD", async () => {
  const tokenizer = await Tokenizer.fromBundled("multilingual", { vocabularySize: 51865 });
  assert.deepEqual(tokenizer.encode("a\ud83dz"), tokenizer.encode("a\ufffdz"));
});

Deno.test("Tokenizer.encode() takes 200,000 letters without a space in its stride", async () => {
  const tokenizer = await Tokenizer.fromBundled("multilingual", { vocabularySize: 51865 });
  const text = "abcdefghij".repeat(20_000);
  assert.equal(tokenizer.decode(tokenizer.encode(text)), text);
});

Deno.test("Tokenizer keeps a character that tokens share whole", async () => {
  const tokenizer = await Tokenizer.fromBundled("multilingual", { vocabularySize: 51865 });
  const parts = tokenizer.splitOnCharacters(tokenizer.encode("a𓀀b"));
  assert.equal(parts.map((part) => part.text).join("|"), "a|𓀀|b");
});

/** Ways in which a tokenizer.json can be wrong. */
// deno-lint-ignore no-explicit-any
const DAMAGES: readonly [name: string, message: RegExp, damage: (json: any) => unknown][] = [
  ["is no object", /model\.vocab/, () => []],
  ["has no vocabulary", /ids by token/, (json) => ({ ...json, model: { ...json.model, vocab: 7 } })],
  ["has no merges", /model\.merges/, (json) => ({ ...json, model: { vocab: json.model.vocab } })],
  [
    "has a token too few",
    /it has 2369 tokens, model needs 2370/,
    (json) => (delete json.model.vocab["Ġthe"], json),
  ],
  ["has a fractional id", /ids must be integers/, (json) => (json.model.vocab["Ġthe"] = 1.5, json)],
  ["has a huge id", /ids must be integers/, (json) => (json.model.vocab["Ġthe"] = 2 ** 40, json)],
  ["has two tokens of one id", /an id of its own/, (json) => (json.model.vocab["Ġthe"] = 5, json)],
  ["has a token that is no bytes", /stands for no byte/, (json) => (json.model.vocab["日"] = 2370, json)],
  ["has a merge of three", /pair of tokens/, (json) => (json.model.merges[3] = ["a", "b", "c"], json)],
  ["lacks a special token", /needs a token <\|startofprev\|>/, (json) => {
    json.added_tokens[7].content = "<|other|>";
    return json;
  }],
  ["has text behind the timestamps", /must be timestamps|has 2371 tokens/, (json) => {
    json.model.vocab["ĠTheThe"] = 2370;
    return json;
  }],
  [
    "has an added token without a name",
    /content in every entry/,
    (json) => (json.added_tokens[3] = { id: 3 }, json),
  ],
];

for (const [name, message, damage] of DAMAGES) {
  Deno.test(`Tokenizer.fromTokenizerJson() refuses a file that ${name}`, async () => {
    const json = damage(await readJson("tokenizer.json"));
    assert.throws(() => Tokenizer.fromTokenizerJson(json, { vocabularySize: 2370 }), {
      name: "SottoError",
      code: "E_TOKENIZER",
      message,
    });
  });
}

Deno.test("Tokenizer refuses a vocabulary of another size than the model's", async () => {
  const wrong = Tokenizer.fromBundled("multilingual", { vocabularySize: 50_000 });
  await assert.rejects(wrong, { code: "E_TOKENIZER", message: /languages/ });
  assert.throws(() => Tokenizer.fromGgml([], { vocabularySize: 1509 }), {
    code: "E_TOKENIZER",
    message: /every byte/,
  });
});

Deno.test("Tokenizer merges in the order of merges where ids are in another", async () => {
  const json = await readJson("tokenizer.json");
  const plain = Tokenizer.fromTokenizerJson(json, { vocabularySize: 2370 });
  // The same merges, but with the ids of two merged tokens exchanged.
  const { vocab } = json.model;
  [vocab["Ġthe"], vocab["ĠThat"]] = [vocab["ĠThat"], vocab["Ġthe"]];
  const exchanged = Tokenizer.fromTokenizerJson(json, { vocabularySize: 2370 });
  const swap = new Map([[vocab["Ġthe"], vocab["ĠThat"]], [vocab["ĠThat"], vocab["Ġthe"]]]);
  const text = " The weather in the kitchen. That there";
  assert.deepEqual(exchanged.encode(text), plain.encode(text).map((id) => swap.get(id) ?? id));
});

Deno.test("openaiSpecialNames() has the names of 99 languages between start and tasks", () => {
  const names = openaiSpecialNames(99);
  assert.equal(names.length, 51865 - 50257);
  assert.equal(names.at(-1), "<|30.00|>");
  assert.throws(() => openaiSpecialNames(101), { code: "E_TOKENIZER" });
});

for (const name of ["multilingual", "gpt2"] as const) {
  testWithData(`the bundled ${name} ranks are OpenAI's`, [`tokenizer/${name}.tiktoken`], async (path) => {
    const original = await unpackTokens(packRanks(await Deno.readTextFile(path)));
    assert.deepEqual(await bundledTokens(name), original);
  });
}

Deno.test("unpackTokens() refuses another number of tokens than announced", async () => {
  const packed: PackedVocabulary = packRanks("YQ== 0\nYg== 1\n");
  assert.deepEqual(await unpackTokens(packed), [new Uint8Array([97]), new Uint8Array([98])]);
  await assert.rejects(unpackTokens({ ...packed, tokens: 3 }), { code: "E_TOKENIZER" });
});
