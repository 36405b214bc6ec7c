/**
 * Mutates files and reads them with the parsers of their containers, in a worker, so that one that never
 * ends can be ended. It answers with the number of mutations done, every hundred, and with the first fault.
 */

import { MemorySource } from "../../audio/byte_reader.ts";
import { openFlac } from "../../audio/flac.ts";
import { openMpeg } from "../../audio/mpeg.ts";
import { openOgg } from "../../audio/ogg.ts";
import { sniff } from "../../audio/sniff.ts";
import { openWav } from "../../audio/wav.ts";
import { SottoError } from "../../errors.ts";
import { randomBelow } from "./_random.ts";
import { concat } from "./_wav_writer.ts";

/** What to do: the seed files, how many mutations, and where the random numbers start. */
export interface FuzzTask {
  readonly files: readonly Uint8Array[];
  readonly mutations: number;
  readonly seed: number;
}

/** How far it is. */
export type FuzzReport =
  | { readonly kind: "progress"; readonly done: number; readonly whole: number }
  | { readonly kind: "fault"; readonly mutation: number; readonly error: string };

const INTERESTING = [0, 1, 0x7f, 0x80, 0xfe, 0xff];

function mutate(original: Uint8Array, random: (bound: number) => number): Uint8Array<ArrayBuffer> {
  let file = new Uint8Array(original);
  for (let edits = 1 + random(4); edits > 0 && file.length > 0; edits--) {
    const at = random(random(2) === 0 ? Math.min(file.length, 200) : file.length); // headers twice as often
    const kind = random(5);
    if (kind === 0) file[at] = random(256);
    else if (kind === 1) file[at] = INTERESTING[random(INTERESTING.length)];
    else if (kind === 2) file[at] ^= 1 << random(8);
    else if (kind === 3) file = concat([file.subarray(0, at), file.subarray(at + random(300))]);
    else {file = concat([
        file.subarray(0, at),
        file.subarray(random(file.length)).subarray(0, random(300)),
        file.subarray(at),
      ]);}
  }
  return file;
}

/** Reads a file as far as no decoder is needed; whether it was refused. */
async function parse(file: Uint8Array): Promise<boolean> {
  const context = { warn: () => {}, signal: new AbortController().signal, timeoutSeconds: 5 };
  let fed = 0;
  try {
    using reader = await new MemorySource(file, "a mutation").open();
    const { kind } = await sniff(reader);
    if (kind === "wav") {
      for await (const chunk of (await openWav(reader, context.warn))?.chunks ?? []) fed += chunk.length;
    } else if (kind !== "ffmpeg") {
      const audio = await { flac: openFlac, mpeg: openMpeg, ogg: openOgg }[kind](reader, context);
      for await (const piece of audio?.pieces(() => 0) ?? []) {
        if (piece instanceof Uint8Array) fed += piece.length;
        else if (typeof piece !== "string") { for (const frame of piece) fed += frame.length; }
      }
      judge(() => audio?.finish(1e6));
    }
  } catch (error) {
    if (!(error instanceof SottoError)) throw error;
    return true;
  }
  if (fed > file.length + 100) throw new Error(`${fed} bytes of ${file.length}`); // 100: FLAC's header is repeated
  return false;
}

/** What finish() makes of a number that is wrong anyway matters only as far as it is a SottoError. */
function judge(finish: () => void): void {
  try {
    finish();
  } catch (error) {
    if (!(error instanceof SottoError)) throw error;
  }
}

const scope = globalThis as unknown as {
  onmessage: (event: MessageEvent<FuzzTask>) => void;
  postMessage(report: FuzzReport): void;
};

scope.onmessage = async ({ data }: MessageEvent<FuzzTask>) => {
  const random = randomBelow(data.seed);
  let whole = 0;
  for (let mutation = 0; mutation < data.mutations; mutation++) {
    try {
      if (!await parse(mutate(data.files[mutation % data.files.length], random))) whole++;
    } catch (error) {
      const text = error instanceof Error ? error.stack! : String(error);
      return scope.postMessage({ kind: "fault", mutation, error: text });
    }
    if ((mutation + 1) % 100 === 0) {
      scope.postMessage({ kind: "progress", done: mutation + 1, whole });
    }
  }
};
