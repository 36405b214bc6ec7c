import assert from "node:assert/strict";
import { join } from "node:path";
import { Journal } from "../../cli/journal.ts";
import type { WindowRecord } from "../../decoder/mod.ts";
import { inFolder } from "../support/command.ts";

const window = (nextSeek: number): WindowRecord => ({
  nextSeek,
  segments: [{
    id: nextSeek,
    seek: 0,
    start: 0.1 + 0.2,
    end: 3.3000000000000003,
    text: " Ünïcode\n\u2028",
    tokens: [1, 2],
    temperature: 0,
    avgLogprob: -Infinity,
    compressionRatio: 1.1,
    noSpeechProb: NaN,
  }],
  startsAfresh: false,
  language: "en",
  detection: { language: "en", probabilities: { en: 0.9, de: 0.1 } },
  words: { lastSpeech: 1.5, wordEnd: 1.5, segmentEnd: 2 },
});

const resume = { resume: true };

async function written(path: string, count: number): Promise<void> {
  const { journal } = await Journal.open(path, { recording: "a" }, { resume: false });
  for (let i = 1; i <= count; i++) await journal.add(window(i));
  journal[Symbol.dispose]();
}

Deno.test("Journal gives back what was added, numbers that JSON has not included", () =>
  inFolder(async (folder) => {
    const path = join(folder, "journal");
    await written(path, 3);
    const { journal, isForeign } = await Journal.open(path, { recording: "a" }, resume);
    using _closing = journal;
    assert.deepEqual(journal.finished, [window(1), window(2), window(3)]);
    assert.equal(isForeign, false);
  }));

Deno.test("Journal drops a line that was cut off anywhere, and goes on behind the others", () =>
  inFolder(async (folder) => {
    const path = join(folder, "journal");
    await written(path, 2);
    const whole = await Deno.readFile(path);
    const lineEnds = [...whole.keys()].filter((i) => whole[i] === 10);
    for (let cut = 0; cut < whole.length; cut += 7) {
      await Deno.writeFile(path, whole.subarray(0, cut));
      const { journal, isForeign } = await Journal.open(path, { recording: "a" }, resume);
      const left = Math.max(0, lineEnds.filter((end) => end < cut).length - 1);
      assert.equal(journal.finished.length, left, `cut at ${cut}`);
      assert.equal(isForeign, false);
      await journal.add(window(9));
      journal[Symbol.dispose]();
      const again = await Journal.open(path, { recording: "a" }, resume);
      assert.deepEqual(again.journal.finished.map(({ nextSeek }) => nextSeek), [...[1, 2].slice(0, left), 9]);
      again.journal[Symbol.dispose]();
    }
  }));

Deno.test("Journal does not go on with zeros that a power cut left behind", () =>
  inFolder(async (folder) => {
    const path = join(folder, "journal");
    await written(path, 1);
    await Deno.writeFile(path, new Uint8Array(4096), { append: true });
    await Deno.writeTextFile(path, "\n", { append: true });
    const { journal } = await Journal.open(path, { recording: "a" }, resume);
    using _closing = journal;
    assert.deepEqual(journal.finished, [window(1)]);
  }));

Deno.test("Journal of something else is begun anew, and says so", () =>
  inFolder(async (folder) => {
    const path = join(folder, "journal");
    await written(path, 2);
    const { journal, isForeign } = await Journal.open(path, { recording: "b" }, resume);
    assert.deepEqual([journal.finished, isForeign], [[], true]);
    journal[Symbol.dispose]();
    assert.equal((await Deno.readTextFile(path)).split("\n").length, 2, "a header is left");
  }));

Deno.test("Journal says what was written when all was there, whatever was cut off behind it", () =>
  inFolder(async (folder) => {
    const path = join(folder, "journal");
    await written(path, 2);
    const completion = { outputs: { files: [{ format: "txt", size: 3, modified: 4 }] } };
    const open = async () => {
      const { journal } = await Journal.open(path, { recording: "a" }, resume);
      journal[Symbol.dispose]();
      return { windows: journal.finished.length, completion: journal.completion };
    };
    assert.deepEqual(await open(), { windows: 2, completion: null });
    const { journal } = await Journal.open(path, { recording: "a" }, resume);
    await journal.complete(completion);
    journal[Symbol.dispose]();
    await Deno.writeTextFile(path, '{"outputs":{"fi', { append: true });
    assert.deepEqual(await open(), { windows: 2, completion });
  }));
