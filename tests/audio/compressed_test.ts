import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { loadAudio, openAudio } from "../../audio/mod.ts";
import type { Warning } from "../../errors.ts";
import type { DecoderName } from "../../audio/worker_decoder.ts";
import { testWith } from "./_decoders.ts";
import { randomBelow } from "./_random.ts";
import { refused } from "./_refused.ts";
import { dataPath, delaySeconds, signalToNoise, speech, sweep } from "./_signals.ts";
import { concat } from "./_wav_writer.ts";

const ONE_SAMPLE = 1 / 44_100; // seconds
/** opusenc resamples before it encodes, which shifts by that much. */
const OPUSENC_SHIFT = 0.0001; // seconds

/** File, decoder, original, how exact in decibels, how exact in time. */
const FILES: [string, DecoderName, "speech" | "sweep", number, number][] = [
  ["speech.flac", "flac", "speech", Infinity, 0],
  ["speech.oga", "flac", "speech", Infinity, 0],
  ["speech.mp3", "mpeg", "speech", 24, ONE_SAMPLE],
  ["speech.ogg", "vorbis", "speech", 24, ONE_SAMPLE],
  ["speech.opus", "opus", "speech", 15, OPUSENC_SHIFT],
  ["sweep.flac", "flac", "sweep", 70, ONE_SAMPLE / 10], // the resampler rings where the tone stops at once
  ["sweep.mp3", "mpeg", "sweep", 24, ONE_SAMPLE],
  ["sweep.ogg", "vorbis", "sweep", 35, ONE_SAMPLE],
  ["sweep.opus", "opus", "sweep", 12, OPUSENC_SHIFT],
];

for (const [file, decoder, original, decibels, seconds] of FILES) {
  await testWith(
    [decoder],
    `loadAudio() decodes ${file} as long as its original, in time and near to it`,
    async () => {
      const reference = original === "speech" ? await speech() : sweep();
      const samples = await loadAudio(dataPath(file), { onWarning: ({ message }) => ok(false, message) });
      strictEqual(samples.length, reference.length);
      const snr = signalToNoise(samples, reference);
      ok(snr >= decibels, `${snr} dB`);
      if (snr === Infinity) return;
      const delay = delaySeconds(samples, reference);
      ok(Math.abs(delay) <= seconds, `${delay} s late`);
    },
  );
}

await testWith(
  ["mpeg"],
  "loadAudio() drops the decoder's delay of an MP3 without a tag, and of layer II both",
  async () => {
    // Encoded by LAME at 32 kHz: its own delay of 576 samples is written nowhere.
    const untagged = delaySeconds(await loadAudio(dataPath("sweep_untagged.mp3")), sweep());
    ok(Math.abs(untagged - 576 / 32_000) < ONE_SAMPLE, `${untagged} s`);
    const layer2 = delaySeconds(await loadAudio(dataPath("sweep.mp2")), sweep());
    ok(Math.abs(layer2) < ONE_SAMPLE, `${layer2} s`);
  },
);

Deno.test("openAudio() reads the headers of compressed files without a decoder", async () => {
  const info = async (file: string) => (await openAudio(dataPath(file))).info;
  const mono = { sampleRate: 16_000, channels: 1 };
  const stereo = { sampleRate: 44_100, channels: 2 };
  deepStrictEqual(await info("speech.flac"), {
    container: "FLAC",
    codec: "FLAC 16 bit",
    ...mono,
    durationSeconds: 0.8,
  });
  deepStrictEqual(await info("speech.mp3"), {
    container: "MP3",
    codec: "MPEG 2 layer III",
    ...mono,
    durationSeconds: 0.8,
  });
  deepStrictEqual(await info("sweep.ogg"), {
    container: "Ogg",
    codec: "Vorbis",
    ...stereo,
    durationSeconds: null,
  });
  deepStrictEqual(await info("sweep.opus"), {
    container: "Ogg",
    codec: "Opus",
    sampleRate: 48_000,
    channels: 2,
    durationSeconds: null,
  });
});

/** Samples and warnings of a file that was tampered with. */
async function loadBytes(bytes: Uint8Array): Promise<[Float32Array, Warning[]]> {
  const warnings: Warning[] = [];
  return [await loadAudio(bytes, { onWarning: (warning) => warnings.push(warning) }), warnings];
}

const read = (file: string) => Deno.readFile(dataPath(file));

const CUT: [string, DecoderName, RegExp][] = [
  ["speech.flac", "flac", /cut short: decoded 0\.3 s of 0\.8 s/],
  ["speech.mp3", "mpeg", /cut short: decoded 0\.4 s of 0\.8 s/],
  ["sweep_untagged.mp3", "mpeg", /cut short: decoded 0\.3 s, and the last frame is cut/],
  ["speech.oga", "flac", /cut short: decoded 0\.\d s, and the page that marks the end is missing/],
];

for (const [file, decoder, message] of CUT) {
  await testWith([decoder], `loadAudio() decodes what is left of half of ${file}, and warns`, async () => {
    const bytes = await read(file);
    const [samples, warnings] = await loadBytes(bytes.subarray(0, bytes.length >> 1));
    ok(samples.length > 2000 && samples.length < 10_000, `${samples.length} samples`);
    deepStrictEqual(warnings.map(({ code }) => code), ["W_TRUNCATED"]);
    ok(message.test(warnings[0].message), warnings[0].message);
  });
}

await testWith(
  ["vorbis", "opus", "flac"],
  "loadAudio() refuses Ogg and FLAC with one wrong byte in the sound",
  async () => {
    for (const file of ["speech.ogg", "speech.opus", "speech.oga", "speech.flac"]) {
      const bytes = await read(file);
      bytes[bytes.length >> 1] ^= 4;
      await refused("E_AUDIO_DECODE", /checksum/, () => loadAudio(bytes));
    }
  },
);

await testWith(
  ["flac"],
  "loadAudio() refuses a FLAC with a hole, and reads one with an ID3 tag at either end",
  async () => {
    const bytes = await read("speech.flac");
    const hole = concat([bytes.subarray(0, 6000), bytes.subarray(6100)]);
    await refused("E_AUDIO_DECODE", /wrong checksum/, () => loadAudio(hole));
    const tag = concat([new TextEncoder().encode("TAG"), new Uint8Array(125)]);
    const [samples, warnings] = await loadBytes(concat([id3(300), bytes, tag]));
    deepStrictEqual([signalToNoise(samples, await speech()), warnings], [Infinity, []]);
  },
);

/** An ID3v2 tag with that many bytes of cover art. */
function id3(bytes: number): Uint8Array {
  const length = [21, 14, 7, 0].map((shift) => bytes >> shift & 127);
  return concat([Uint8Array.of(0x49, 0x44, 0x33, 4, 0, 0, ...length), new Uint8Array(bytes).fill(0xff)]);
}

await testWith(
  ["mpeg"],
  "loadAudio() reads MP3 behind tags and garbage exactly as without them",
  async () => {
    const bytes = await read("speech.mp3");
    const [plain] = await loadBytes(bytes);
    const random = randomBelow(5);
    const garbage = Uint8Array.from({ length: 5000 }, () => random(256));
    const id3v1 = concat([new TextEncoder().encode("TAG"), new Uint8Array(125)]);
    const variants = [[id3(1_000_000), bytes], [id3(10), id3(2000), bytes, id3v1], [garbage, bytes], [
      bytes,
      new Uint8Array(999),
    ]];
    for (const parts of variants) {
      const [samples, warnings] = await loadBytes(concat(parts));
      deepStrictEqual(warnings, []);
      deepStrictEqual(samples, plain);
    }
  },
);

await testWith(["mpeg"], "loadAudio() skips garbage inside an MP3 and warns how much", async () => {
  const bytes = await read("speech.mp3");
  const garbage = new Uint8Array(1500).fill(0x55);
  const [samples, warnings] = await loadBytes(
    concat([bytes.subarray(0, 3000), garbage, bytes.subarray(3000)]),
  );
  strictEqual(samples.length, 12_800);
  deepStrictEqual(warnings.map(({ code }) => code), ["W_DAMAGED"]);
  const lost = Number(/skipped (\d+) bytes/.exec(warnings[0].message)![1]);
  ok(lost >= 1200 && lost <= 1800, `${lost} bytes: the garbage, and the frame it cut into`);
});

await testWith(
  ["vorbis", "opus"],
  "loadAudio() follows an Ogg file of several streams, and refuses a mix of codecs",
  async () => {
    for (const file of ["speech.ogg", "speech.opus"]) {
      const bytes = await read(file);
      const [one] = await loadBytes(bytes);
      const [two, warnings] = await loadBytes(concat([bytes, bytes]));
      deepStrictEqual(warnings, []);
      strictEqual(two.length, 2 * one.length);
      ok(signalToNoise(two.subarray(one.length), one) > 30);
    }
    const mixed = concat([await read("speech.ogg"), await read("speech.opus")]);
    await refused("E_AUDIO_DECODE", /must be of one codec and rate: got Opus/, () => loadAudio(mixed));
  },
);

Deno.test("openAudio() refuses compressed headers that say the impossible", async () => {
  const flac = await read("speech.flac");
  const edited = (at: number, ...values: number[]) => {
    const bytes = flac.slice();
    bytes.set(values, at);
    return bytes;
  };
  await refused("E_AUDIO_FORMAT", /sample rate must be .*: got 0/, () => openAudio(edited(18, 0, 0, 0)));
  await refused("E_AUDIO_FORMAT", /first block must be STREAMINFO/, () => openAudio(edited(4, 1)));
  await refused("E_AUDIO_FORMAT", /ends inside its header/, () => openAudio(flac.subarray(0, 30)));
  const ogg = await read("speech.ogg");
  await refused("E_AUDIO_FORMAT", /ends inside its header/, () => openAudio(ogg.subarray(0, 40)));
  ogg[40] = 200; // channels, without a new checksum
  await refused("E_AUDIO_DECODE", /checksum of the Ogg page at byte 0/, () => openAudio(ogg));
});
