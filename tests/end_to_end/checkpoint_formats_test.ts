// One checkpoint as Hugging Face folder, openai .pt and whisper.cpp ggml: one transcript.

import assert from "node:assert/strict";
import { join } from "node:path";
import { type DeviceName, loadModel, openCheckpoint, type Transcript } from "../../mod.ts";
import { writeGgml } from "../convert/ggml_writer.ts";
import { writeOpenaiPt } from "../convert/openai_pt_writer.ts";
import { HAS_LIBRARY } from "../support/cpu_library.ts";
import { PROJECT_ROOT } from "../support/shared_data.ts";

const DEMO = new URL("models/demo/", PROJECT_ROOT).pathname;
const CLIP = `${DEMO}audio/01_command.wav`;

async function transcript(model: string, device: DeviceName): Promise<Omit<Transcript, "run">> {
  using whisper = await loadModel(model, { device });
  const { run: _, ...transcript } = await whisper.transcribe(CLIP);
  return transcript;
}

for (const device of ["cpu", "portable"] as const) {
  Deno.test({
    name: `loadModel() reads one checkpoint in three formats to one transcript (${device})`,
    ignore: device === "cpu" && !HAS_LIBRARY,
    fn: async () => {
      const folder = await Deno.makeTempDir();
      try {
        const checkpoint = await openCheckpoint(DEMO);
        const [pt, ggml] = [join(folder, "demo.pt"), join(folder, "ggml-demo.bin")];
        await Deno.writeFile(pt, await writeOpenaiPt(checkpoint));
        await Deno.writeFile(ggml, await writeGgml(checkpoint));
        // A .pt has no vocabulary of its own; the ggml file has, and is read first without anything beside it.
        const expected = await transcript(DEMO, device);
        assert.deepEqual(await transcript(ggml, device), expected);
        await Deno.copyFile(`${DEMO}tokenizer.json`, join(folder, "tokenizer.json"));
        assert.deepEqual(await transcript(pt, device), expected);
        assert.equal(
          expected.text.trim(),
          "The train to Paris leaves at three twenty-four from platform twenty-four.",
        );
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
  });
}

Deno.test({
  name: "loadModel() reads ggml's block types to the words of the F16 model",
  ignore: !HAS_LIBRARY,
  fn: async () => {
    const path = await Deno.makeTempFile({ suffix: ".bin" });
    try {
      const checkpoint = await openCheckpoint(DEMO);
      const expected = await transcript(DEMO, "cpu");
      for (const dtype of ["Q8_0", "Q5_1", "Q5_0"] as const) {
        await Deno.writeFile(path, await writeGgml(checkpoint, { dtype }));
        assert.equal((await transcript(path, "cpu")).text, expected.text, dtype);
      }
    } finally {
      await Deno.remove(path);
    }
  },
});
