import assert from "node:assert/strict";
import { restoreTimes } from "../../voice/restore.ts";
import { Timeline } from "../../voice/timeline.ts";
import { VoicedWindows } from "../../voice/voiced_windows.ts";

// Kept: 1…3 s, 5…6 s, 6…6.5 s of the recording, so 3.5 s in all.
const timeline = new Timeline([{ start: 100, end: 300 }, { start: 500, end: 600 }, { start: 600, end: 650 }]);

Deno.test("Timeline places what begins or ends where two pieces meet in the one it reaches into", () => {
  assert.equal(timeline.frames, 350);
  assert.deepEqual(timeline.times({ start: 0, end: 2 }), { start: 1, end: 3 });
  assert.deepEqual(timeline.times({ start: 2, end: 3 }), { start: 5, end: 6 });
  assert.deepEqual(timeline.times({ start: 1.5, end: 2.5 }), { start: 2.5, end: 5.5 });
  assert.deepEqual(timeline.times({ start: 3, end: 3.5 }), { start: 6, end: 6.5 });
});

Deno.test("Timeline takes the silence around a gap for neither piece", () => {
  const margin = new Timeline([{ start: 100, end: 300 }, { start: 500, end: 700 }], 20);
  assert.deepEqual(margin.times({ start: 1.9, end: 3 }), { start: 5, end: 6 });
  assert.deepEqual(margin.times({ start: 1, end: 2.1 }), { start: 2, end: 3 });
  assert.deepEqual(margin.times({ start: 1.7, end: 2.3 }), { start: 2.7, end: 5.3 });
  assert.deepEqual(margin.times({ start: 1.9, end: 2.1 }), { start: 2.9, end: 5.1 });
});

Deno.test("Timeline keeps a word within the piece that holds its middle", () => {
  assert.deepEqual(timeline.wordTimes({ start: 1.8, end: 2.1 }), { start: 2.8, end: 3 });
  assert.deepEqual(timeline.wordTimes({ start: 1.9, end: 2.3 }), { start: 5, end: 5.3 });
});

Deno.test("Timeline moves times behind its end to its end, and knows of nothing when empty", () => {
  assert.deepEqual(timeline.times({ start: 3.4, end: 30 }), { start: 6.4, end: 6.5 });
  assert.deepEqual(timeline.times({ start: 2, end: 2 }), { start: 5, end: 5 });
  assert.deepEqual(new Timeline([]).times({ start: 0, end: 1 }), { start: 0, end: 0 });
  assert.equal(timeline.frame(0), 100);
  assert.equal(timeline.frame(200), 500);
  assert.equal(timeline.frame(350), 650);
});

Deno.test("Timeline maps any order of times to the same order, words included", () => {
  let last = 0;
  let lastWord = 0;
  for (let from = 0; from < 340; from += 3) {
    for (const length of [0, 1, 7]) {
      const { start, end } = timeline.times({ start: from / 100, end: (from + length) / 100 });
      assert(start >= last && end >= start, `${from} + ${length}`);
      last = start;
    }
    const word = timeline.wordTimes({ start: from / 100, end: (from + 3) / 100 });
    assert(word.start >= lastWord && word.end >= word.start);
    lastWord = word.end;
  }
});

Deno.test("restoreTimes() moves segment, words and seek", () => {
  const segment = {
    id: 0,
    seek: 200,
    start: 1.5,
    end: 2.5,
    text: " a b",
    tokens: [],
    temperature: 0,
    avgLogprob: 0,
    compressionRatio: 1,
    noSpeechProb: 0,
    words: [
      { word: " a", start: 1.6, end: 2, probability: 1 },
      { word: " b", start: 2, end: 2.4, probability: 1 },
    ],
  };
  const { seek, start, end, words } = restoreTimes(segment, timeline);
  assert.deepEqual([seek, start, end], [500, 2.6, 5.4]);
  assert.deepEqual(words!.map(({ start, end }) => [start, end]), [[2.6, 3], [5, 5.4]]);
  assert.deepEqual(restoreTimes({ ...segment, words: [] }, timeline).end, 5.5);
});

Deno.test("VoicedWindows hands out kept frames end to end, each read once", async () => {
  const bands = 2;
  const asked: number[][] = [];
  const source = {
    window: (seek: number, frames: number) => {
      asked.push([seek, frames]);
      const data = new Float32Array(bands * 3000);
      for (let i = 0; i < frames; i++) data.set([seek + i], i), data.set([-(seek + i)], 3000 + i);
      return Promise.resolve(data);
    },
  };
  const windows = new VoicedWindows(
    source,
    new Timeline([{ start: 10, end: 3500 }, { start: 9000, end: 9400 }]),
  );
  assert.equal(windows.contentFrames, 3890);
  const first = await windows.window(0, 3000);
  assert.deepEqual([first[0], first[2999], first[3000]], [10, 3009, -10]);
  const second = await windows.window(1000, 2890);
  assert.deepEqual([second[0], second[2489], second[2490], second[2889], second[2890]], [
    1010,
    3499,
    9000,
    9399,
    0,
  ]);
  assert.deepEqual(asked, [[10, 3000], [3010, 490], [9000, 400]]);
});
