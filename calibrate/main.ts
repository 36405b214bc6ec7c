/**
 * Chooses what INT8 rounds for one model, by recordings, and writes it beside the model: `deno task calibrate`; `--help`
 * lists the options.
 *
 * @module
 */

import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { printError } from "../cli/console.ts";
import { type Calibration, type ClipError, PRECISION_FILE, worstError } from "../encoder/calibration.ts";
import { writeCalibration } from "../encoder/calibration_file.ts";
import { fingerprintOf } from "../encoder/fingerprint.ts";
import { SottoError } from "../errors.ts";
import { CpuDevice } from "../kernels/cpu/device.ts";
import { findModel, openCheckpoint } from "../model/mod.ts";
import { builtInRoundings, calibrate, type Calibrated } from "./calibrate.ts";
import { type Clip, clipsOf } from "./clips.ts";
import { migrationName } from "./migrations.ts";
import { policyOf } from "./places.ts";
import { BUNDLED, splitRecordings } from "./recordings.ts";
import { costTable, errorTable, perCent, policyTable } from "./report.ts";
import { rangeTable } from "./range_table.ts";
import { Trials } from "./trials.ts";

const HELP = `Chooses what INT8 rounds for one model: the fastest that stays within a target on every clip.

Usage: deno task calibrate [options]

  --model NAME       a name, folder or file (models/demo)
  --audio FOLDER     recordings to choose by (those of the demo model)
  --holdout FOLDER   recordings to judge on (every third of --audio, and voices of espeak-ng and flite where installed)
  --target SHARE     largest relative L2 error of the features (0.02)
  --clips N          most recordings, and most mixtures of a kind (3)
  --out FILE         what to write (${PRECISION_FILE} beside the model)
  --threads N        of the CPU library (one for each core)
  --library PATH     of the CPU library
  --details          what each product costs in error and time, and INT8's error by group and range
`;

const OPTIONS = {
  model: { type: "string", default: "models/demo" },
  audio: { type: "string", default: BUNDLED },
  holdout: { type: "string" },
  target: { type: "string", default: "0.02" },
  clips: { type: "string", default: "3" },
  out: { type: "string" },
  threads: { type: "string" },
  library: { type: "string" },
  details: { type: "boolean", default: false },
  help: { type: "boolean", default: false },
} as const;

async function main(args: string[]): Promise<void> {
  const values = parse(args);
  if (values.help) return console.log(HELP);
  const target = numberOf("target", values.target, (value) => value > 0 && value < 1, "between 0 and 1");
  const most = numberOf("clips", values.clips, isCount, "a whole number from 1 on");
  const threads = values.threads === undefined
    ? undefined
    : numberOf("threads", values.threads, isCount, "a whole number from 1 on");

  const model = await findModel(values.model, { offline: true });
  const checkpoint = await openCheckpoint(model);
  const { dims: { encoder: dims }, weights } = checkpoint;
  using device = CpuDevice.open({ threads, library: values.library });
  if (!device.rates.i8) {
    throw new SottoError("E_DEVICE", `Cannot calibrate on ${device.description}: it has no INT8 kernels`);
  }
  const { chosenBy, judgedOn } = await splitRecordings(values);
  const make = { device, bands: dims.n_mels, most };
  const own = await clipsOf(chosenBy, { ...make, heldOut: false });
  const others = await clipsOf(judgedOn, { ...make, heldOut: true });
  console.log(`${checkpoint.name} on ${device.description}`);

  const trials = new Trials(device, dims, weights);
  const calibrated = await calibrate(trials, own, { target, onStage: console.log });
  if (values.details) {
    console.log(`\n${costTable(calibrated, dims.n_audio_layer)}\n\n${await rangeTable(trials, own)}`);
  }
  const policy = policyOf(calibrated.roundings);
  const calibration: Calibration = {
    dims,
    fingerprint: await fingerprintOf(dims, weights),
    policy,
    migrations: calibrated.migrations,
    report: {
      date: new Date().toISOString().slice(0, 10),
      target,
      device: device.description,
      arithmetic: await trials.arithmetic(policy),
      clips: await judge(trials, calibrated, [...own, ...others]),
    },
  };
  console.log(`\n${policyTable(calibrated.roundings, dims.n_audio_layer)}`);
  console.log(`scales: ${calibrated.migration === null ? "none" : migrationName(calibrated.migration)}`);
  console.log(`\n${errorTable(calibration.report.clips)}\n`);
  await compareTimes(trials, calibrated, own[0]);

  const worst = worstError(calibration);
  if (worst > target) {
    throw new SottoError(
      "E_OPTION",
      `Cannot keep this choice: it errs by ${perCent(worst)} % on a clip that was held out, ${
        perCent(target)
      } % is the target`,
      { hint: "Calibrate by more recordings (--audio, --clips), or for a smaller --target." },
    );
  }
  const isFolder = (await Deno.stat(model)).isDirectory;
  const out = values.out ?? join(isFolder ? model : dirname(model), PRECISION_FILE);
  await Deno.writeTextFile(out, writeCalibration(calibration));
  const isFound = isFolder && out === join(model, PRECISION_FILE);
  console.log(`wrote ${out}${isFound ? "" : `: use it with --precision_file ${out}`}`);
}

async function judge(trials: Trials, calibrated: Calibrated, clips: readonly Clip[]): Promise<ClipError[]> {
  const { roundings, migrations } = calibrated;
  const errors = await trials.errors(policyOf(roundings), clips, migrations);
  const builtIn = await trials.errors(policyOf(builtInRoundings(trials.dims.n_audio_layer)), clips);
  return clips.map(({ name, kind, heldOut }, i) => ({
    name,
    kind,
    held_out: heldOut,
    error: errors[i],
    built_in: builtIn[i],
  }));
}

async function compareTimes(
  trials: Trials,
  { roundings, migrations }: Calibrated,
  clip: Clip,
): Promise<void> {
  const builtIn = policyOf(builtInRoundings(trials.dims.n_audio_layer));
  const [before, after] = await trials.timeInTurns(clip, [[builtIn, []], [policyOf(roundings), migrations]]);
  console.log(
    `a window: built-in ${(1000 * before).toFixed(1)} ms, calibrated ${(1000 * after).toFixed(1)} ms`,
  );
}

function parse(args: string[]) {
  try {
    return parseArgs({ args, options: OPTIONS }).values;
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new SottoError("E_OPTION", message, { hint: "--help lists the options.", cause });
  }
}

function isCount(value: number): boolean {
  return Number.isInteger(value) && value >= 1;
}

function numberOf(name: string, typed: string, holds: (value: number) => boolean, rule: string): number {
  const value = typed.trim() === "" ? NaN : Number(typed);
  if (holds(value)) return value;
  throw new SottoError("E_OPTION", `--${name} must be ${rule}: got "${typed}"`);
}

if (import.meta.main) {
  try {
    await main(Deno.args);
  } catch (error) {
    Deno.exit(printError(error, false));
  }
}
