/** Encodes a silent window with the model and on the device that its arguments name; for child processes. */

import { Encoder } from "../../encoder/mod.ts";
import { SottoError } from "../../errors.ts";
import type { DeviceChoice } from "../../kernels/select.ts";

const [model, device, library] = Deno.args;
try {
  using encoder = await Encoder.load(model, {
    device: device as DeviceChoice,
    library: library || undefined,
    threads: 1,
    onWarning: ({ code, message }) => console.log(`${code} ${message}`),
  });
  const features = await encoder.encode(new Float32Array(encoder.dims.n_mels * 2 * encoder.dims.n_audio_ctx));
  console.log(`${encoder.device.name} ${features.length} ${features.every(Number.isFinite)}`);
} catch (error) {
  if (!(error instanceof SottoError)) throw error;
  console.log(`${error.code} ${error.message} ${error.hint}`);
}
