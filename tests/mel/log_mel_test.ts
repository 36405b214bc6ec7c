import { openPortableDevice } from "../../kernels/portable/device.ts";
import { logMel, padOrTrim, padOrTrimMel } from "../../mel/mod.ts";
import { readGolden, relativeError } from "../support/golden.ts";
import { testWithData } from "../support/shared_data.ts";
import { readPcm16 } from "./_wav.ts";
import assert from "node:assert/strict";

const device = openPortableDevice();

testWithData(
  "logMel() of jfk.wav equals what openai-whisper computes",
  ["audio/jfk.wav", "golden/jfk.safetensors"],
  async (wav, golden) => {
    const audio = padOrTrim(readPcm16(await Deno.readFile(wav)));
    const mel = await logMel(audio, { device });
    assert.deepEqual([mel.bands, mel.frames], [80, 3000]);
    const error = relativeError(mel.data, (await readGolden(golden)).log_mel);
    assert.ok(error <= 1e-5, `${error} off`);
  },
);

testWithData(
  "logMel() of 30 s of the parity recordings equals what openai-whisper computes, to F16 rounding",
  ["demo-model/audio", "parity"],
  async (audio, parity) => {
    for (const clip of ["01_command", "06_german", "08_commands", "09_long"]) {
      const samples = padOrTrim(readPcm16(await Deno.readFile(`${audio}/${clip}.wav`)));
      const { mel } = await readGolden(`${parity}/${clip}.safetensors`);
      const error = relativeError((await logMel(samples, { device })).data, mel);
      // Half a unit in the last place of F16 is 4.9e-4 at most; were the clip cut otherwise, it would be above 0.1.
      assert.ok(error <= 4e-4, `${clip}: ${error} off`);
    }
  },
);

Deno.test("logMel() counts frames by whole hops and defines audio that is too short to mirror", async () => {
  for (const samples of [0, 1, 2, 159, 160, 161, 199, 200, 201, 202, 399, 400, 401]) {
    const audio = Float32Array.from({ length: samples }, (_, i) => Math.sin(i));
    const mel = await logMel(audio, { device });
    assert.equal(mel.frames, Math.floor(samples / 160));
    assert.equal(mel.data.length, 80 * mel.frames);
    assert.ok(mel.data.every(Number.isFinite));
    const padded = await logMel(audio, { device, padding: 480, bands: 128 });
    assert.equal(padded.frames, Math.floor((samples + 480) / 160));
    assert.equal(padded.data.length, 128 * padded.frames);
    assert.ok(padded.data.every(Number.isFinite));
  }
});

Deno.test("logMel() mirrors both ends without repeating the edge", async () => {
  const audio = Float32Array.from({ length: 320 }, (_, i) => Math.sin(i * i / 50));
  const mirrored = Float32Array.from(
    { length: 720 },
    (_, i) => i < 200 ? audio[200 - i] : i < 520 ? audio[i - 200] : audio[638 - (i - 200)],
  );
  let asked: Float32Array | null = null;
  await logMel(audio, {
    device: {
      logMelPower: (samples, frames, filters) => {
        asked = samples;
        return device.logMelPower(samples, frames, filters);
      },
    },
  });
  assert.deepEqual(asked, mirrored);
});

Deno.test("logMel() spans at most 2, from the loudest down 80 dB", async () => {
  const audio = Float32Array.from({ length: 16_000 }, (_, i) => i < 8000 ? 0 : Math.sin(i * 0.3));
  const { data } = await logMel(audio, { device });
  const max = Math.max(...data), min = Math.min(...data);
  assert.ok(Math.abs(max - min - 2) < 1e-6);
  const silent = await logMel(new Float32Array(1600), { device });
  assert.ok(silent.data.every((x) => x === -1.5), "silence is (−10 + 4) / 4");
});

Deno.test("logMel() refuses NaN and infinity and says how many and where", async () => {
  const audio = new Float32Array(48_000);
  audio.set([NaN, 0, Infinity], 32_000);
  await assert.rejects(logMel(audio, { device }), {
    code: "E_AUDIO_VALUES",
    message: "Cannot use this audio: 2 non-finite samples, the first at 2.00 s",
  });
  const huge = Float32Array.from({ length: 1600 }, (_, i) => (i % 2 ? 3e38 : -3e38));
  assert.ok((await logMel(huge, { device })).data.every(Number.isFinite), "large is not infinite");
});

Deno.test("logMel() refuses what is no padding", async () => {
  for (const padding of [-1, 0.5, NaN]) {
    await assert.rejects(logMel(new Float32Array(400), { device, padding }), { code: "E_OPTION" });
  }
});

Deno.test("padOrTrim() and padOrTrimMel() cut and fill with zeros", () => {
  assert.deepEqual(padOrTrim(Float32Array.of(1, 2, 3), 2), Float32Array.of(1, 2));
  assert.deepEqual(padOrTrim(Float32Array.of(1, 2, 3), 5), Float32Array.of(1, 2, 3, 0, 0));
  assert.equal(padOrTrim(new Float32Array(0)).length, 480_000);
  const mel = { data: Float32Array.of(1, 2, 3, 4, 5, 6), bands: 2, frames: 3 };
  assert.deepEqual(padOrTrimMel(mel, 2).data, Float32Array.of(1, 2, 4, 5));
  assert.deepEqual(padOrTrimMel(mel, 4), {
    data: Float32Array.of(1, 2, 3, 0, 4, 5, 6, 0),
    bands: 2,
    frames: 4,
  });
});
