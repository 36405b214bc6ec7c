/**
 * One input of the command: its segments on the screen as they come, its files when it is done.
 *
 * @module
 */

import { type SubtitleOptions, type WindowRecord, writeTranscript } from "../decoder/mod.ts";
import type { Warning } from "../errors.ts";
import type { TranscriptionOptions } from "../transcribe.ts";
import type { WhisperModel } from "../whisper_model.ts";
import { printLine, printWarning } from "./console.ts";
import { type OutputTarget, writeWhole } from "./output_files.ts";
import { Pace } from "./pace.ts";
import { ProgressBar } from "./progress_bar.ts";
import { completionOf, isFinished, openJournal, type RecordingFile, tellWhereItGoesOn } from "./resume.ts";
import { reportLine } from "./report_line.ts";
import { segmentLine } from "./segment_line.ts";
import { readStandardInput } from "./standard_input.ts";
import type { StandardOutput } from "./standard_output.ts";
import { warningUnderTypedNames } from "./typed_names.ts";

/** What a file is transcribed with and where to. */
export interface FileJob {
  /** A path or URL, or `-` for standard input. */
  readonly file: string;
  readonly options: TranscriptionOptions;
  readonly targets: readonly OutputTarget[];
  /** How words are laid out in subtitles. */
  readonly subtitles: SubtitleOptions;
  /** Stops it after the window in progress. */
  readonly stop: AbortSignal;
  /** Print segments as they come. */
  readonly verbose: boolean;
  /** Keep a journal there, and go on with what it holds; null: neither. */
  readonly journal: RecordingFile | null;
}

/** How far a file came: `unread` where nobody reads standard output any more and no file is wanted. */
export type FileEnd = "finished" | "stopped" | "unread";

/**
 * Transcribes a file, and writes its outputs, unless its journal says that it was done.
 *
 * If it is stopped on the way, the outputs hold what was finished.
 *
 * @throws {SottoError} As `transcribe()` and `writeWhole()`.
 */
export async function transcribeFile(
  model: WhisperModel,
  job: FileJob,
  out: StandardOutput,
): Promise<FileEnd> {
  using journal = job.journal && await openJournal(job.journal, model, job.options);
  if (journal && await isFinished(journal, job.targets, job.subtitles)) {
    printLine(`${job.file} was finished by an earlier run`);
    return "finished";
  }
  if (journal) tellWhereItGoesOn(job.file, journal);
  const bar = new ProgressBar();
  const pace = new Pace();
  const spell = (token: number) => model.tokenizer.decodeWithTimestamps([token]);
  const options: TranscriptionOptions = {
    ...job.options,
    stop: job.stop,
    onProgress: ({ framesDone, framesTotal }) =>
      bar.update(
        framesDone,
        framesTotal,
        `${clock(framesDone)} of ${clock(framesTotal)}${pace.note(framesDone, framesTotal)}`,
      ),
    onWarning: (warning: Warning) => {
      bar.clear();
      printWarning(warningUnderTypedNames(warning));
    },
  };
  const isStandardInput = job.file === "-";
  const audio = isStandardInput ? await readStandardInput(job.stop) : job.file;
  const name = isStandardInput ? "standard input" : job.file;
  const resumption = journal && {
    resumeFrom: journal.finished,
    onWindow: (window: WindowRecord) => journal.add(window),
  };
  const segments = model.segments(audio, { ...options, ...resumption, name });
  try {
    let step = await segments.next();
    for (; !step.done; step = await segments.next()) {
      bar.clear();
      if (job.verbose && step.value.text !== "") out.line(segmentLine(step.value));
      if (out.isClosed && job.targets.length === 0) return "unread";
    }
    bar.clear();
    for (const { format, path } of job.targets) {
      await writeWhole(path, writeTranscript(step.value, format, { ...job.subtitles, spell }));
    }
    const { isComplete } = step.value.run;
    if (isComplete) await journal?.complete(await completionOf(job.targets, job.subtitles));
    printLine(reportLine(step.value));
    return isComplete ? "finished" : "stopped";
  } finally {
    await segments.return(undefined as never);
    bar.clear();
  }
}

function clock(frames: number): string {
  const seconds = Math.floor(frames / 100);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}
