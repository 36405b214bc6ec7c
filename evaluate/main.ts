/**
 * Transcribes a folder of recordings on every device and precision asked for, and compares with what is said in them:
 * `deno task evaluate FOLDER`; `--help` lists the options.
 *
 * @module
 */

import { printError, printLine } from "../cli/console.ts";
import { taskArguments } from "../cli/task_arguments.ts";
import { SottoError } from "../errors.ts";
import { loadModel, type LoadModelOptions, type TranscriptionOptions, type WhisperModel } from "../mod.ts";
import { readManifest, type TrueRecording } from "./manifest.ts";
import { type Row, rowOf, type Run, table } from "./table.ts";
import { judge } from "./judge.ts";

const HELP = `Word error rates of a folder of recordings with a manifest.tsv (columns file, text, language).

Usage: deno task evaluate [options] FOLDER

  --model NAME          a name, folder or file (models/demo)
  --device LIST         with commas (auto)
  --precision LIST      of the encoder, with commas (auto)
  --beam_size N         texts followed side by side; greedy if not given
  --word_timestamps     times by words
  --vad_filter          speech alone
  --batch_size N        independent windows, so many at a time
  --condition_on_previous_text
                        show each window the text before it (not, unless given)
  --files               a line for each recording as well
  --json                the numbers as JSON
`;

const OPTIONS = {
  model: { type: "string", default: "models/demo" },
  device: { type: "string", default: "auto" },
  precision: { type: "string", default: "auto" },
  beam_size: { type: "string" },
  word_timestamps: { type: "boolean", default: false },
  vad_filter: { type: "boolean", default: false },
  batch_size: { type: "string" },
  condition_on_previous_text: { type: "boolean", default: false },
  files: { type: "boolean", default: false },
  json: { type: "boolean", default: false },
  help: { type: "boolean", default: false },
} as const;

async function main(args: string[]): Promise<void> {
  const config = { options: OPTIONS, allowPositionals: true } as const;
  const { values, positionals } = taskArguments(args, config, "--help lists the options.");
  if (values.help) return console.log(HELP);
  if (positionals.length !== 1) {
    throw new SottoError("E_OPTION", `one folder to evaluate is needed: got ${positionals.length}`, {
      hint: "--help shows how.",
    });
  }
  const recordings = await readManifest(positionals[0]);
  const options: TranscriptionOptions = {
    temperature: 0,
    beamSize: count(values.beam_size),
    wordTimestamps: values.word_timestamps,
    vadFilter: values.vad_filter,
    batchSize: count(values.batch_size),
    conditionOnPreviousText: values.batch_size === undefined ? values.condition_on_previous_text : undefined,
  };
  const rows: Row[] = [];
  const devices = values.device.split(","), precisions = values.precision.split(",");
  const isOnlyPair = devices.length * precisions.length === 1;
  for (const device of devices) {
    for (const precision of precisions) {
      const load = { device, precision } as LoadModelOptions;
      using model = await open(values.model, load, isOnlyPair);
      if (model === null) continue;
      const runs = await evaluate(model, recordings, options);
      rows.push(rowOf(`${device}, ${precision}`, runs));
      if (values.files) rows.push(...runs.map((run) => rowOf(`  ${run.name}`, [run])));
    }
  }
  console.log(values.json ? JSON.stringify(rows, null, 2) : table(rows));
}

function count(typed: string | undefined): number | null {
  if (typed === undefined) return null;
  const value = Number(typed);
  if (typed.trim() !== "" && Number.isInteger(value)) return value;
  throw new SottoError("E_OPTION", `a whole number is needed: got "${typed}"`);
}

/** The model; null, with one line said, where it is one pair of several and the device does not have the precision. */
async function open(
  source: string,
  load: LoadModelOptions,
  isOnlyPair: boolean,
): Promise<WhisperModel | null> {
  const onWarning = ({ code, message }: { code: string; message: string }) =>
    printLine(`${code}: ${message}`);
  try {
    return await loadModel(source, { ...load, onWarning });
  } catch (error) {
    if (isOnlyPair || !(error instanceof SottoError) || error.code !== "E_OPTION") throw error;
    printLine(`left out: ${load.device}, ${load.precision} (${error.message})`);
    return null;
  }
}

async function evaluate(
  model: WhisperModel,
  recordings: readonly TrueRecording[],
  options: TranscriptionOptions,
): Promise<Run[]> {
  const runs: Run[] = [];
  for (const recording of recordings) {
    const transcript = await model.transcribe(recording.path, { ...options, language: recording.language });
    const { audio, total } = transcript.run.seconds;
    runs.push({ name: recording.name, audio, seconds: total, ...judge(transcript, recording) });
  }
  return runs;
}

if (import.meta.main) {
  try {
    await main(Deno.args);
  } catch (error) {
    Deno.exit(printError(error, false));
  }
}
