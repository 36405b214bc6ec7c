/**
 * The command: arguments in; text, files and an exit status out.
 *
 * @module
 */

import { openAudio } from "../audio/mod.ts";
import { SottoError } from "../errors.ts";
import { SileroDetector } from "../voice/mod.ts";
import { loadModel, type WhisperModel } from "../whisper_model.ts";
import { parseArguments, type ParsedArguments } from "./arguments.ts";
import { type CommandOptions, commandOptions } from "./command_options.ts";
import { printError, printWarning } from "./console.ts";
import { DownloadBar } from "./download_progress.ts";
import { helpText } from "./help.ts";
import { checkLive, transcribeLive } from "./live.ts";
import { requireNamedPermissions } from "./missing_permissions.ts";
import { INTERRUPTED, Interrupts } from "./interrupts.ts";
import { checkOutputs, journalPath, outputTargets } from "./output_files.ts";
import type { RecordingFile } from "./resume.ts";
import { StandardOutput } from "./standard_output.ts";
import { transcribeFile } from "./transcribe_file.ts";
import { underTypedNames } from "./typed_names.ts";

/** Exit status if whoever read standard output left: 128 + SIGPIPE, as of any program in a pipe. */
const PIPE_CLOSED = 141;

/**
 * Runs the command.
 *
 * A file that fails is reported and the others go on; the status is then that of the first failure.
 *
 * @param args As typed behind the script's name.
 * @returns The exit status: 0, or that of the error (`errors.ts`), or 130 after Ctrl-C.
 */
export async function run(args: readonly string[]): Promise<number> {
  const debug = args.includes("--debug");
  using interrupts = new Interrupts();
  try {
    const parsed = parseArguments(args);
    if (parsed.values.get("help")) {
      new StandardOutput().line(helpText());
      return 0;
    }
    if (parsed.values.get("stdin_pcm")) return await listen(parsed, interrupts.signal);
    return await transcribeAll(commandOptions(parsed), interrupts.signal, debug);
  } catch (error) {
    return printError(underTypedNames(error), debug);
  }
}

async function transcribeAll(options: CommandOptions, stop: AbortSignal, debug: boolean): Promise<number> {
  for (const message of options.warnings) printWarning({ code: "W_OPTION", message });
  await requireNamedPermissions(options);
  const jobs = options.files.map((file) => ({
    file,
    targets: options.output ? outputTargets(file, options.output.folder, options.output.formats) : [],
    options: options.transcription,
    subtitles: options.subtitles,
    stop,
    verbose: options.verbose,
    journal: options.resume
      ? { file, modelName: options.model, path: journalPath(file, options.output!.folder) }
      : null,
  }));
  if (options.output) {
    await checkOutputs(
      options.output.folder,
      options.files,
      jobs.flatMap(({ targets }) => targets),
    );
  }
  let status = 0;
  const failed = (error: unknown): void => {
    const own = printError(underTypedNames(error), debug);
    status ||= own;
  };
  const ready: typeof jobs = [];
  for (const job of jobs) await checkInput(job.file).then(() => void ready.push(job), failed);
  if (ready.length === 0) return status;
  await checkVadModel(options.transcription);

  using model = await load(options, stop);
  const out = new StandardOutput();
  for (const job of ready) {
    if (stop.aborted) break;
    try {
      if (await transcribeFile(model, job, out) === "unread") return PIPE_CLOSED;
    } catch (error) {
      failed(error);
    }
  }
  if (stop.aborted) return INTERRUPTED;
  // Journals of what is finished wait for the rest: the same command skips it then.
  if (status === 0) { for (const { journal } of jobs) await removeJournal(journal); }
  return status;
}

async function removeJournal(journal: RecordingFile | null): Promise<void> {
  if (journal !== null) await Deno.remove(journal.path).catch(() => {});
}

/** Standard input as it is spoken. */
async function listen(parsed: ParsedArguments, stop: AbortSignal): Promise<number> {
  checkLive(parsed);
  const options = commandOptions({ ...parsed, files: ["-"] });
  for (const message of options.warnings) printWarning({ code: "W_OPTION", message });
  await requireNamedPermissions(options);
  const { output, transcription, subtitles, verbose } = options;
  const targets = output ? outputTargets("-", output.folder, output.formats) : [];
  if (output) await checkOutputs(output.folder, [], targets);
  using model = await load(options, stop);
  const out = new StandardOutput();
  const job = { options: transcription, targets, subtitles, stop, verbose };
  if (await transcribeLive(model, job, out) === null) return PIPE_CLOSED;
  return stop.aborted ? INTERRUPTED : 0;
}

async function load(options: CommandOptions, signal: AbortSignal): Promise<WhisperModel> {
  using bar = new DownloadBar();
  return await loadModel(options.model, {
    ...options.load,
    signal,
    onWarning: printWarning,
    onProgress: (progress) => bar.update(progress),
  });
}

/** Finds out, before a model is loaded, that voice activity cannot be told. */
async function checkVadModel({ vadModel = null }: CommandOptions["transcription"]): Promise<void> {
  if (vadModel !== null) await (await SileroDetector.open(vadModel))[Symbol.asyncDispose]();
}

/** Finds out, before a model is loaded, that a file is missing or a folder, or that a permission is. */
async function checkInput(file: string): Promise<void> {
  if (file === "-") return;
  if (/^https?:/i.test(file) && URL.canParse(file)) return; // fetched once, in its turn
  const info = await Deno.stat(file).catch(() => null);
  if (info === null || info.isDirectory) {
    await openAudio(file);
  } else if (info.isFile) { // a pipe can be read only once
    await openAudio(file).catch((error) => {
      // A file that cannot be decoded is reported in its turn.
      if (error instanceof SottoError && error.code === "E_PERMISSION") throw error;
    });
  }
}
