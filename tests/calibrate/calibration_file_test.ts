import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { join } from "node:path";
import { PRECISION_FILE, worstError } from "../../encoder/calibration.ts";
import { findCalibration, parseCalibration, writeCalibration } from "../../encoder/calibration_file.ts";
import { fingerprintOf } from "../../encoder/fingerprint.ts";
import type { SottoError } from "../../errors.ts";
import { openCheckpoint } from "../../model/open.ts";
import { writeGgml } from "../convert/ggml_writer.ts";
import { DEMO_MODEL, inFolder } from "../support/command.ts";
import { demoCalibration } from "./_calibration.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);

Deno.test("a calibration reads back as it was written, scales to five digits", async () => {
  const calibration = await demoCalibration();
  const text = writeCalibration(calibration);
  const read = parseCalibration(bytesOf(text), "the file");
  deepStrictEqual(read, {
    ...calibration,
    dims: read.dims,
    migrations: calibration.migrations.map((migration) => ({
      ...migration,
      scales: migration.scales.map((scale) => Number(scale.toPrecision(5))),
    })),
  });
  strictEqual(writeCalibration(read), text);
  strictEqual(worstError(read), 0.0125);
  ok(text.split("\n").length < 120, "long lists stand on one line");
});

/** What is done to a calibration's JSON, and what the error must name. */
// deno-lint-ignore no-explicit-any
const SPOILED: readonly (readonly [string, (json: any) => unknown, RegExp])[] = [
  ["another format", (json) => json.format = "other", /format must be "sotto_precision", got "other"/],
  ["a later version", (json) => json.version = 2, /version must be 1, got 2/],
  ["an unknown key", (json) => json.policies = {}, /must have no keys but .*, got "policies"/],
  ["a missing key", (json) => delete json.report, /must have report/],
  [
    "an unknown rounding",
    (json) => json.policy.conv1 = "int4",
    /policy\.conv1 must be f32, half, int8, got "int4"/,
  ],
  [
    "a product that no block has",
    (json) => json.policy.blocks[1].mlp3 = "half",
    /policy\.blocks\[1\] must have no keys/,
  ],
  ["too few blocks", (json) => json.policy.blocks.pop(), /policy\.blocks must have 4 entries, got 3/],
  [
    "a scale that is none",
    (json) => json.migrations[0].scales[3] = null,
    /scales\[3\] must be a number, got null/,
  ],
  ["a scale of 0", (json) => json.migrations[0].scales[3] = 0, /scales\[3\] must be 0\.0001 to 10000, got 0/],
  ["a negative scale", (json) => json.migrations[0].scales[0] = -1, /scales\[0\] must be/],
  ["too many scales", (json) => json.migrations[0].scales.push(1), /scales must have 128 entries, got 129/],
  [
    "a block that there is not",
    (json) => json.migrations[0].block = 4,
    /block must be one of the model's, got 4/,
  ],
  [
    "a product without norm",
    (json) => json.migrations[0].product = "out",
    /product must be qkv, mlp1, got "out"/,
  ],
  ["scales twice", (json) => json.migrations.push(json.migrations[0]), /must not repeat a product/],
  ["no clips", (json) => json.report.clips = [], /clips must name at least one/],
  ["an error below 0", (json) => json.report.clips[0].error = -0.1, /error must be 0 or more/],
  ["a date that is none", (json) => json.report.date = "today", /date must be a day/],
  ["a fingerprint that is none", (json) => json.model.fingerprint = "12", /64 hexadecimal digits/],
  ["half a block", (json) => json.model.n_audio_layer = 3.5, /n_audio_layer must be a whole number/],
  ["a list", () => [], /the file must be an object/],
];

for (const [what, spoil, message] of SPOILED) {
  Deno.test(`a calibration with ${what} is refused`, async () => {
    const json = JSON.parse(writeCalibration(await demoCalibration()));
    const result = spoil(json);
    const text = JSON.stringify(what === "a list" ? result : json);
    await rejects(async () => parseCalibration(await Promise.resolve(bytesOf(text)), "x.json"), (error) => {
      strictEqual((error as SottoError).code, "E_MODEL_FORMAT");
      ok(message.test((error as SottoError).message), (error as SottoError).message);
      ok((error as SottoError).message.startsWith("Cannot use x.json"));
      return true;
    });
  });
}

Deno.test("JSON that is none, or says a thing twice, is refused as a calibration", async () => {
  const text = writeCalibration(await demoCalibration());
  for (
    const spoiled of [text.slice(0, -10), text.replace('"version": 1', '"version": 1, "version": 1'), "NaN"]
  ) {
    await rejects(
      async () => parseCalibration(await Promise.resolve(bytesOf(spoiled)), "x.json"),
      { code: "E_MODEL_FORMAT" },
    );
  }
});

Deno.test("fingerprintOf() is the same in each format a model is kept in, and another for other numbers", async () => {
  const demo = await openCheckpoint(DEMO_MODEL);
  const own = await fingerprintOf(demo.dims.encoder, demo.weights);
  await inFolder(async (folder) => {
    const kept = async (name: string, bytes: Uint8Array) => {
      await Deno.writeFile(join(folder, name), bytes);
      const { dims, weights } = await openCheckpoint(join(folder, name));
      return await fingerprintOf(dims.encoder, weights);
    };
    strictEqual(await kept("demo.bin", await writeGgml(demo)), own);
    ok(await kept("demo-q8.bin", await writeGgml(demo, { dtype: "Q8_0" })) !== own);
  });
});

Deno.test("findCalibration() takes the file that is given, else that in the model's folder, and only this model's", async () => {
  const { dims: { encoder: dims }, weights } = await openCheckpoint(DEMO_MODEL);
  await inFolder(async (folder) => {
    strictEqual(await findCalibration({ model: folder }, dims, weights), null);
    strictEqual(await findCalibration({ model: join(DEMO_MODEL, "config.json") }, dims, weights), null);
    strictEqual(await findCalibration({ model: null }, dims, weights), null);
    const path = join(folder, PRECISION_FILE);
    await Deno.writeTextFile(path, writeCalibration(await demoCalibration()));
    strictEqual((await findCalibration({ model: folder }, dims, weights))?.path, path);
    const elsewhere = { given: new URL(`file://${path}`), model: null };
    strictEqual((await findCalibration(elsewhere, dims, weights))?.path, path);
    await rejects(findCalibration({ given: join(folder, "none.json"), model: folder }, dims, weights), {
      code: "E_MODEL_NOT_FOUND",
    });

    const others = await demoCalibration({ fingerprint: "0".repeat(64) });
    await Deno.writeTextFile(path, writeCalibration(others));
    await rejects(findCalibration({ model: folder }, dims, weights), {
      code: "E_MODEL_MISMATCH",
      message: `Cannot use ${path}: it is for other weights of the same dimensions`,
    });
    const wider = { ...dims, n_mels: 128 };
    await Deno.writeTextFile(path, writeCalibration(await demoCalibration({ dims: wider })));
    await rejects(findCalibration({ model: folder }, dims, weights), {
      code: "E_MODEL_MISMATCH",
      message: `Cannot use ${path}: it is for a model with n_mels 128, this one has 80`,
    });
  });
});
