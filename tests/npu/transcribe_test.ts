import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import type { Warning } from "../../errors.ts";
import { XrtLibrary } from "../../ffi/xrt_library.ts";
import { loadModel } from "../../whisper_model.ts";
import { DEMO_MODEL, recording } from "../support/command.ts";
import { bundled, joined, RATE, silence } from "../voice/_recordings.ts";
import { testOnEmulatedNpu } from "./_with_emulated.ts";

/**
 * What the text of the NPU is held against: the CPU in F32. By default the CPU takes this model's INT8, which is as far
 * from F32 as the NPU is, on another side.
 */
const IN_F32 = { device: "cpu", precision: "f32" } as const;

testOnEmulatedNpu(
  "transcribe() hears the same words on the emulated NPU, and reports its launches",
  [],
  async () => {
    for (const name of ["01_command", "06_german"]) {
      using cpu = await loadModel(DEMO_MODEL, IN_F32);
      using npu = await loadModel(DEMO_MODEL, { device: "npu-emulated", npuModel: "" });
      const [expected, heard] = [
        await cpu.transcribe(recording(name)),
        await npu.transcribe(recording(name)),
      ];
      strictEqual(heard.text, expected.text);
      strictEqual(heard.run.device, "npu-emulated");
      strictEqual(heard.run.npu?.launches, 22 * heard.run.windows);
      ok(heard.run.npu.modelled && heard.run.npu.modelledSeconds > 0 && heard.run.npu.bytesIn > 0);
      strictEqual(expected.run.npu, undefined);
    }
  },
);

for (const fault of ["hang@1+", "error@1+", "lost@1+"]) {
  testOnEmulatedNpu(
    `transcribe() goes on with the same text after ${fault} in the middle, with one warning`,
    [],
    async () => {
      // Every word of these is certain, in each precision; a window's text does not lean on the one before.
      const [commands, command] = [await bundled("08_commands"), await bundled("01_command")];
      const rest = silence(30 - commands.length / RATE);
      const audio = joined(commands, rest, command, silence(25), commands);
      const options = { temperature: 0, conditionOnPreviousText: false };
      using cpu = await loadModel(DEMO_MODEL, IN_F32);
      const expected = await cpu.transcribe(audio, options);
      const kind = fault.split("@")[0];
      // 22 launches a window: the second window fails, and the NPU that is opened then fails at once.
      using npu = await loadModel(DEMO_MODEL, { device: "npu-emulated", npuModel: `${kind}@30+` });
      XrtLibrary.open("sotto_npu_emulated").configure(fault);
      const warnings: Warning[] = [];
      const windows = npu.progress(audio, { ...options, onWarning: (warning) => warnings.push(warning) });
      let [last, longest] = [performance.now(), 0];
      let step = await windows.next();
      for (; !step.done; step = await windows.next()) {
        const now = performance.now();
        [last, longest] = [now, Math.max(longest, now - last)];
      }
      const heard = step.value;
      // A busy machine takes longer: printed, not asserted. The watchdog's 2 s are part of it.
      console.log(`  the window that failed was there after ${(longest / 1000).toFixed(1)} s; goal: 3 s`);
      strictEqual(heard.text, expected.text);
      deepStrictEqual(warnings.map(({ code }) => code), ["W_NPU_LOST"]);
      match(warnings[0].message, /; in the window 0:30\.0 to 1:00\.0$/);
      deepStrictEqual(heard.run.warnings, warnings);
      deepStrictEqual([heard.run.windows, heard.run.npu?.fallbacks], [3, 2]);
    },
  );
}
