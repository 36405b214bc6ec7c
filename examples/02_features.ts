// The encoder's features of a file: one F32 vector for every 20 ms of its first 30 s, as raw little-endian floats.
//
//   deno run -A examples/02_features.ts [--model NAME] FILE OUT.f32
//   python3 -c 'import numpy; print(numpy.fromfile("OUT.f32", "<f4").reshape(1500, -1))'

import { Encoder, findModel, loadAudio, logMel, padOrTrim } from "../mod.ts";
import { commandLine } from "./_command_line.ts";

const { options, files: [file, out] } = commandLine("[--model NAME] FILE OUT.f32", 2, { model: "base" });

using encoder = await Encoder.load(await findModel(options.model)); // the text decoder is not loaded
const { device, dims } = encoder;
const audio = padOrTrim(await loadAudio(file));
const features = await encoder.encode(await logMel(audio, { bands: dims.n_mels, device }));
await Deno.writeFile(out, new Uint8Array(features.buffer));

const norm = Math.sqrt(features.reduce((sum, value) => sum + value * value, 0) / dims.n_audio_ctx);
console.log(`${out}: F32 [${dims.n_audio_ctx}, ${dims.n_audio_state}], mean norm ${norm.toFixed(3)}`);
console.log(`${device.description}, ${encoder.arithmetic}`);
