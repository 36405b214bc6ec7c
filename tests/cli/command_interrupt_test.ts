import assert from "node:assert/strict";
import { join } from "node:path";
import {
  DEMO_MODEL,
  filesIn,
  inFolder,
  permissionsFor,
  recording,
  startCommand,
} from "../support/command.ts";
import { wavFile } from "../audio/_wav_writer.ts";

const CANNOT_SIGNAL = Deno.build.os === "windows"; // a signal ends a process there, whatever listens

/** A child that is watched line by line. */
class Watched {
  readonly #child: Deno.ChildProcess;
  readonly stdout: Lines;
  readonly stderr: Lines;

  constructor(child: Deno.ChildProcess) {
    this.#child = child;
    this.stdout = new Lines(child.stdout);
    this.stderr = new Lines(child.stderr);
  }

  signal(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  /** The exit status; a child that a signal ended has none. */
  async end(): Promise<number | Deno.Signal> {
    const { code, signal } = await this.#child.status;
    await this.stdout.rest();
    await this.stderr.rest();
    return signal ?? code;
  }
}

/** The lines of a stream as they come. */
class Lines {
  readonly #reader: ReadableStreamDefaultReader<string>;
  #pending = "";
  readonly seen: string[] = [];

  constructor(stream: ReadableStream<Uint8Array<ArrayBuffer>>) {
    this.#reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  }

  /** The next line, or null at the end. */
  async next(): Promise<string | null> {
    while (!this.#pending.includes("\n")) {
      const { value, done } = await this.#reader.read();
      if (done) return null;
      this.#pending += value;
    }
    const end = this.#pending.indexOf("\n");
    const line = this.#pending.slice(0, end);
    this.#pending = this.#pending.slice(end + 1);
    this.seen.push(line);
    return line;
  }

  /** Reads on until a line begins so. */
  async until(start: string): Promise<void> {
    for (let line = await this.next(); !line?.startsWith(start); line = await this.next()) {
      assert.notEqual(line, null, `no line begins with ${start}: ${this.seen.join("\n")}`);
    }
  }

  async rest(): Promise<void> {
    while (await this.next() !== null);
  }
}

/** Ten minutes of speech: longer than any device here takes between a line and an answer to it. */
async function longRecording(folder: string): Promise<string> {
  const path = join(folder, "long.wav");
  const samples = (await Deno.readFile(recording("09_long"))).subarray(44);
  const whole = new Uint8Array(8 * samples.length);
  for (let i = 0; i < 8; i++) whole.set(samples, i * samples.length);
  await Deno.writeFile(path, wavFile(whole));
  return path;
}

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.test({
    name: `transcribe finishes the window at the first ${signal}, writes its files whole and ends with 130`,
    ignore: CANNOT_SIGNAL,
    fn: () =>
      inFolder(async (folder) => {
        const input = await longRecording(folder);
        const out = join(folder, "out");
        const child = new Watched(startCommand(["--model", DEMO_MODEL, "-o", out, input], {
          permissions: permissionsFor([input], [out]),
        }));
        await child.stdout.until("[00:");
        child.signal(signal);
        assert.equal(await child.end(), 130);
        assert.ok(child.stderr.seen.some((line) => line.startsWith("stopping after this window")));
        assert.doesNotMatch(child.stderr.seen.join("\n"), /^E_|internal/m);

        assert.deepEqual(filesIn(out), ["json", "srt", "tsv", "txt", "vtt"].map((end) => `long.${end}`));
        const { segments } = JSON.parse(await Deno.readTextFile(join(out, "long.json")));
        assert.ok(segments.length > 0);
        assert.ok(segments.at(-1).end < 600, "it stopped before the end of the recording");
        const spoken = segments.filter(({ text }: { text: string }) => text !== "");
        assert.equal(child.stdout.seen.length, spoken.length, "the files hold what was printed");
      }),
  });
}

Deno.test({
  name: "transcribe ends at once at the second SIGINT, with 130 and no files",
  ignore: CANNOT_SIGNAL,
  fn: () =>
    inFolder(async (folder) => {
      const out = join(folder, "out");
      // The portable device takes seconds for a window: the second signal comes within the same one.
      const child = new Watched(startCommand(
        ["--model", DEMO_MODEL, "--device", "portable", "-o", out, recording("09_long")],
        { permissions: permissionsFor([], [out]) },
      ));
      await child.stdout.until("[00:");
      child.signal("SIGINT");
      await child.stderr.until("stopping after this window");
      child.signal("SIGINT");
      assert.equal(await child.end(), 130);
      assert.deepEqual(filesIn(out), []);
    }),
});

Deno.test({
  name: "transcribe leaves the files after an interrupted one alone",
  ignore: CANNOT_SIGNAL,
  fn: () =>
    inFolder(async (folder) => {
      const input = await longRecording(folder);
      const child = new Watched(startCommand(
        ["--model", DEMO_MODEL, "-o", folder, "-f", "txt", input, recording("01_command")],
        { permissions: permissionsFor([input], [folder]) },
      ));
      await child.stdout.until("[00:");
      child.signal("SIGINT");
      assert.equal(await child.end(), 130);
      assert.deepEqual(filesIn(folder), ["long.txt", "long.wav"]);
    }),
});

Deno.test({
  name: "transcribe ends at the first SIGINT while it waits for standard input",
  ignore: CANNOT_SIGNAL,
  fn: async () => {
    const child = startCommand(["--model", DEMO_MODEL, "-"], { permissions: permissionsFor([]) });
    const writer = child.stdin.getWriter();
    const watched = new Watched(child);
    // More than a pipe holds: when this has been written, the child is reading.
    await writer.write(wavFile(new Uint8Array(1 << 20)));
    watched.signal("SIGINT");
    assert.equal(await watched.end(), 130);
    await writer.abort().catch(() => {});
    assert.match(watched.stderr.seen.join("\n"), /^stopping after this window.*\nE_ABORTED: /m);
  },
});

Deno.test({
  name: "transcribe ends at the first SIGINT while a server keeps it waiting",
  ignore: CANNOT_SIGNAL,
  fn: async () => {
    const asked = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<Response>();
    await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, () => {
      asked.resolve();
      return answer.promise;
    });
    const host = `127.0.0.1:${server.addr.port}`;
    try {
      const child = new Watched(startCommand(["--model", DEMO_MODEL, `http://${host}/talk.wav`], {
        permissions: { ...permissionsFor([]), net: [host] },
      }));
      const end = child.end();
      await Promise.race([asked.promise, end]);
      child.signal("SIGINT");
      assert.equal(await end, 130);
      assert.match(child.stderr.seen.join("\n"), /^stopping after this window.*\nE_ABORTED: .*talk\.wav/m);
    } finally {
      answer.resolve(new Response(null)); // the server waits for its answers
    }
  },
});
