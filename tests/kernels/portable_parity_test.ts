import { planEncoder } from "../../encoder/plan.ts";
import { openPortableDevice } from "../../kernels/portable/device.ts";
import { openHuggingFaceFolder, openSafetensorsFile } from "../../model/hugging_face.ts";
import { readGolden, relativeError } from "../support/golden.ts";
import { testWithData } from "../support/shared_data.ts";
import assert from "node:assert/strict";

const unexpected = (warning: unknown): never => assert.fail(JSON.stringify(warning));

testWithData(
  "the portable device agrees with openai-whisper on the demo model",
  ["demo-model", "parity"],
  async (folder, parity) => {
    const checkpoint = await openHuggingFaceFolder(folder, unexpected);
    using device = openPortableDevice();
    using encoder = await device.loadPlan(planEncoder(checkpoint.dims.encoder), checkpoint.weights);
    using decoder = await device.loadDecoder(checkpoint.dims.decoder!, checkpoint.weights);
    using session = decoder.open(1);
    for (const clip of ["01_command", "06_german", "08_commands", "09_long"]) {
      const golden = await readGolden(`${parity}/${clip}.safetensors`);
      const features = await encoder.run(golden.mel);
      const error = relativeError(features, golden.encoder);
      assert.ok(error <= 1e-5, `${clip}: encoder output is ${error} off`);

      await session.setFeatures(features);
      const V = decoder.dims.n_vocab;
      let tokens = Int32Array.from(golden.prefix);
      let position = 0;
      for (let n = 0; n < golden.logits.length / V; n++) {
        const logits = await session.step(tokens, 1, position);
        const worst = logits.reduce((max, x, v) => Math.max(max, Math.abs(x - golden.logits[n * V + v])), 0);
        assert.ok(worst <= 2e-3, `${clip}: a logit of step ${n} is ${worst} off`);
        position += tokens.length;
        tokens = Int32Array.of(golden.steps[n]);
      }
    }
  },
);

testWithData(
  "the portable device agrees with PyTorch on Whisper base (87 GFLOP, some 15 s)",
  ["whisper-base-encoder/model.safetensors", "golden/jfk.safetensors"],
  async (weights, clip) => {
    const checkpoint = await openSafetensorsFile(weights, () => {});
    using device = openPortableDevice();
    using encoder = await device.loadPlan(planEncoder(checkpoint.dims.encoder), checkpoint.weights);
    const golden = await readGolden(clip);
    const error = relativeError(await encoder.run(golden.log_mel), golden.encoder_output);
    assert.ok(error <= 1e-4, `encoder output is ${error} off`);
  },
);
