import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { pathToFileURL } from "node:url";
import type { ByteReader } from "../../audio/byte_reader.ts";
import { CHUNK_SAMPLES, loadAudio, openAudio } from "../../audio/mod.ts";
import { pcmStream } from "../../audio/pcm_stream.ts";
import { openWav } from "../../audio/wav.ts";
import { refused } from "./_refused.ts";
import { dataPath } from "./_signals.ts";
import { int16Bytes, wavFile } from "./_wav_writer.ts";

const WAV = wavFile(int16Bytes([1, 2, 3]));
const EXPECTED = [1, 2, 3].map((value) => value / 32_768);

/** Runs with a folder that is removed afterwards. */
async function inFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await run(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("loadAudio() takes a path, a file URL, bytes, a buffer, and samples", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/ü #1:a.wav`;
    await Deno.writeFile(path, WAV);
    const url = pathToFileURL(path);
    for (const input of [path, url, url.href, WAV, WAV.buffer]) {
      deepStrictEqual([...await loadAudio(input)], EXPECTED);
    }
  });
  deepStrictEqual([...await loadAudio(Float32Array.from(EXPECTED))], EXPECTED);
  strictEqual((await loadAudio(new Float32Array(0))).length, 0);
});

Deno.test("loadAudio() takes a blob, a File and a stream of bytes", async () => {
  for (const input of [new Blob([WAV]), new File([WAV], "a.wav"), new Blob([WAV]).stream()]) {
    deepStrictEqual([...await loadAudio(input)], EXPECTED);
  }
  strictEqual((await openAudio(new File([WAV], "a.wav"))).name, "a.wav");
  const pieces = ReadableStream.from([WAV.subarray(0, 5), WAV.subarray(5)]);
  deepStrictEqual([...await loadAudio(pieces)], EXPECTED);
});

Deno.test("openAudio() refuses a stream that is locked, fails or holds no bytes, and lets go of one aborted", async () => {
  const locked = new Blob([WAV]).stream();
  locked.getReader();
  await refused("E_INPUT", /somebody else reads that stream/, () => openAudio(locked));
  const text = ReadableStream.from(["RIFF"]) as unknown as ReadableStream<Uint8Array>;
  await refused("E_INPUT", /chunks must be bytes: got string/, () => openAudio(text));
  const failing = new ReadableStream<Uint8Array>({ pull: () => Promise.reject(new Error("cable pulled")) });
  await refused("E_INPUT", /its source failed: Error: cable pulled/, () => openAudio(failing));
  let cancelled = false;
  const endless = new ReadableStream<Uint8Array>({ cancel: () => void (cancelled = true) });
  const stop = new AbortController();
  const opening = refused("E_ABORTED", /stopped/, () => openAudio(endless, { signal: stop.signal }));
  stop.abort();
  await opening;
  strictEqual(cancelled, true);
});

Deno.test("openAudio() tells a missing file, a folder, an empty file and text apart", async () => {
  await inFolder(async (folder) => {
    await refused("E_INPUT", /none\.wav because it does not exist/, () => openAudio(`${folder}/none.wav`));
    await refused("E_INPUT", /must be a file: got a folder/, () => openAudio(folder));
    await Deno.writeTextFile(`${folder}/empty.wav`, "");
    await refused("E_AUDIO_FORMAT", /got an empty file/, () => openAudio(`${folder}/empty.wav`));
    await Deno.writeTextFile(`${folder}/text.wav`, "Dear Sir,\x1b[31m\n");
    await refused("E_AUDIO_FORMAT", /begins with "Dear Sir"/, () => openAudio(`${folder}/text.wav`));
    await Deno.writeFile(`${folder}/song.txt`, WAV);
    strictEqual((await openAudio(`${folder}/song.txt`)).info.container, "WAV");
  });
  await refused(
    "E_INPUT",
    /scheme must be file, http or https: got ftp:/,
    () => openAudio(new URL("ftp://a/b")),
  );
  await refused(
    "E_INPUT",
    /must be a path, a URL, bytes, a blob or a stream: got number/,
    () => openAudio(7 as unknown as string),
  );
  await refused("E_OPTION", /timeoutSeconds must be above 0/, () => openAudio(WAV, { timeoutSeconds: 0 }));
});

Deno.test({
  name: "openAudio() names the flag that is missing to read a file or to reach a host",
  permissions: { read: [dataPath("speech.ogg"), "/dev/stdin"], net: ["a.example"] },
  fn: async () => {
    strictEqual((await openAudio(dataPath("speech.ogg"))).info.codec, "Vorbis");
    const file = await refused("E_PERMISSION", /reading it is not permitted/, () => openAudio("/tmp/x.wav"));
    ok(file.hint.endsWith("--allow-read=/tmp/x.wav"), file.hint);
    if (Deno.build.os === "linux") { // granted by name, yet Deno wants --allow-all for it
      await refused("E_PERMISSION", /reading it is not permitted/, () => openAudio("/dev/stdin"));
    }
    const host = await refused(
      "E_PERMISSION",
      /host is not permitted/,
      () => openAudio("https://b.example:81/x.wav"),
    );
    ok(host.hint.endsWith("--allow-net=b.example:81"), host.hint);
  },
});

Deno.test("openAudio() fetches a URL, and reports an answer that is not one", async () => {
  const handler = (request: Request) =>
    request.url.endsWith("/a.wav") ? new Response(WAV) : new Response("gone", { status: 404 });
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, handler);
  const base = `http://127.0.0.1:${server.addr.port}`;
  deepStrictEqual([...await loadAudio(`${base}/a.wav`)], EXPECTED);
  await refused(
    "E_DOWNLOAD",
    /b\.wav because the server must answer 200: got 404/,
    () => loadAudio(`${base}/b.wav`),
  );
});

Deno.test("openAudio() gives up a server that falls silent", async () => {
  let end = () => {};
  const body = () =>
    new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(WAV.slice(0, 20));
        end = () => controller.close();
      },
    });
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    () => new Response(body()),
  );
  await refused("E_DOWNLOAD", /sent nothing for 2 s after 20 bytes/, () => {
    return loadAudio(`http://127.0.0.1:${server.addr.port}/a.wav`, { timeoutSeconds: 2 });
  });
  try {
    end();
  } catch {
    // the stream was cancelled with its connection
  }
});

Deno.test("PcmStream comes in chunks of 5 s, can be left early, and starts anew when opened again", async () => {
  const samples = new Int16Array(CHUNK_SAMPLES * 2 + 7).map((_, i) => i);
  const source = await openAudio(wavFile(new Uint8Array(samples.buffer)));
  for (const most of [1, 9]) {
    await using stream = await source.open();
    const lengths: number[] = [];
    for await (const chunk of stream) {
      strictEqual(chunk[3], Math.fround(samples[lengths.length * CHUNK_SAMPLES + 3] / 32_768));
      if (lengths.push(chunk.length) === most) break;
    }
    deepStrictEqual(lengths, [CHUNK_SAMPLES, CHUNK_SAMPLES, 7].slice(0, most));
  }
});

Deno.test("PcmStream ends with E_ABORTED at the signal of the source or of open()", async () => {
  const bytes = wavFile(new Uint8Array(CHUNK_SAMPLES * 8));
  for (const where of ["source", "open"]) {
    const abort = new AbortController();
    const source = await openAudio(bytes, where === "source" ? { signal: abort.signal } : {});
    await using stream = await source.open(where === "open" ? abort.signal : undefined);
    await refused("E_ABORTED", /stopped by the caller/, async () => {
      for await (const _ of stream) abort.abort();
    });
  }
  await refused("E_ABORTED", /stopped/, () => openAudio(bytes, { signal: AbortSignal.abort() }));
});

Deno.test("openWav() reads ten hours in small pieces", async () => {
  const HOURS = 10;
  const dataLength = HOURS * 3600 * 16_000 * 2;
  const header = wavFile(new Uint8Array(0), { dataLength, riffLength: dataLength + 36 });
  let largest = 0;
  let hoursRead = 0;
  const reader: ByteReader = {
    name: "ten hours",
    position: 0,
    size: header.length + dataLength,
    peek: () => Promise.reject(new Error("not needed")),
    read(count) {
      largest = Math.max(largest, count);
      const bytes = this.position < header.length
        ? header.subarray(this.position, this.position + count)
        : new Uint8Array(Math.min(count, this.size - this.position));
      (this as { position: number }).position += bytes.length;
      return Promise.resolve(bytes);
    },
    skip(count) {
      (this as { position: number }).position += count;
      return Promise.resolve();
    },
    [Symbol.dispose]() {},
  };
  const audio = await openWav(reader, ({ message }) => ok(false, message));
  strictEqual(audio!.info.durationSeconds, HOURS * 3600);
  const signal = new AbortController().signal;
  await using stream = pcmStream(audio!, { name: "ten hours", signal, stop: () => {}, close: () => {} });
  for await (const chunk of stream) {
    strictEqual(chunk.length, CHUNK_SAMPLES);
    hoursRead += chunk.length / 16_000 / 3600;
    if (hoursRead > 0.05) break; // the rest is the same
  }
  ok(largest <= 1 << 18, `${largest} bytes at once`);
});
