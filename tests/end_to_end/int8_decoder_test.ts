// INT8 weights of the decoder leave the texts of recordings as they were, with a beam too, for a decoder of base's width. The
// demo model is so narrow that close calls may fall otherwise: as many words must be right, greedily. The encoder runs in F32.

import { deepStrictEqual, match, ok } from "node:assert/strict";
import { openAudio } from "../../audio/mod.ts";
import { type DecodeOptions, decodeWindow, Tokenizer } from "../../decoder/mod.ts";
import { Encoder } from "../../encoder/mod.ts";
import { PRECISIONS } from "../../encoder/precision.ts";
import { addErrors, errorRate, errorsBetween, NO_ERRORS } from "../../evaluate/errors_between.ts";
import { comparedWords } from "../../evaluate/judge.ts";
import { readManifest } from "../../evaluate/manifest.ts";
import { openDevice } from "../../kernels/mod.ts";
import { logMel, N_SAMPLES } from "../../mel/mod.ts";
import { openCheckpoint } from "../../model/mod.ts";
import { WhisperModel } from "../../whisper_model.ts";
import { LIBRARY_PATH, testWithLibrary } from "../support/cpu_library.ts";
import { PROJECT_ROOT, testWithData } from "../support/shared_data.ts";

const DEMO = new URL("models/demo", PROJECT_ROOT).pathname;

/** Texts of the recordings' first windows, by weights as they are stored and by INT8, with each of the options. */
async function texts(
  model: string,
  recordings: readonly string[],
  searches: readonly DecodeOptions[],
): Promise<Record<string, string[]>[]> {
  const checkpoint = await openCheckpoint(model);
  const { dims, weights, vocabulary, generation } = checkpoint;
  const tokenizer = await Tokenizer.from(vocabulary!, {
    vocabularySize: dims.decoder!.n_vocab,
    multilingual: generation?.is_multilingual ?? undefined,
  });
  using device = await openDevice("cpu", { library: LIBRARY_PATH });
  using encoder = await Encoder.load(checkpoint, { device, precision: "f32" });
  using stored = await device.loadDecoder(dims.decoder!, weights);
  using int8 = await device.loadDecoder(dims.decoder!, weights, { precision: "int8" });
  const results: Record<string, string[]>[] = [{}, {}];
  for (const recording of recordings) {
    const mel = await logMel(await firstWindow(recording), { bands: dims.encoder.n_mels, device });
    const features = await encoder.encode(mel);
    for (const [i, decoder] of [stored, int8].entries()) {
      const written = searches.map(async (options) =>
        (await decodeWindow({ decoder, tokenizer }, features, options)).text
      );
      results[i][recording] = await Promise.all(written);
    }
  }
  return results;
}

async function firstWindow(recording: string): Promise<Float32Array<ArrayBuffer>> {
  const source = await openAudio(recording, {});
  await using stream = await source.open();
  const samples = new Float32Array(N_SAMPLES);
  let filled = 0;
  for await (const chunk of stream) {
    samples.set(chunk.subarray(0, N_SAMPLES - filled), filled);
    filled += chunk.length;
    if (filled >= N_SAMPLES) break;
  }
  return samples;
}

const recordingsIn = (folder: string) =>
  [...Deno.readDirSync(folder)].map(({ name }) => name).filter((name) => name.endsWith(".wav")).sort()
    .map((name) => `${folder}/${name}`);

/** Of all words: what INT8 may cost. */
const MOST_MORE_WRONG = 0.005;

testWithLibrary("INT8 weights leave as many of the demo model's words right as there were", async () => {
  const recordings = await readManifest(`${DEMO}/audio`);
  const [stored, int8] = await texts(DEMO, recordings.map(({ path }) => path), [{}]);
  const wordErrors = (written: Record<string, string[]>) =>
    recordings.map(({ path, language, sentences }) => {
      const spoken = sentences.filter(({ end }) => end <= 30).map(({ text }) => text).join(" ");
      return errorsBetween(comparedWords(spoken, language), comparedWords(written[path][0], language));
    }).reduce(addErrors, NO_ERRORS);
  const [before, after] = [stored, int8].map(wordErrors);
  ok(before.length > 80, `${before.length} words`);
  ok(errorRate(before) < 0.15, JSON.stringify(before));
  ok(errorRate(after) <= errorRate(before) + MOST_MORE_WRONG, JSON.stringify({ before, after }));
});

testWithData(
  "INT8 weights leave the texts of a decoder of base's width as they were",
  ["commands-base", "demo-model/audio"],
  async (model, audio) => {
    const recordings = recordingsIn(audio).filter((path) => /0[1-7]_/.test(path));
    const [stored, int8] = await texts(model, recordings, [{}, { beamSize: 5 }]);
    deepStrictEqual(int8, stored);
  },
);

testWithLibrary("WhisperModel keeps the decoder's weights in INT8 for precision int8 alone", async () => {
  const checkpoint = await openCheckpoint(DEMO);
  for (const precision of PRECISIONS) {
    using model = await WhisperModel.load(checkpoint, { device: "cpu", library: LIBRARY_PATH, precision });
    match(
      model.decoder.arithmetic,
      precision === "int8" ? /^int8 weights, int16 act/ : /^f16 weights, f32 sums/,
    );
  }
});
