import { deepStrictEqual, ok } from "node:assert/strict";
import { FileSource } from "../../audio/byte_reader.ts";
import { openFfmpeg } from "../../audio/ffmpeg.ts";
import { loadAudio, openAudio } from "../../audio/mod.ts";
import type { Warning } from "../../errors.ts";
import { testWith } from "./_decoders.ts";
import { refused } from "./_refused.ts";
import { dataPath, delaySeconds, signalToNoise, speech } from "./_signals.ts";

for (const file of ["speech.m4a", "speech.webm"]) {
  await testWith(
    ["ffmpeg"],
    `loadAudio() decodes ${file} through ffmpeg, from its path and from bytes`,
    async () => {
      const reference = await speech();
      for (const input of [dataPath(file), await Deno.readFile(dataPath(file))]) {
        const samples = await loadAudio(input, { onWarning: ({ message }) => ok(false, message) });
        ok(
          Math.abs(samples.length - reference.length) <= 1024,
          `${samples.length}: at most a frame of padding`,
        );
        ok(Math.abs(delaySeconds(samples, reference)) < 1e-4);
        ok(signalToNoise(samples, reference) > 15);
      }
    },
  );
}

await testWith(["ffmpeg"], "loadAudio() lets ffmpeg decode all but WAV where told to", async () => {
  const samples = await loadAudio(dataPath("speech.flac"), { ffmpeg: true });
  ok(signalToNoise(samples, await speech()) > 80);
});

await testWith(["ffmpeg"], "loadAudio() reports what ffmpeg says of a cut file, in one line", async () => {
  const bytes = await Deno.readFile(dataPath("speech.m4a"));
  await refused("E_AUDIO_DECODE", /\(MP4\) because ffmpeg says: /, () => loadAudio(bytes.subarray(0, 3000)));
  const webm = await Deno.readFile(dataPath("speech.webm"));
  const warnings: Warning[] = [];
  const samples = await loadAudio(webm.subarray(0, 2500), { onWarning: (warning) => warnings.push(warning) });
  ok(samples.length < 12_000);
  deepStrictEqual(warnings.map(({ code }) => code), ["W_DAMAGED"]);
});

await testWith(["ffmpeg"], "openFfmpeg() does not follow a playlist to other files", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const target = dataPath("speech.m4a");
    const playlists = {
      "a.m3u8": `#EXTM3U\n#EXTINF:1,\n${target}\n#EXT-X-ENDLIST\n`,
      "a.ffconcat": `ffconcat version 1.0\nfile ${target}\n`,
    };
    for (const [name, text] of Object.entries(playlists)) {
      await Deno.writeTextFile(`${folder}/${name}`, text);
      const context = { warn: () => {}, signal: new AbortController().signal, timeoutSeconds: 20 };
      const audio = openFfmpeg(new FileSource(`${folder}/${name}`), "a playlist", "ffmpeg", context);
      await refused("E_AUDIO_DECODE", /ffmpeg says/, async () => {
        for await (const _ of audio.chunks) ok(false, "samples of another file");
      });
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test({
  name: "openAudio() says which flag lets it run ffmpeg",
  permissions: { read: true },
  fn: async () => {
    const error = await refused(
      "E_PERMISSION",
      /because MP4 needs ffmpeg, and running it is not permitted/,
      () => {
        return openAudio(dataPath("speech.m4a"));
      },
    );
    ok(error.hint.includes("--allow-run=ffmpeg"), error.hint);
    ok(error.hint.includes("WAV"), error.hint);
  },
});

Deno.test("loadAudio() says that ffmpeg is missing, or switched off", async () => {
  const missing = await refused("E_AUDIO_FORMAT", /MP4 needs ffmpeg: got no \/nowhere\/ffmpeg/, () => {
    return loadAudio(dataPath("speech.m4a"), { ffmpeg: "/nowhere/ffmpeg" });
  });
  ok(missing.hint.startsWith("Install ffmpeg"));
  await refused(
    "E_AUDIO_FORMAT",
    /got ffmpeg switched off/,
    () => loadAudio(dataPath("speech.m4a"), { ffmpeg: false }),
  );
});

/** A program in place of ffmpeg; tests of what it does wrong. */
async function withProgram(script: string, run: (program: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    const program = `${folder}/ffmpeg`;
    await Deno.writeTextFile(program, `#!/bin/sh\n${script}\n`);
    await Deno.chmod(program, 0o700);
    await run(program);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test({
  name: "loadAudio() ends an ffmpeg that falls silent, and at the caller's wish",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    await withProgram("exec sleep 60", async (ffmpeg) => {
      const input = dataPath("speech.m4a");
      await refused(
        "E_AUDIO_TIMEOUT",
        /ffmpeg sent nothing for 0\.3 s/,
        () => loadAudio(input, { ffmpeg, timeoutSeconds: 0.3 }),
      );
      const abort = new AbortController();
      const source = await openAudio(input, { ffmpeg });
      await using stream = await source.open(abort.signal);
      const reading = refused("E_ABORTED", /stopped/, async () => {
        for await (const _ of stream) ok(false, "no sample comes");
      });
      abort.abort();
      await reading;
    });
    await withProgram("printf 'no such \\033codec' >&2; exit 3", async (ffmpeg) => {
      await refused(
        "E_AUDIO_DECODE",
        /ffmpeg says: no such \?codec$/,
        () => loadAudio(dataPath("speech.m4a"), { ffmpeg }),
      );
    });
  },
});
