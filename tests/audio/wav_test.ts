import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { decodeWav } from "../../audio/wav.ts";
import { loadAudio, openAudio } from "../../audio/mod.ts";
import type { Warning } from "../../errors.ts";
import { refused } from "./_refused.ts";
import { chunk, concat, float32Bytes, int16Bytes, wavFile, type WavLayout } from "./_wav_writer.ts";

/** The samples of the first channel, which must come without a warning. */
async function decoded(file: Uint8Array): Promise<number[]> {
  const { channels } = await decodeWav(file, (warning) => {
    throw new Error(warning.message);
  });
  return [...channels[0]];
}

async function withWarnings(file: Uint8Array): Promise<[number[], Warning[]]> {
  const warnings: Warning[] = [];
  const samples = await loadAudio(file, { onWarning: (warning) => warnings.push(warning) });
  return [[...samples], warnings];
}

Deno.test("decodeWav() divides PCM of 8, 16, 24 and 32 bits by full scale, to the bit", async () => {
  const u8 = Uint8Array.of(0, 1, 127, 128, 129, 255);
  deepStrictEqual(await decoded(wavFile(u8, { bits: 8 })), [-1, -127 / 128, -1 / 128, 0, 1 / 128, 127 / 128]);
  const s16 = int16Bytes([-32_768, -1, 0, 1, 32_767]);
  deepStrictEqual(await decoded(wavFile(s16)), [-1, -1 / 32_768, 0, 1 / 32_768, 32_767 / 32_768]);
  const s24 = Uint8Array.of(0, 0, 0x80, 0xff, 0xff, 0xff, 0, 0, 0, 1, 0, 0, 0xff, 0xff, 0x7f);
  deepStrictEqual(await decoded(wavFile(s24, { bits: 24 })), [-1, -(2 ** -23), 0, 2 ** -23, 1 - 2 ** -23]);
  const s32 = new Uint8Array(Int32Array.of(-(2 ** 31), -1, 0, 1, 2 ** 30).buffer);
  deepStrictEqual(await decoded(wavFile(s32, { bits: 32 })), [-1, -(2 ** -31), 0, 2 ** -31, 0.5]);
});

Deno.test("decodeWav() takes float samples as they are, beyond full scale and not finite", async () => {
  const values = [0, -0.25, 1.5, Math.fround(1e30), Math.fround(1e-40), Infinity, NaN];
  const f32 = new Uint8Array(Float32Array.from(values).buffer);
  deepStrictEqual(await decoded(wavFile(f32, { formatTag: 3, bits: 32 })), values);
  const f64 = new Uint8Array(Float64Array.from(values).buffer);
  deepStrictEqual(await decoded(wavFile(f64, { formatTag: 3, bits: 64 })), values);
});

Deno.test("decodeWav() expands all 256 codes of A-law and µ-law as G.711 says", async () => {
  const codes = Uint8Array.from({ length: 256 }, (_, code) => code);
  const alaw = await decoded(wavFile(codes, { formatTag: 6, bits: 8 }));
  const mulaw = await decoded(wavFile(codes, { formatTag: 7, bits: 8 }));
  // Ends of the ranges and the smallest steps, in 16-bit scale, from the tables of G.711.
  const levels = (samples: number[], at: number[]) => at.map((code) => samples[code] * 32_768);
  deepStrictEqual(levels(alaw, [0xd5, 0x55, 0xaa, 0x2a, 0x80, 0x00]), [8, -8, 32_256, -32_256, 5504, -5504]);
  deepStrictEqual(levels(mulaw, [0xff, 0x7f, 0x80, 0x00, 0xfe, 0x8f]), [0, -0, 32_124, -32_124, 8, 16_764]);
  for (const samples of [alaw, mulaw]) {
    const magnitudes = new Set(samples.map(Math.abs));
    strictEqual(magnitudes.size, 128, "every code but its sign is its own level");
    for (let code = 0; code < 128; code++) {
      strictEqual(samples[code], -samples[code + 128], `sign of ${code}`);
    }
  }
});

Deno.test("decodeWav() keeps channels apart, and openAudio() mixes 1 to 8 of them to their mean", async () => {
  for (let channels = 1; channels <= 8; channels++) {
    const frames = [1, 2, 3].map((k) => Array.from({ length: channels }, (_, c) => k * 256 * (c + 1)));
    const file = wavFile(int16Bytes(frames.flat()), { channels });
    const apart = (await decodeWav(file)).channels;
    deepStrictEqual(
      apart.map((samples) => [...samples]),
      frames[0].map((_, c) => frames.map((f) => f[c] / 32_768)),
    );
    const mean = frames.map((frame) => Math.fround(frame.reduce((a, b) => a + b) / channels / 32_768));
    deepStrictEqual([...await loadAudio(file)], mean);
  }
});

const SAMPLES = [100, -200, 300];
const EXPECTED = SAMPLES.map((value) => value / 32_768);

const LAYOUTS: Record<string, WavLayout> = {
  "RF64": { form: "RF64" },
  "BW64": { form: "BW64" },
  "an extensible header": { validBits: 16 },
  "an extensible header that leaves valid bits at 0": { validBits: 0 },
  "12 valid bits in 16": { validBits: 12 },
  "chunks of odd length before the samples": {
    before: [chunk("LIST", new Uint8Array(7)), chunk("fact", new Uint8Array(4))],
  },
  "a chunk larger than the read buffer": { before: [chunk("bext", new Uint8Array(200_001))] },
  "chunks behind the samples": {
    after: [chunk("LIST", new Uint8Array(5)), chunk("id3 ", new Uint8Array(50))],
  },
  "a wrong RIFF length": { riffLength: 12 },
};

for (const [what, layout] of Object.entries(LAYOUTS)) {
  Deno.test(`decodeWav() reads ${what}`, async () => {
    deepStrictEqual(await decoded(wavFile(int16Bytes(SAMPLES), layout)), EXPECTED);
  });
}

Deno.test("decodeWav() reads big-endian RIFX of 16, 24 and 32 bits", async () => {
  deepStrictEqual(await decoded(wavFile(int16Bytes(SAMPLES, false), { form: "RIFX" })), EXPECTED);
  const s24 = Uint8Array.of(0x80, 0, 0, 0, 0, 1);
  deepStrictEqual(await decoded(wavFile(s24, { form: "RIFX", bits: 24 })), [-1, 2 ** -23]);
  const f32 = new Uint8Array(4);
  new DataView(f32.buffer).setFloat32(0, 0.75, false);
  deepStrictEqual(await decoded(wavFile(f32, { form: "RIFX", formatTag: 3, bits: 32 })), [0.75]);
});

const UNKNOWN_LENGTHS: Record<string, WavLayout> = {
  "0 with a RIFF length of 0, as written into a pipe": { dataLength: 0, riffLength: 0 },
  "0 with a RIFF length of 0xFFFFFFFF": { dataLength: 0, riffLength: 0xffff_ffff },
  "0xFFFFFFFF, as ffmpeg writes into a pipe": { dataLength: 0xffff_ffff, riffLength: 0xffff_ffff },
  "more than the file has": { dataLength: 1_000_000 },
  "more than 2^53 in ds64": { form: "RF64", longDataLength: 2n ** 63n },
};

for (const [what, layout] of Object.entries(UNKNOWN_LENGTHS)) {
  Deno.test(`openAudio() reads to the end and warns when the data length is ${what}`, async () => {
    const [samples, warnings] = await withWarnings(wavFile(int16Bytes(SAMPLES), layout));
    deepStrictEqual(samples, EXPECTED);
    deepStrictEqual(warnings.map(({ code }) => code), ["W_LENGTH"]);
  });
}

Deno.test("openAudio() drops a frame that is not whole, and warns", async () => {
  const [samples, warnings] = await withWarnings(wavFile(concat([int16Bytes(SAMPLES), Uint8Array.of(1)])));
  deepStrictEqual(samples, EXPECTED);
  ok(/last 1 bytes/.test(warnings[0].message));
});

Deno.test("openAudio() reads a WAV without samples as empty, without a warning", async () => {
  deepStrictEqual(await withWarnings(wavFile(new Uint8Array(0))), [[], []]);
  const tagged = wavFile(new Uint8Array(0), { after: [chunk("LIST", new Uint8Array(20))] });
  deepStrictEqual(await withWarnings(tagged), [[], []]);
});

Deno.test("openAudio() tells each warning once although a source is read twice", async () => {
  const warnings: Warning[] = [];
  const file = wavFile(int16Bytes(SAMPLES), { dataLength: 0xffff_ffff });
  const source = await openAudio(file, { onWarning: (warning) => warnings.push(warning) });
  for (let pass = 0; pass < 2; pass++) {
    await using stream = await source.open();
    for await (const samples of stream) deepStrictEqual([...samples], EXPECTED);
  }
  strictEqual(warnings.length, 1);
});

Deno.test("openAudio() counts samples that are not finite and says where the first is", async () => {
  const values = Array.from({ length: 32_000 }, (_, i) => i >= 20_000 && i < 20_012 ? NaN : 0.1);
  values[31_000] = Infinity;
  values[31_001] = 1e30;
  const file = wavFile(float32Bytes(values), { formatTag: 3, bits: 32 });
  await refused("E_AUDIO_VALUES", /got 14 non-finite samples, first at 1\.25 s/, () => loadAudio(file));
  await refused("E_AUDIO_VALUES", /first at 0\.00 s/, () => loadAudio(Float32Array.of(-Infinity)));
});
