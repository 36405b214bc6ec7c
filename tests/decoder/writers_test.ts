import assert from "node:assert/strict";
import { OUTPUT_FORMATS, type Segment, type TranscriptText, writeTranscript } from "../../decoder/mod.ts";
import { roundHalfEven } from "../../decoder/rounding.ts";
import { strip } from "../../decoder/whitespace.ts";
import { pythonFloat } from "../../decoder/writers/python_json.ts";
import { formatTimestamp } from "../../decoder/writers/timestamps.ts";
import { dataJson, dataText } from "./_data.ts";

/** openai-whisper's result under our names. */
async function transcript(name: string): Promise<TranscriptText> {
  const result = await dataJson(`${name}.result.json`);
  // deno-lint-ignore no-explicit-any
  const segments = result.segments.map((segment: any): Segment => ({
    ...segment,
    avgLogprob: segment.avg_logprob,
    compressionRatio: segment.compression_ratio,
    noSpeechProb: segment.no_speech_prob,
  }));
  return { ...result, segments };
}

for (const name of ["09_long", "writers"]) {
  for (const format of OUTPUT_FORMATS) {
    Deno.test(`writeTranscript() writes ${name}.${format} byte for byte as openai-whisper does`, async () => {
      assert.equal(writeTranscript(await transcript(name), format), await dataText(`${name}.${format}`));
    });
  }
}

Deno.test("writeTranscript() writes a transcript without segments", () => {
  const empty: TranscriptText = { text: "", segments: [], language: null };
  const written = OUTPUT_FORMATS.map((format) => writeTranscript(empty, format));
  assert.deepEqual(written, [
    "",
    "WEBVTT\n\n",
    "",
    "start\tend\ttext\n",
    '{"text": "", "segments": [], "language": null}',
  ]);
});

Deno.test("writeTranscript() keeps the empty words of a cleared segment in JSON", async () => {
  const { segments: [first], ...rest } = await transcript("09_long");
  const cleared = { ...rest, segments: [{ ...first, text: "", tokens: [], words: [] }] };
  assert.match(writeTranscript(cleared, "json"), /"tokens": \[\], .*"words": \[\]\}\], "language": "en"\}$/);
  assert.match(writeTranscript(cleared, "srt"), /^1\n[^\n]+\n\n\n$/);
});

Deno.test("pythonFloat() spells floats as Python's repr() does", async () => {
  for (const [hex, spelled] of (await dataJson("deflate.json")).floats) {
    assert.equal(pythonFloat(fromHex(hex)), spelled);
  }
});

/** A float as Python's `float.hex()` spells it. */
function fromHex(hex: string): number {
  const match = /^(-?)0x([01])\.([0-9a-f]*)p([+-]\d+)$/.exec(hex);
  if (!match) return { nan: NaN, inf: Infinity, "-inf": -Infinity }[hex]!;
  const [, sign, whole, fraction, power] = match;
  const digits = Number.parseInt(whole + fraction, 16) / 16 ** fraction.length;
  // In two steps, as 2^-1074 and 2^1023 lie at the ends of the range.
  const half = Math.trunc(Number(power) / 2);
  return (sign ? -1 : 1) * digits * 2 ** half * 2 ** (Number(power) - half);
}

Deno.test("roundHalfEven() rounds as Python's round() does", async () => {
  for (const [value, rounded] of (await dataJson("deflate.json")).rounded) {
    assert.equal(roundHalfEven(value) + 0, rounded);
  }
});

Deno.test("strip() takes away what Python's str.strip() takes away", async () => {
  for (const [text, stripped] of (await dataJson("deflate.json")).stripped) {
    assert.equal(strip(text), stripped);
  }
});

Deno.test("formatTimestamp() carries from milliseconds up to hours", () => {
  const format = (seconds: number, alwaysHours: boolean) =>
    formatTimestamp(seconds, { alwaysHours, decimalMark: "." });
  assert.equal(format(0, false), "00:00.000");
  assert.equal(format(59.9996, false), "01:00.000");
  assert.equal(format(3599.9996, false), "01:00:00.000");
  assert.equal(format(3599.9996, true), "01:00:00.000");
  assert.equal(format(1.5, true), "00:00:01.500");
  assert.equal(format(360_000, false), "100:00:00.000");
});

Deno.test("writeTranscript() adds the language of each segment to JSON where windows have their own", async () => {
  const { segments: [first], ...rest } = await transcript("09_long");
  const written = writeTranscript({ ...rest, segments: [{ ...first, language: "de" }] }, "json");
  assert.equal(JSON.parse(written).segments[0].language, "de");
});
