// Features that are no numbers are refused by every decoder: those of half precision and of INT8 would write a text.

import assert from "node:assert/strict";
import { SottoError } from "../../errors.ts";
import { loadAudio, loadModel, openCheckpoint, openDevice } from "../../mod.ts";
import { requireFeatures } from "../../kernels/decoder_features.ts";
import type { DecoderPrecision } from "../../kernels/device.ts";
import { DEMO_MODEL, recording } from "../support/command.ts";
import { LIBRARY_PATH, testWithLibrary } from "../support/cpu_library.ts";

const refusedValues = (message: RegExp) => (error: unknown) =>
  error instanceof SottoError && error.code === "E_MODEL_VALUES" && message.test(error.message);

Deno.test("requireFeatures() counts what is NaN or infinite, and takes every number", () => {
  const dims = { n_audio_ctx: 3, n_text_state: 4 };
  const values = Float32Array.of(0, -0, 1e-45, -1e-40, 3.4e38, -3.4e38, 1, 2, 3, 4, 5, 6);
  requireFeatures(values, dims);
  for (const bad of [NaN, Infinity, -Infinity]) {
    for (const at of [0, 5, 11]) {
      assert.throws(() => requireFeatures(values.with(at, bad), dims), refusedValues(/ 1 of 12 values /));
    }
  }
  const part = Float32Array.of(NaN, ...values, NaN).subarray(1, 13); // what lies around a view is not looked at
  requireFeatures(part, dims);
  assert.throws(
    () => requireFeatures(values.subarray(1), dims),
    (error) =>
      error instanceof SottoError && error.code === "E_OPTION" && /\[3, 4\], got 11/.test(error.message),
  );
});

/** One NaN anywhere is refused; the session then takes what is right. */
async function refusesOne(device: "cpu" | "portable", precision?: DecoderPrecision): Promise<void> {
  const { dims: { decoder: dims }, weights } = await openCheckpoint(DEMO_MODEL);
  using opened = await openDevice(device, device === "cpu" ? { library: LIBRARY_PATH } : {});
  using decoder = await opened.loadDecoder(dims!, weights, { precision });
  using session = decoder.open(1);
  const features = new Float32Array(dims!.n_audio_ctx * dims!.n_text_state).fill(0.5);
  const bad = features.slice();
  bad[5000] = NaN;
  await assert.rejects(session.setFeatures(bad), refusedValues(/Cannot decode these features: 1 of 192000/));
  await session.setFeatures(features);
  const logits = await session.step(Int32Array.of(1), 1, 0);
  assert.ok(logits.every(Number.isFinite));
}

testWithLibrary("A decoder of weights as stored refuses a feature that is NaN", () => refusesOne("cpu"));
testWithLibrary("A decoder of INT8 weights refuses a feature that is NaN", () => refusesOne("cpu", "int8"));
Deno.test("The portable decoder refuses a feature that is NaN", () => refusesOne("portable"));

testWithLibrary("A NaN in a log-mel becomes an error in every precision, never a text", async () => {
  const audio = await loadAudio(recording("01_command"));
  for (const precision of ["f32", "half", "int8"] as const) {
    using model = await loadModel(DEMO_MODEL, { device: "cpu", library: LIBRARY_PATH, precision });
    const mel = await model.logMel(audio);
    const heard = await model.decode(mel, { language: "en" });
    assert.match(heard.text, /^The train to Paris/);
    mel.data[1000] = NaN;
    await assert.rejects(model.decode(mel, { language: "en" }), refusedValues(/NaN or infinite/), precision);
  }
});
