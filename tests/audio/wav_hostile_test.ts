import { ok, strictEqual } from "node:assert/strict";
import { decodeWav } from "../../audio/wav.ts";
import { loadAudio } from "../../audio/mod.ts";
import type { Warning } from "../../errors.ts";
import { refused } from "./_refused.ts";
import { chunk, concat, int16Bytes, wavFile, type WavLayout } from "./_wav_writer.ts";

const SAMPLES = int16Bytes([1, 2, 3, 4]);

const MALFORMED: [string, WavLayout, RegExp][] = [
  ["no channels", { channels: 0 }, /channels must be 1 to 8: got 0/],
  ["9 channels", { channels: 9 }, /channels must be 1 to 8: got 9/],
  ["65,535 channels", { channels: 65_535, blockAlign: 2 }, /got 65535/],
  ["a sample rate of 0", { sampleRate: 0 }, /sample rate must be 4000 to 384000 Hz: got 0/],
  ["a sample rate of 3,999", { sampleRate: 3999 }, /got 3999/],
  ["a sample rate of 384,001", { sampleRate: 384_001 }, /got 384001/],
  ["13 bits", { bits: 13, blockAlign: 2 }, /bits of format 1 must be 8, 16, 24, 32: got 13/],
  ["no bits", { bits: 0, blockAlign: 2 }, /got 0/],
  ["64-bit integers", { bits: 64 }, /got 64/],
  ["16-bit floats", { formatTag: 3 }, /bits of format 3 must be 32, 64: got 16/],
  ["16-bit A-law", { formatTag: 6 }, /must be 8: got 16/],
  ["a block align of 0", { blockAlign: 0 }, /block align of 1 × 16 bits must be 2: got 0/],
  ["a block align of one channel for two", { channels: 2, blockAlign: 2 }, /must be 4: got 2/],
  ["17 valid bits in 16", { validBits: 17 }, /valid bits must be at most 16 bits: got 17/],
  [
    "a foreign sub-format",
    { validBits: 16, subFormat: new Uint8Array(14) },
    /sub-format must be a format tag/,
  ],
  ["two fmt chunks", { before: [chunk("fmt ", new Uint8Array(16))] }, /one fmt chunk: got two/],
  ["a short ds64", { before: [chunk("ds64", new Uint8Array(4))] }, /must have 24 bytes: got 4/],
  [
    "an oversized chunk",
    { before: [chunk("LIST", new Uint8Array(2), true, 4_000_000_000)] },
    /lie inside the file/,
  ],
  [
    "5,000 empty chunks",
    { before: Array(5000).fill(chunk("JUNK", new Uint8Array(0))) },
    /at most 4096 chunks/,
  ],
];

for (const [what, layout, message] of MALFORMED) {
  Deno.test(`openAudio() refuses a WAV with ${what}`, async () => {
    const error = await refused("E_AUDIO_FORMAT", message, () => loadAudio(wavFile(SAMPLES, layout)));
    ok(error.hint !== "");
  });
}

Deno.test("openAudio() refuses a WAV whose samples come before fmt, or are missing or nested", async () => {
  const head = new TextEncoder().encode("RIFF\x10\x00\x00\x00WAVE");
  const fmt = wavFile(SAMPLES).subarray(12, 36);
  await refused(
    "E_AUDIO_FORMAT",
    /must come before the data chunk/,
    () => loadAudio(concat([head, chunk("data", SAMPLES)])),
  );
  await refused("E_AUDIO_FORMAT", /must have a data chunk: got none/, () => loadAudio(concat([head, fmt])));
  const nested = chunk("LIST", concat([new TextEncoder().encode("wavl"), chunk("data", SAMPLES)]));
  await refused("E_AUDIO_FORMAT", /got none before the end/, () => loadAudio(concat([head, fmt, nested])));
  await refused("E_AUDIO_FORMAT", /fmt or ds64 chunk must have 16 bytes: got 14/, () => {
    return loadAudio(concat([head, chunk("fmt ", fmt.subarray(8, 22))]));
  });
});

Deno.test("openAudio() names the format of a compressed WAV that it leaves to ffmpeg", async () => {
  const adpcm = wavFile(SAMPLES, { formatTag: 2, bits: 4, blockAlign: 256 });
  await refused("E_AUDIO_FORMAT", /compressed WAV needs ffmpeg: got ffmpeg switched off/, () => {
    return loadAudio(adpcm, { ffmpeg: false });
  });
  await refused("E_AUDIO_FORMAT", /got format 0x0002/, () => decodeWav(adpcm));
});

Deno.test("openAudio() refuses a WAV cut at any byte of its header, and reads what is left behind it", async () => {
  for (const layout of [{}, { form: "RF64", validBits: 16 }] as WavLayout[]) {
    const file = wavFile(SAMPLES, layout);
    const headerBytes = file.length - SAMPLES.length;
    for (let length = 0; length < headerBytes; length++) {
      await refused("E_AUDIO_FORMAT", /./, () => loadAudio(file.subarray(0, length)));
    }
    for (let length = headerBytes; length < file.length; length++) {
      const warnings: Warning[] = [];
      const samples = await loadAudio(file.subarray(0, length), {
        onWarning: (warning) => warnings.push(warning),
      });
      strictEqual(samples.length, (length - headerBytes) >> 1);
      strictEqual(warnings[0]?.code, "W_LENGTH");
    }
  }
});
