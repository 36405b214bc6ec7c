import assert from "node:assert/strict";
import { type Segment, type TranscriptText, writeTranscript } from "../../decoder/mod.ts";
import { readableCues } from "../../decoder/writers/readable.ts";
import { SottoError } from "../../errors.ts";

const segment = (start: number, end: number, text: string, words?: Segment["words"]): Segment => ({
  id: 0,
  seek: 0,
  start,
  end,
  text,
  tokens: [1, 2],
  temperature: 0,
  avgLogprob: -0.5,
  compressionRatio: 1,
  noSpeechProb: NaN,
  ...(words ? { words } : {}),
});

const transcript = (...segments: Segment[]): TranscriptText => ({ text: "", segments, language: "en" });

Deno.test("writeTranscript() writes lrc with a line that clears the screen in a pause", () => {
  const written = writeTranscript(
    transcript(segment(0.004, 2, " One\ntwo."), segment(2.5, 3, ""), segment(59.999, 6001.5, " Three.")),
    "lrc",
  );
  assert.equal(written, "[00:00.00]One two.\n[00:02.00]\n[01:00.00]Three.\n[100:01.50]\n");
  assert.equal(writeTranscript(transcript(), "lrc"), "");
});

Deno.test("writeTranscript() writes csv with quotes doubled", () => {
  const written = writeTranscript(transcript(segment(0, 1.2345, ' He said, "no"')), "csv");
  assert.equal(written, 'start,end,text\r\n0,1234,"He said, ""no"""\r\n');
});

Deno.test("writeTranscript() writes all there is as json-full", () => {
  const written = writeTranscript(
    { ...transcript(segment(0, 1, " a")), run: { device: "cpu", seconds: { audio: 1 } } } as TranscriptText,
    "json-full",
    { spell: (token) => `<${token}>` },
  );
  const { segments: [first], run } = JSON.parse(written);
  assert.deepEqual(first.tokens, [{ id: 1, text: "<1>" }, { id: 2, text: "<2>" }]);
  assert.equal(first.noSpeechProb, null);
  assert.deepEqual(run, { device: "cpu", seconds: { audio: 1 } });
  assert.deepEqual(
    JSON.parse(writeTranscript(transcript(segment(0, 1, " a")), "json-full")).segments[0].tokens,
    [1, 2],
  );
});

const LONG =
  " When the train from Paris leaves at three twenty-four, we will wait on the platform for the others, and then " +
  "we can go home together.";

Deno.test("readableCues() breaks behind punctuation and before small words, in lines that fit", () => {
  const cues = readableCues([segment(0, 10, LONG)]);
  assert.deepEqual(cues.map(({ text }) => text), [
    "When the train from Paris leaves\nat three twenty-four,",
    "we will wait on the platform\nfor the others,",
    "and then we can go home together.",
  ]);
});

Deno.test("readableCues() keeps to the layout, shows cues long enough and never two at once, and loses no word", () => {
  const words = LONG.trim().split(" ").map((word, i) => ({
    word: ` ${word}`,
    start: i * 0.3 + (i > 12 ? 4 : 0),
    end: i * 0.3 + 0.25 + (i > 12 ? 4 : 0),
    probability: 1,
  }));
  const segments = [
    segment(0, 11.5, LONG, words),
    segment(11.6, 11.7, " Yes."),
    segment(11.75, 11.8, " No."),
    segment(13, 13.1, " Donaudampfschifffahrtsgesellschaftskapitän, bitte."),
  ];
  for (const width of [12, 20, 42]) {
    for (const lines of [1, 2, 3]) {
      const cues = readableCues(segments, { width, lines });
      const about = `width ${width}, lines ${lines}`;
      for (const [i, { start, end, text }] of cues.entries()) {
        const shown = text.split("\n");
        assert(shown.length <= lines, `${about}: ${text}`);
        for (const line of shown) {
          assert([...line].length <= width || !line.includes(" "), `${about}: ${line}`);
        }
        assert(end >= start, about);
        if (i > 0) assert(start >= cues[i - 1].end, `${about}: two at once at ${start}`);
        const room = (cues[i + 1]?.start ?? Infinity) - start;
        assert(end - start >= Math.min(5 / 6, room - 2 / 24) - 1e-9, `${about}: ${end - start} s`);
      }
      const read = cues.map(({ text }) => text).join(" ").replaceAll("\n", " ");
      assert.equal(read, segments.map(({ text }) => text.trim()).join(" "), about);
    }
  }
});

Deno.test("readableCues() ends with the recording, where Whisper's times may not", () => {
  const segments = [segment(68, 70, " A."), segment(76, 81.9, " B."), segment(82.5, 85, " C.")];
  const shown = readableCues(segments, undefined, 78.7).map(({ start, end, text }) => [start, end, text]);
  assert.deepEqual(shown, [[68, 70, "A."], [76, 78.7 - 5 / 6, "B."], [78.7 - 5 / 6, 78.7, "C."]]);
  assert.deepEqual(readableCues([segment(0.2, 1, " A.")], undefined, 0.5)[0], {
    start: 0.2,
    end: 0.5,
    text: "A.",
  });
  // openai-whisper's own files have its times as they are.
  const whole = { ...transcript(...segments), run: { seconds: { audio: 78.7 } } };
  assert.match(writeTranscript(whole, "srt"), /01:22,500 --> 00:01:25,000\nC\./);
  assert.match(writeTranscript(whole, "srt", { readable: true }), /01:17,867 --> 00:01:18,700\nC\./);
});

Deno.test("writeTranscript() breaks subtitles for reading if asked to, and refuses what contradicts it", () => {
  const srt = writeTranscript(transcript(segment(0, 10, LONG)), "srt", { readable: true });
  assert.match(
    srt,
    /^1\n00:00:00,000 --> 00:00:0\d,\d{3}\nWhen the train from Paris leaves\nat three twenty-four,\n\n2\n/,
  );
  for (const options of [{ highlightWords: true }, { maxWordsPerLine: 3 }]) {
    assert.throws(
      () => writeTranscript(transcript(segment(0, 1, " a")), "srt", { readable: true, ...options }),
      (error) => error instanceof SottoError && error.code === "E_OPTION",
    );
  }
});

Deno.test("readableCues() keeps together what is written together, and breaks scripts without spaces anywhere", () => {
  const timed = [" We", " need", " eighty", "-two", " bottles."].map((word, i) => ({
    word,
    start: i,
    end: i + 1,
    probability: 1,
  }));
  const [spoken] = readableCues([segment(0, 5, " We need eighty-two bottles.", timed)]);
  assert.equal(spoken.text, "We need eighty-two bottles.");
  const cues = readableCues([segment(0, 4, "今日はいい天気ですね。明日は雨が降る。")], {
    width: 8,
    lines: 2,
  });
  assert.equal(
    cues.map(({ text }) => text).join("").replaceAll("\n", ""),
    "今日はいい天気ですね。明日は雨が降る。",
  );
  for (const { text } of cues) for (const line of text.split("\n")) assert([...line].length <= 8, line);
});
