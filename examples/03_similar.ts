// Which recordings of a folder sound most like a given one, by the cosine of their mean features.
//
//   deno run -A examples/03_similar.ts [--model NAME] QUERY FOLDER

import { join } from "node:path";
import { Encoder, findModel, loadAudio, logMel, padOrTrim } from "../mod.ts";
import { commandLine } from "./_command_line.ts";

const { options, files: [query, folder] } = commandLine("[--model NAME] QUERY FOLDER", 2, { model: "base" });

using encoder = await Encoder.load(await findModel(options.model));
const { device, dims: { n_mels: bands, n_audio_ctx, n_audio_state } } = encoder;

/** The mean of the features where there is sound, of length 1: its product with another is their cosine. */
async function fingerprint(path: string): Promise<Float32Array> {
  const audio = await loadAudio(path);
  const features = await encoder.encode(await logMel(padOrTrim(audio), { bands, device }));
  const positions = Math.min(n_audio_ctx, Math.ceil(audio.length / 320)); // 20 ms each
  const mean = new Float32Array(n_audio_state);
  for (let i = 0; i < positions * n_audio_state; i++) mean[i % n_audio_state] += features[i];
  const norm = Math.hypot(...mean);
  return mean.map((value) => value / norm);
}

const wanted = await fingerprint(query);
const found: { name: string; cosine: number }[] = [];
for await (const { name, isFile } of Deno.readDir(folder)) {
  if (!isFile || !/\.(wav|flac|mp3|ogg|opus|m4a)$/i.test(name)) continue;
  const other = await fingerprint(join(folder, name));
  found.push({ name, cosine: wanted.reduce((sum, value, i) => sum + value * other[i], 0) });
}
found.sort((a, b) => b.cosine - a.cosine);
for (const { name, cosine } of found) console.log(cosine.toFixed(4), name);
