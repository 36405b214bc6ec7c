import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { join } from "node:path";
import { clipsOf, readRecording } from "../../calibrate/clips.ts";
import { splitRecordings } from "../../calibrate/recordings.ts";
import { randomCheckpoint } from "../../bench/random_weights.ts";
import { PRECISION_FILE, worstError } from "../../encoder/calibration.ts";
import { parseCalibration } from "../../encoder/calibration_file.ts";
import { Encoder } from "../../encoder/mod.ts";
import { CpuDevice } from "../../kernels/cpu/device.ts";
import { writeOpenaiPt } from "../convert/openai_pt_writer.ts";
import { DEMO_MODEL, denoCommand, inFolder, recording, resultOf } from "../support/command.ts";
import { LIBRARY_PATH, testWithLibrary } from "../support/cpu_library.ts";
import { relativeError } from "../support/golden.ts";
import { PROJECT_ROOT } from "../support/shared_data.ts";

const SCRIPT = new URL("calibrate/main.ts", PROJECT_ROOT).pathname;

function calibrate(args: readonly string[]) {
  return resultOf(
    denoCommand(["run", "-A", SCRIPT, "--library", LIBRARY_PATH, "--threads", "2", ...args]).spawn(),
  );
}

/** A folder with these of the bundled recordings. */
async function folderOf(folder: string, name: string, recordings: readonly string[]): Promise<string> {
  const path = join(folder, name);
  await Deno.mkdir(path);
  for (const each of recordings) await Deno.copyFile(recording(each), join(path, `${each}.wav`));
  return path;
}

testWithLibrary(
  "calibrate holds its target for the demo model on clips it did not see, and reports what is so",
  () =>
    inFolder(async (folder) => {
      const audio = await folderOf(folder, "audio", ["01_command", "08_commands"]);
      const holdout = await folderOf(folder, "holdout", ["06_german", "11_no_speech"]);
      const out = join(folder, "mine.json");
      const { code, stdout, stderr } = await calibrate(
        ["--model", DEMO_MODEL, "--audio", audio, "--holdout", holdout, "--clips", "1", "--out", out],
      );
      strictEqual(code, 0, stderr);
      match(stdout, /held out\n.*06_german/);
      const calibration = parseCalibration(await Deno.readFile(out), out);
      ok(worstError(calibration) <= 0.02, stdout);
      const { clips } = calibration.report;
      const kinds = ["recording", "speech in noise", "speech in silence", "noise", "silence"];
      for (const held of [false, true]) {
        deepStrictEqual(clips.filter((clip) => clip.held_out === held).map(({ kind }) => kind), kinds);
      }

      // What the report says of a clip is what the encoder does with the file.
      const options = { library: LIBRARY_PATH, threads: 2 };
      using device = CpuDevice.open(options);
      const recordings = [await readRecording(recording("06_german"), "06_german")];
      const [clip] = await clipsOf(recordings, { device, bands: 80, heldOut: true, most: 1 });
      using exact = await Encoder.load(DEMO_MODEL, { device, precision: "f32" });
      using encoder = await Encoder.load(DEMO_MODEL, { device, precision: "auto", precisionFile: out });
      if (encoder.arithmetic.includes("i8")) match(encoder.arithmetic, /, by mine\.json$/);
      using int8 = await Encoder.load(DEMO_MODEL, { device, precision: "int8", precisionFile: out });
      match(int8.arithmetic, /, by mine\.json$/);
      const error = relativeError(await int8.encode(clip.logMel), await exact.encode(clip.logMel));
      const reported = clips.find(({ name, held_out }) => held_out && name === clip.name)!.error;
      ok(Math.abs(error - reported) <= 1e-3 * reported, `${error}, reported ${reported}`);
    }),
);

testWithLibrary(
  "calibrate takes any checkpoint, writes beside it, and refuses what it cannot use",
  () =>
    inFolder(async (folder) => {
      const dims = {
        ...{ n_mels: 80, n_audio_ctx: 1500, n_audio_state: 64, n_audio_head: 2, n_audio_layer: 2 },
        ...{ n_vocab: 51865, n_text_ctx: 448, n_text_state: 64, n_text_head: 2, n_text_layer: 1 },
      };
      const random = await randomCheckpoint("random", dims, join(folder, "weights"));
      const model = join(folder, "random.pt");
      await Deno.writeFile(model, await writeOpenaiPt(random));
      const audio = await folderOf(folder, "audio", ["01_command", "06_german"]);
      const args = ["--model", model, "--audio", audio, "--clips", "1", "--target", "0.03"];
      const { code, stdout, stderr } = await calibrate(args);
      strictEqual(code, 0, stderr + stdout);
      const written = join(folder, PRECISION_FILE);
      match(stdout, /use it with --precision_file/);
      strictEqual(parseCalibration(await Deno.readFile(written), written).policy.blocks.length, 2);

      for (
        const [wrong, message] of [
          [["--target", "2"], /--target must be between 0 and 1: got "2"/],
          [["--clips", "x"], /--clips must be a whole number/],
          [["--audio", join(folder, "none")], /Cannot read the folder/],
          [["--audio", folder], /holds no recording/],
          [["--goal", "1"], /--goal/],
        ] as const
      ) {
        const result = await calibrate([...args, ...wrong]);
        ok(result.code !== 0);
        match(result.stderr, message);
      }
    }),
);

Deno.test("splitRecordings() keeps what is judged on apart", () =>
  inFolder(async (folder) => {
    const names = ({ name }: { readonly name: string }) => name;
    const audio = await folderOf(folder, "audio", ["01_command", "06_german", "11_no_speech"]);
    const split = await splitRecordings({ audio });
    deepStrictEqual(split.chosenBy.map(names), ["01_command", "11_no_speech"]);
    strictEqual(names(split.judgedOn.at(-1)!), "06_german");
    const one = await folderOf(folder, "one", ["01_command"]);
    const alone = await splitRecordings({ audio: one });
    deepStrictEqual(alone.chosenBy.map(names), ["01_command"]);
    ok(alone.judgedOn.length > 1 && !alone.judgedOn.map(names).includes("01_command"));
    const given = await splitRecordings({ audio: one, holdout: audio });
    strictEqual(given.judgedOn.length, 3);
  }));
