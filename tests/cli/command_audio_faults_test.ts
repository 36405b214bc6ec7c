import assert from "node:assert/strict";
import { join } from "node:path";
import type { DecoderName } from "../../audio/worker_decoder.ts";
import type { ErrorCode } from "../../errors.ts";
import { testWith } from "../audio/_decoders.ts";
import { chunk, concat, float32Bytes, int16Bytes, wavFile, type WavLayout } from "../audio/_wav_writer.ts";
import {
  assertDone,
  assertRefused,
  type CommandResult,
  DEMO_MODEL,
  eachCommand,
  filesIn,
  inFolder,
  permissionsFor,
  recording,
  runCommand,
} from "../support/command.ts";
import { PROJECT_ROOT } from "../support/shared_data.ts";

/** An input of the command. */
interface Input {
  readonly name: string;
  /** Its file's name. */
  readonly file?: string;
  readonly bytes: Uint8Array | (() => Promise<Uint8Array>);
}

/** Transcribes each in a folder of its own, with outputs beside it, then judges. */
async function eachInput<Case extends Input>(
  t: Deno.TestContext,
  cases: readonly Case[],
  judge: (result: CommandResult, each: Case, out: string) => void | Promise<void>,
): Promise<void> {
  await inFolder(async (folder) => {
    const out = (each: Case) => join(folder, String(cases.indexOf(each)), "out");
    const run = async (each: Case): Promise<CommandResult> => {
      await Deno.mkdir(out(each), { recursive: true });
      const path = join(out(each), "..", each.file ?? "talk.wav");
      await Deno.writeFile(path, typeof each.bytes === "function" ? await each.bytes() : each.bytes);
      return await runCommand(["--model", DEMO_MODEL, "-o", out(each), path], {
        permissions: permissionsFor([path], [out(each)]),
      });
    };
    await eachCommand(t, cases, run, (result, each) => judge(result, each, out(each)));
  });
}

interface BadInput extends Input {
  readonly code: ErrorCode;
  readonly message: RegExp;
}

const refuses = (t: Deno.TestContext, cases: readonly BadInput[]): Promise<void> =>
  eachInput(t, cases, (result, each, out) => {
    assertRefused(result, each.code, each.message);
    assert.equal(result.stdout, "");
    assert.deepEqual(filesIn(out), []);
  });

/** What {@linkcode COMPRESSED} takes. */
const DECODERS: readonly DecoderName[] = ["flac", "mpeg", "vorbis", "opus"];

const ALL_FORMATS = ["talk.json", "talk.srt", "talk.tsv", "talk.txt", "talk.vtt"];
const SENTENCE = "The train to Paris leaves at three twenty-four from platform twenty-four.";

/** The samples of the first recording, which says {@linkcode SENTENCE}: PCM s16, mono, 16 kHz. */
async function speech(): Promise<Uint8Array> {
  return (await Deno.readFile(recording("01_command"))).subarray(44);
}

const tone = (samples: number): Uint8Array =>
  int16Bytes(Array.from({ length: samples }, (_, i) => Math.round(8000 * Math.sin(i / 5))));

Deno.test("transcribe refuses a WAV file whose header cannot be", (t) => {
  const broken = (name: string, message: RegExp, layout: WavLayout): BadInput => ({
    name,
    code: "E_AUDIO_FORMAT",
    message,
    bytes: wavFile(tone(1600), layout),
  });
  const bytes = (name: string, message: RegExp, bytes: Uint8Array): BadInput => ({
    name,
    code: "E_AUDIO_FORMAT",
    message,
    bytes,
  });
  const whole = wavFile(tone(1600));
  return refuses(t, [
    broken("no channels", /channels must be 1 to 8: got 0/, { channels: 0, blockAlign: 2 }),
    broken("65,535 channels", /channels must be 1 to 8: got 65535/, { channels: 65535, blockAlign: 2 }),
    broken("a rate of 0", /rate must be 4000 to 384000 Hz: got 0/, { sampleRate: 0 }),
    broken("a rate of 4 GHz", /rate must be .*: got 4000000000/, { sampleRate: 4e9 }),
    broken("13 bits", /bits of format 1 must be 8, 16, 24, 32: got 13/, { bits: 13, blockAlign: 2 }),
    broken("another block align", /block align .* must be 2: got 7/, { blockAlign: 7 }),
    broken("a chunk longer than the file", /must lie inside the file/, {
      before: [chunk("LIST", new Uint8Array(4), true, 0x7ffffff0)],
    }),
    bytes("the end inside its header", /ends inside its header: got 30 bytes/, whole.subarray(0, 30)),
    bytes("no data chunk", /must have a data chunk/, whole.subarray(0, 36)),
    bytes("no WAVE behind RIFF", /must be WAV, FLAC/, concat([whole.subarray(0, 8), tone(100)])),
    bytes(
      "samples before their format",
      /fmt chunk must come before/,
      concat([
        whole.subarray(0, 12),
        whole.subarray(36),
      ]),
    ),
  ]);
});

Deno.test("transcribe reads a WAV file of wrong length to its end, with a warning", async (t) => {
  const samples = await speech();
  const wrong = (name: string, layout: WavLayout) => ({ name, bytes: wavFile(samples, layout) });
  await eachInput(t, [
    wrong("a length of 0xFFFFFFFF", { dataLength: 0xffffffff, riffLength: 0xffffffff }),
    wrong("a length of 0 from a pipe", { dataLength: 0, riffLength: 0xffffffff }),
    wrong("a length beyond the file", { dataLength: samples.length + 1000 }),
  ], (result, _each, out) => {
    assertDone(result);
    assert.match(result.stderr, /^W_LENGTH: .*talk\.wav.*\n/);
    assert.equal(result.stderr.split("W_LENGTH").length, 2, "told once");
    assert.match(result.stdout, new RegExp(SENTENCE));
    assert.deepEqual(filesIn(out), ALL_FORMATS);
  });
});

Deno.test("transcribe reads RF64, odd chunks, 8 channels and 384 kHz", async (t) => {
  const samples = await speech();
  const values = new Int16Array(samples.slice().buffer);
  /** Each sample `times` over: as many channels, or the sample held at a multiple of the rate. */
  const repeated = (times: number) => int16Bytes(Array.from(values).flatMap((v) => new Array(times).fill(v)));
  await eachInput(t, [
    { name: "RF64", bytes: wavFile(samples, { form: "RF64" }) },
    {
      name: "a chunk of odd length before the samples",
      bytes: wavFile(samples, {
        before: [chunk("LIST", new Uint8Array(7))],
        after: [chunk("id3 ", tone(9))],
      }),
    },
    { name: "8 channels", bytes: wavFile(repeated(8), { channels: 8 }) },
    { name: "384 kHz", bytes: wavFile(repeated(24), { sampleRate: 384_000 }) },
  ], (result, _each, out) => {
    assertDone(result);
    assert.match(result.stdout, new RegExp(SENTENCE));
    assert.doesNotMatch(result.stderr, /W_/);
    assert.deepEqual(filesIn(out), ALL_FORMATS);
  });
});

Deno.test("transcribe makes nothing of nothing: empty outputs, status 0", async (t) => {
  await eachInput(t, [
    { name: "a WAV file without samples", bytes: wavFile(new Uint8Array(0)) },
    { name: "one sample", bytes: wavFile(tone(1)) },
    { name: "less than a frame", bytes: wavFile(tone(100)) },
  ], async (result, _each, out) => {
    assertDone(result);
    assert.equal(result.stdout, "");
    assert.deepEqual(filesIn(out), ALL_FORMATS);
    const read = (format: string) => Deno.readTextFile(join(out, `talk.${format}`));
    const { text, segments } = JSON.parse(await read("json"));
    assert.equal(text, "");
    assert.deepEqual(segments, []);
    assert.equal(await read("txt"), "");
    assert.equal(await read("srt"), "");
    assert.equal(await read("vtt"), "WEBVTT\n\n");
    assert.equal(await read("tsv"), "start\tend\ttext\n");
  });
});

Deno.test("transcribe hears no words where there is no speech", (t) =>
  eachInput(t, [
    { name: "silence", bytes: wavFile(new Uint8Array(2 * 16_000 * 3)) },
    { name: "noise", bytes: () => Deno.readFile(recording("11_no_speech")) },
  ], async (result, _each, out) => {
    assertDone(result);
    assert.equal(result.stdout, "");
    assert.deepEqual(filesIn(out), ALL_FORMATS);
    assert.equal((await Deno.readTextFile(join(out, "talk.txt"))).trim(), "");
    const { text, segments } = JSON.parse(await Deno.readTextFile(join(out, "talk.json")));
    // As in openai-whisper, a window heard as silence is a segment without text.
    assert.equal(text, "");
    for (const segment of segments) assert.equal(segment.text, "");
  }));

Deno.test("transcribe refuses samples that are no numbers", (t) => {
  const floats = (change: (samples: number[]) => void): Uint8Array => {
    const samples = new Array(16_000).fill(0.1);
    change(samples);
    return wavFile(float32Bytes(samples), { formatTag: 3, bits: 32 });
  };
  const bad = (name: string, message: RegExp, change: (samples: number[]) => void): BadInput => ({
    name,
    code: "E_AUDIO_VALUES",
    message,
    bytes: floats(change),
  });
  return refuses(t, [
    bad("NaN", /12 non-finite samples, first at 0\.50 s/, (samples) => samples.fill(NaN, 8000, 8012)),
    bad("infinity", /1 non-finite samples?, first at 0\.00 s/, (samples) => void (samples[0] = -Infinity)),
    bad("10³⁰", /1 non-finite/, (samples) => void (samples[5] = 1e30)),
  ]);
});

Deno.test("transcribe takes samples that are odd but numbers", (t) =>
  eachInput(
    t,
    [
      { name: "denormals", value: 1e-40 },
      { name: "a constant", value: 0.7 },
      { name: "ten times full scale", value: 10 },
    ].map(({ name, value }) => ({
      name,
      bytes: wavFile(float32Bytes(new Array(16_000).fill(value)), { formatTag: 3, bits: 32 }),
    })),
    (result, _each, out) => {
      assertDone(result);
      assert.deepEqual(filesIn(out), ALL_FORMATS);
    },
  ));

Deno.test("transcribe refuses what is no recording, whatever its name", (t) => {
  const text = (text: string) => new TextEncoder().encode(text);
  return refuses(t, [
    {
      name: "an empty file",
      code: "E_AUDIO_FORMAT",
      message: /talk\.wav .*got an empty file/,
      bytes: new Uint8Array(0),
    },
    {
      name: "a text file named .wav",
      code: "E_AUDIO_FORMAT",
      message: /talk\.wav .*begins with "Dear Sir/,
      bytes: text("Dear Sirs,\nplease find enclosed\n"),
    },
    {
      name: "a web page named .mp3",
      file: "talk.mp3",
      code: "E_AUDIO_FORMAT",
      message: /talk\.mp3/,
      bytes: text("<!DOCTYPE html><title>404</title>"),
    },
    {
      name: "MP4, where ffmpeg is not permitted",
      file: "talk.m4a",
      code: "E_PERMISSION",
      message: /ffmpeg.*--allow-run=ffmpeg/,
      bytes: () => Deno.readFile(new URL("tests/data/audio/speech.m4a", PROJECT_ROOT)),
    },
  ]);
});

const COMPRESSED = ["speech.flac", "speech.mp3", "speech.ogg", "speech.opus"];
const read = (file: string) => Deno.readFile(new URL(`tests/data/audio/${file}`, PROJECT_ROOT));

await testWith(
  DECODERS,
  "transcribe reads compressed audio under the same permissions",
  (t) =>
    eachInput(
      t,
      COMPRESSED.map((file) => ({ name: file, file, bytes: () => read(file) })),
      (result, _each, out) => {
        assertDone(result);
        assert.doesNotMatch(result.stderr, /^[WE]_(?!DEVICE)/m);
        assert.equal(filesIn(out).length, ALL_FORMATS.length);
      },
    ),
);

await testWith(DECODERS, "transcribe says so of compressed audio that is cut or damaged", async (t) => {
  const cases = COMPRESSED.flatMap((file) => [
    {
      name: `${file}, half of it`,
      file,
      bytes: async () => (await read(file)).subarray(0, (await read(file)).length >> 1),
    },
    {
      name: `${file}, a tenth of it overwritten`,
      file,
      bytes: async () => {
        const bytes = await read(file);
        // A sequence without a pattern, the same in every run.
        for (let i = 0, state = 1; i < bytes.length / 10; i++) {
          state = Math.imul(state, 1103515245) + 12345;
          bytes[(bytes.length >> 1) + i] = state >>> 16;
        }
        return bytes;
      },
    },
  ]);
  await eachInput(t, cases, (result, each, out) => {
    if (result.code === 66) {
      assertRefused(result, "E_AUDIO_DECODE", new RegExp(each.file));
      assert.deepEqual(filesIn(out), []);
      return;
    }
    assertDone(result);
    assert.match(result.stderr, new RegExp(`^W_(TRUNCATED|DAMAGED): .*${each.file}.*\n`));
    assert.equal(filesIn(out).length, ALL_FORMATS.length);
  });
});

Deno.test("transcribe says so if a decoder can neither be found nor fetched", async () => {
  await inFolder(async (folder) => {
    const audio = new URL("tests/data/audio/speech.flac", PROJECT_ROOT).pathname;
    const result = await runCommand(["--model", DEMO_MODEL, audio], {
      permissions: permissionsFor([audio]),
      // An empty cache, and a registry that refuses connections.
      env: { DENO_DIR: folder, NPM_CONFIG_REGISTRY: "http://127.0.0.1:9" },
    });
    assert.equal(result.code, 69, result.stderr);
    assert.match(result.stderr, /^E_DOWNLOAD: .*npm:@wasm-audio-decoders\/flac@.*deno cache npm:.*$/m);
  });
});

Deno.test("transcribe refuses an input that is missing or a folder", async (t) => {
  await inFolder(async (folder) => {
    const out = join(folder, "out");
    const cases = [
      { name: "a missing file", input: join(folder, "talk.wav"), message: /talk\.wav .*does not exist/ },
      { name: "half a URL", input: "http://", message: /"http:\/\/" because it must be a whole URL/ },
      { name: "a folder", input: folder, message: /must be a file: got a folder/ },
    ];
    const run = (each: typeof cases[number]) =>
      // No such model: the inputs are looked at before it is.
      runCommand(["--model", join(folder, "none"), "-o", out, each.input], {
        permissions: permissionsFor([folder], [out]),
      });
    await eachCommand(t, cases, run, (result, each) => {
      assertRefused(result, "E_INPUT", each.message);
      assert.deepEqual(filesIn(folder), []);
    });
  });
});

Deno.test({
  name: "transcribe ends an ffmpeg that falls silent, and says so",
  ignore: Deno.build.os === "windows",
  fn: () =>
    inFolder(async (folder) => {
      const ffmpeg = join(folder, "ffmpeg");
      await Deno.writeTextFile(ffmpeg, "#!/bin/sh\nexec sleep 60\n");
      await Deno.chmod(ffmpeg, 0o700);
      const audio = new URL("tests/data/audio/speech.m4a", PROJECT_ROOT).pathname;
      const out = join(folder, "out");
      const result = await runCommand(["--model", DEMO_MODEL, "--audio_timeout", "0.3", "-o", out, audio], {
        permissions: permissionsFor([audio], [out]),
        flags: ["--allow-run=ffmpeg"],
        env: { PATH: `${folder}:${Deno.env.get("PATH")}` },
      });
      assertRefused(result, "E_AUDIO_TIMEOUT", /speech\.m4a because ffmpeg sent nothing for 0\.3 s/);
      assert.deepEqual(filesIn(out), []);
    }),
});

Deno.test("transcribe refuses to wait for audio without end, before it works", async () => {
  const args = ["--model", DEMO_MODEL, "--audio_timeout", "0", recording("01_command")];
  const result = await runCommand(args, { permissions: permissionsFor([]) });
  assertRefused(result, "E_OPTION", /timeoutSeconds must be above 0 and at most 2000000: got 0/);
});
