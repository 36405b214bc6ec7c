import assert from "node:assert/strict";
import { join } from "node:path";
import type { Segment } from "../../decoder/mod.ts";
import { SottoError } from "../../errors.ts";
import { errorRate, errorsBetween } from "../../evaluate/errors_between.ts";
import { judge } from "../../evaluate/judge.ts";
import { readManifest } from "../../evaluate/manifest.ts";
import { rowOf, table } from "../../evaluate/table.ts";
import { DEMO_MODEL, inFolder } from "../support/command.ts";

const counts = (truth: string, written: string) => {
  const { substitutions, deletions, insertions } = errorsBetween([...truth], [...written]);
  return [substitutions, deletions, insertions];
};

Deno.test("errorsBetween() counts substitutions, deletions and insertions", () => {
  assert.deepEqual(counts("abc", "abc"), [0, 0, 0]);
  assert.deepEqual(counts("abc", "axc"), [1, 0, 0]);
  assert.deepEqual(counts("abc", "ac"), [0, 1, 0]);
  assert.deepEqual(counts("abc", "abbc"), [0, 0, 1]);
  assert.deepEqual(counts("kitten", "sitting"), [2, 0, 1]);
  assert.deepEqual(counts("", "ab"), [0, 0, 2]);
  assert.deepEqual(counts("ab", ""), [0, 2, 0]);
  assert.equal(errorRate(errorsBetween([], [])), 0);
  assert.equal(errorRate(errorsBetween([], ["a"])), Infinity);
});

const segment = (start: number, end: number, text: string) => ({ start, end, text }) as Segment;

Deno.test("judge() compares words as spoken, and times of sentences that have a segment of their own", () => {
  const truth = {
    name: "a.wav",
    path: "a.wav",
    language: "en",
    text: "It's twenty-four degrees. Yes. Turn it off!",
    sentences: [
      { start: 0.5, end: 2, text: "It's twenty-four degrees." },
      { start: 2.5, end: 3, text: "Yes." },
      { start: 3.5, end: 5, text: "Turn it off!" },
    ],
  };
  const segments = [segment(0.4, 2.3, " it is 24 degrees"), segment(2.5, 5.5, " Yes turn off.")];
  const { words, starts, ends } = judge({ text: segments.map(({ text }) => text).join(""), segments }, truth);
  assert.deepEqual(words, { substitutions: 0, deletions: 1, insertions: 0, length: 8 });
  assert.deepEqual([starts, ends].flat().map((value) => value.toFixed(2)), ["0.10", "0.30"]);
});

Deno.test("readManifest() reads the bundled recordings, and says what is wrong with a manifest", () =>
  inFolder(async (folder) => {
    const recordings = await readManifest(join(DEMO_MODEL, "audio"));
    assert.equal(recordings.length, 5);
    for (const { path, language, sentences, text } of recordings) {
      assert(await Deno.stat(path));
      assert.match(language, /^(en|de)$/);
      assert.equal(sentences.map(({ text }) => text).join(" "), text);
    }
    const path = join(folder, "manifest.tsv");
    const refused = async (text: string | null, code: string, message: RegExp) => {
      if (text !== null) await Deno.writeTextFile(path, text);
      await assert.rejects(
        readManifest(folder),
        (error) => error instanceof SottoError && error.code === code && message.test(error.message),
      );
    };
    await refused(null, "E_INPUT", /has no manifest\.tsv/);
    await refused("file\ttext\n", "E_OPTION", /must name the columns file, text, language/);
    await refused("file\ttext\tlanguage\n\ttext\ten\n", "E_OPTION", /line 2 .* names no file/);
    await refused("file\ttext\tlanguage\na.wav\ttext\tklingon\n", "E_OPTION", /line 2 .* got "klingon"/);
  }));

Deno.test("table() shows rates over all words together", () => {
  const run = (name: string, words: [string, string]) => ({
    name,
    audio: 10,
    seconds: 2,
    words: errorsBetween([...words[0]], [...words[1]]),
    characters: errorsBetween([...words[0]], [...words[1]]),
    starts: [],
    ends: [],
  });
  const row = rowOf("cpu, f32", [run("a", ["abc", "abd"]), run("b", ["abcdefg", "abcdefg"])]);
  assert.equal(row.wordErrorRate, 0.1);
  const lines = table([row]).split("\n");
  assert.equal(new Set(lines.map((line) => line.length)).size, 1, "columns are aligned");
  assert.match(lines[2], /^\| cpu, f32 +\| +10 \| +10\.0 \| +10\.0 \| +1 \| +0 \| +0 \| +5\.0 \|/);
});
