/**
 * A transcript as a table: when, where in the recording, what, and a player to hear it.
 *
 * @module
 */

import type { AudioInput } from "../audio/mod.ts";
import { languageName, type Segment } from "../decoder/mod.ts";
import type { Transcript } from "../transcribe.ts";
import { clipAudio, type Clips } from "./clip_audio.ts";
import { clockTime } from "./clock_time.ts";
import type { MediaBundle } from "./display.ts";
import { type Html, html } from "./html.ts";
import { wavBytes } from "./wav.ts";
import { type TimedWord, wordSpans } from "./word_line.ts";

const CELL = "padding:6px 12px 6px 0; text-align:left; vertical-align:middle; border-top:1px solid #8884";
const TIMES = `${CELL}; white-space:nowrap; font-variant-numeric:tabular-nums; opacity:.75`;
const TRACK = "position:relative; width:140px; height:8px; border-radius:4px; background:#8883";

/** What a notebook shows of a transcript. */
export async function drawTranscript(transcript: Transcript, audio: AudioInput): Promise<MediaBundle> {
  const shown = transcript.segments.filter(({ text }) => text !== "");
  const clips = await clipAudio(audio, shown);
  return {
    "text/html": transcriptTable(transcript, shown, clips).text,
    "text/plain": shown.map(({ start, end, text }) => `[${clockTime(start)} – ${clockTime(end)}]${text}`)
      .join("\n"),
  };
}

function transcriptTable({ language, run }: Transcript, segments: readonly Segment[], clips: Clips): Html {
  const facts = [
    ...(language === null ? [] : [languageName(language)]),
    clockTime(run.seconds.audio),
    `${run.device}, ${run.realTimeFactor.toFixed(run.realTimeFactor < 10 ? 1 : 0)} × real time`,
    ...(run.isComplete ? [] : ["stopped before the end"]),
  ];
  const rows = segments.map((segment, i) => row(segment, run.seconds.audio, clips.samples[i]));
  return html`<div style="font-family:system-ui,sans-serif; font-size:14px; line-height:1.45">
<div style="opacity:.75; margin-bottom:6px">${facts.join(" · ")}</div>
${
    segments.length === 0
      ? html`<i>Nothing is said.</i>`
      : html`<table style="border-collapse:collapse; font-size:14px; margin:0">${rows}</table>`
  }
<div style="opacity:.6; font-size:12px; margin-top:6px">${clips.missing}</div>
</div>`;
}

function row(segment: Segment, duration: number, samples: Float32Array<ArrayBuffer> | null): Html {
  const { start, end, text } = segment;
  const share = (seconds: number) => `${(100 * seconds / Math.max(duration, end)).toFixed(2)}%`;
  const words: readonly TimedWord[] = segment.words ?? [];
  const player = samples === null ? "" : html`
    <audio controls preload="metadata" style="height:32px; width:220px"
      src="data:audio/wav;base64,${wavBytes(samples).toBase64()}"></audio>
  `;
  return html`
    <tr>
      <td style="${TIMES}">${clockTime(start)} – ${clockTime(end)}</td>
      <td style="${CELL}">
        <div style="${TRACK}">
          <div
            style="position:absolute; height:8px; min-width:3px; border-radius:4px; background:#2c7fb8; left:${share(
              start,
            )}; width:${share(end - start)}"></div>
        </div>
      </td>
      <td style="${CELL}; max-width:440px">${words.length > 0 ? wordSpans(words) : text.trim()}</td>
      <td style="${CELL}">${player}</td>
    </tr>
  `;
}
