import { ok } from "node:assert/strict";
import { loadAudio } from "../../audio/mod.ts";
import { SottoError } from "../../errors.ts";
import type { FuzzReport, FuzzTask } from "./_fuzz_worker.ts";
import { testWith } from "./_decoders.ts";
import { randomBelow } from "./_random.ts";
import { dataPath } from "./_signals.ts";
import { chunk, int16Bytes, wavFile } from "./_wav_writer.ts";

/** A hundred mutations take a tenth of a second. Silence as long as this is a loop that does not advance. */
const WATCHDOG_SECONDS = 60;

/** Runs the task and returns how many mutations were still whole files. */
function fuzz(task: FuzzTask): Promise<number> {
  const worker = new Worker(new URL("./_fuzz_worker.ts", import.meta.url), { type: "module" });
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  let done = 0;
  const bark = () => reject(new Error(`no answer for ${WATCHDOG_SECONDS} s after mutation ${done}`));
  let watchdog = setTimeout(bark, WATCHDOG_SECONDS * 1000);
  worker.onerror = (event) => {
    event.preventDefault();
    reject(new Error(event.message));
  };
  worker.onmessage = ({ data }: MessageEvent<FuzzReport>) => {
    if (data.kind === "fault") return reject(new Error(`mutation ${data.mutation}: ${data.error}`));
    done = data.done;
    clearTimeout(watchdog);
    watchdog = setTimeout(bark, WATCHDOG_SECONDS * 1000);
    if (done === task.mutations) resolve(data.whole);
  };
  worker.postMessage(task);
  return promise.finally(() => {
    clearTimeout(watchdog);
    worker.terminate();
  });
}

const SAMPLES = int16Bytes([1, 2, 3, 4]);
const SEEDS: Record<string, () => Promise<Uint8Array[]>> = {
  WAV: () =>
    Promise.resolve([
      wavFile(SAMPLES),
      wavFile(SAMPLES, { form: "RF64", validBits: 16, before: [chunk("LIST", new Uint8Array(9))] }),
      wavFile(SAMPLES, { form: "RIFX", channels: 2 }),
      wavFile(SAMPLES, { formatTag: 3, bits: 32, after: [chunk("id3 ", new Uint8Array(3))] }),
    ]),
  FLAC: () => readAll("speech.flac"),
  MP3: () => readAll("speech.mp3", "sweep_untagged.mp3", "sweep.mp2"),
  Ogg: () => readAll("speech.ogg", "speech.opus", "speech.oga"),
};

function readAll(...files: string[]): Promise<Uint8Array[]> {
  return Promise.all(files.map((file) => Deno.readFile(dataPath(file))));
}

for (const [container, seeds] of Object.entries(SEEDS)) {
  const mutations = container === "WAV" ? 4000 : 1500;
  Deno.test(`the ${container} parser reads or refuses ${mutations} mutations, and always ends`, async () => {
    const whole = await fuzz({ files: await seeds(), mutations, seed: 20_260_101 });
    // No MP3 is refused: whatever is broken is skipped, and the next frame found.
    if (container !== "MP3") ok(whole < mutations, "some are refused");
    ok(whole > 0, "some are read");
  });
}

await testWith(
  ["flac", "mpeg", "vorbis", "opus"],
  "loadAudio() decodes or refuses mutations of compressed files",
  async () => {
    const random = randomBelow(7);
    for (const file of await readAll("speech.flac", "speech.mp3", "speech.ogg", "speech.opus")) {
      for (let i = 0; i < 8; i++) {
        const bytes = file.slice();
        for (let edits = 0; edits < 3; edits++) bytes[random(bytes.length)] ^= 1 + random(255);
        try {
          const samples = await loadAudio(bytes, { ffmpeg: false, timeoutSeconds: 20 });
          ok(samples.every(Number.isFinite));
        } catch (error) {
          if (!(error instanceof SottoError)) throw new Error(`mutation ${i}`, { cause: error });
        }
      }
    }
  },
);
