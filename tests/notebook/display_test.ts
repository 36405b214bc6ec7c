import assert from "node:assert/strict";
import { loadAudio, loadModel, type LogMel, wordTimes } from "../../mod.ts";
import { comparisonSvg, DISPLAY, drawingOf, logMelPng } from "../../notebook/mod.ts";
import { drawText } from "../../notebook/stroke_font.ts";
import { drawWords } from "../../notebook/word_line.ts";
import { PLOT_PACKAGES } from "../../notebook/plot.ts";
import { compare } from "../../tensor/mod.ts";
import { denoCommand, resultOf } from "../support/command.ts";
import { PROJECT_ROOT } from "../support/shared_data.ts";
import { decodePng } from "./_pictures.ts";

const DEMO = new URL("models/demo/", PROJECT_ROOT);
const COMMANDS = new URL("audio/08_commands.wav", DEMO);

/** 80 bands, 300 frames; silent but for one band that is loud from 1 s to 2 s. */
function toneAt(band: number): LogMel {
  const data = new Float32Array(80 * 300).fill(-0.5);
  data.fill(1.5, band * 300 + 100, band * 300 + 200);
  return { data, bands: 80, frames: 300 };
}

const isYellow = ([red, , blue]: number[]) => red > 200 && blue < 80;
const isViolet = ([red, green]: number[]) => red === 68 && green === 1;

Deno.test("logMelPng() shows a band where and when it sounds", () => {
  const png = decodePng(logMelPng(toneAt(20)));
  const left = 62, top = 12; // one column a frame, three rows a band
  assert.equal(png.width, left + 300 + 34);
  const row = top + (79 - 20) * 3 + 1;
  assert.ok(isYellow(png.at(left + 150, row)));
  for (const [x, y] of [[50, row], [250, row], [150, row - 3], [150, row + 3]]) {
    assert.ok(isViolet(png.at(left + x, y)), `${x}, ${y}`);
  }
  const inked = (x: number, y: number) => png.at(x, y).every((level) => level < 200);
  const below = top + 80 * 3;
  const ticks = Array.from({ length: 300 }, (_, i) => i).filter((x) => inked(left + x, below + 2));
  assert.deepEqual(ticks, [0, 50, 100, 150, 200, 250, 299], "a tick each half second");
  const rows = Array.from({ length: 240 }, (_, i) => i).filter((y) => inked(left - 3, top + y));
  assert.equal(rows.length, 5, "250 Hz, 500 Hz, 1, 2 and 4 kHz");
});

Deno.test("logMelPng() draws nothing, one frame, an hour and 128 bands", () => {
  for (const [bands, frames] of [[80, 0], [80, 1], [128, 3000], [80, 360_000]]) {
    const png = decodePng(logMelPng({ data: new Float32Array(bands * frames), bands, frames }));
    assert.equal(png.height, 12 + 3 * bands + 34);
    assert.ok(png.width <= 62 + 900 + 34);
  }
});

Deno.test("drawText() covers pixels inside the text's box, and refuses characters it does not have", () => {
  let count = 0;
  drawText("0123456789. kHzs", { x: 10, y: 30, height: 12 }, (x, y, coverage) => {
    assert.ok(x >= 7 && y >= 15 && y <= 32 && coverage > 0 && coverage <= 1);
    count++;
  });
  assert.ok(count > 300);
  assert.throws(() => drawText("§", { x: 0, y: 0, height: 10 }, () => {}), RangeError);
});

Deno.test("Results draw themselves and stay plain data", async () => {
  using model = await loadModel(DEMO);
  const transcript = await model.transcribe(COMMANDS);
  const mel = await model.logMel(COMMANDS);
  const comparison = compare([1, 2, 3], [1, 2, 3.1]);
  for (const value of [transcript, transcript.run, mel, comparison, wordTimes(transcript)]) {
    const drawing = await drawingOf(value);
    assert.ok(drawing && "text/plain" in drawing && Object.keys(drawing).length >= 2);
    assert.deepEqual(Object.keys(value).filter((key) => key.includes("isplay")), []);
    assert.equal(await drawingOf({ ...value }), null, "a copy is data alone");
    assert.equal(JSON.stringify(value).includes("isplay"), false);
  }
  assert.equal(DISPLAY, Symbol.for("Jupyter.display"));
});

Deno.test("A transcript is drawn as a table: times, text, and a player with each segment's own audio", async () => {
  using model = await loadModel(DEMO);
  const samples = await loadAudio(COMMANDS);
  for (const audio of [COMMANDS, COMMANDS.pathname, await Deno.readFile(COMMANDS), samples]) {
    const transcript = await model.transcribe(audio);
    const html = (await drawingOf(transcript))!["text/html"];
    const said = transcript.segments.filter(({ text }) => text !== "");
    assert.equal(html.match(/<tr>/g)!.length, said.length);
    for (const { text } of said) assert.ok(html.includes(text.trim()));
    const players = [...html.matchAll(/data:audio\/wav;base64,([A-Za-z0-9+/=]+)/g)];
    const [first] = await Promise.all(players.map(([, wav]) => loadAudio(Uint8Array.fromBase64(wav))));
    const { start, end } = said[0];
    const expected = samples.slice(Math.floor(start * 16_000), Math.ceil(end * 16_000));
    assert.equal(first.length, expected.length);
    assert.ok(first.every((sample, i) => Math.abs(sample - expected[i]) < 1e-4));
  }
});

Deno.test("A transcript says why it has no players, and escapes what was said", async () => {
  using model = await loadModel(DEMO);
  const bytes = await Deno.readFile(COMMANDS);
  const fromStream = await model.transcribe(new Blob([bytes]).stream());
  const html = (await drawingOf(fromStream))!["text/html"];
  assert.match(html, /a stream can be read only once/);
  assert.doesNotMatch(html, /<audio/);

  const path = await Deno.makeTempFile({ suffix: ".wav" });
  await Deno.writeFile(path, bytes);
  const fromFile = await model.transcribe(path);
  await Deno.remove(path);
  assert.match((await drawingOf(fromFile))!["text/html"], /No players: Cannot open .* does not exist/);
  Object.assign(fromFile.segments[0], { text: "<script>alert(1)</script>" });
  const escaped = (await drawingOf(fromFile))!["text/html"];
  assert.match(escaped, /&lt;script&gt;/);
  assert.doesNotMatch(escaped, /<script/);
});

Deno.test("Words are drawn at their times", () => {
  const words = [{ word: " Hi", start: 0.5, end: 1, probability: 1 }, {
    word: " A&B",
    start: 6.5,
    end: 7,
    probability: 0.2,
  }];
  const { "text/html": html, "text/plain": plain } = drawWords(words);
  assert.equal(plain, "Hi 0:00.50 – 0:01.00, 100 %\nA&B 0:06.50 – 0:07.00, 20 %");
  assert.match(html, /left:80\.0px; width:78\.0px[^>]*>\s*<div[^>]*><\/div>\s*<div[^>]*>Hi</);
  assert.match(html, /left:80\.0px[^>]*>\s*<div[^>]*><\/div>\s*<div[^>]*>A&amp;B</);
});

Deno.test("comparisonSvg() draws a bar for each power of ten with errors", async (t) => {
  const fetched = await resultOf(
    denoCommand(["cache", "--no-config", ...Object.values(PLOT_PACKAGES)]).spawn(),
  );
  await t.step({
    name: fetched.code === 0 ? "with Observable Plot" : "skipped: npm cannot be reached",
    ignore: fetched.code !== 0,
    fn: async () => {
      const expected = Float32Array.from({ length: 1000 }, (_, i) => i % 2 === 0 ? 1 : -1);
      const actual = expected.map((value, i) => value + (i < 250 ? 0.05 : 0.5));
      const svg = await comparisonSvg(compare(actual, expected));
      assert.match(svg, /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg"[^]*<\/svg>$/);
      const bars = [...svg.matchAll(/<rect [^>]*height="([\d.]+)"/g)].map(([, height]) => Number(height));
      assert.deepEqual(
        bars.filter((height) => height > 0).map(Math.round),
        [42, 126],
        "25 and 75 % of 168 pixels",
      );
      assert.match(svg, /≤ 10⁻¹[^]*error ÷ root mean square/);
      const drawing = await drawingOf(compare(actual, expected));
      assert.equal(drawing!["image/svg+xml"], svg);
      assert.match(drawing!["text/html"], /43\.\d %/);
    },
  });
});
