import { deepStrictEqual, match, rejects, strictEqual, throws } from "node:assert/strict";
import { join } from "node:path";
import { PythonLibrary } from "../../bench/peers/python_peers.ts";
import { parseWhisperBench } from "../../bench/peers/whisper_cpp.ts";
import { checkpointAt, randomCheckpoint, withDecoder } from "../../bench/random_weights.ts";
import { readFloat32 } from "../../model/read_tensor.ts";

const DIMS = {
  n_mels: 80,
  n_audio_ctx: 4,
  n_audio_state: 64,
  n_audio_head: 1,
  n_audio_layer: 1,
  n_vocab: 11,
  n_text_ctx: 5,
  n_text_state: 64,
  n_text_head: 1,
  n_text_layer: 1,
};

Deno.test("parseWhisperBench() takes times of one run, in seconds", () => {
  const times = parseWhisperBench(`
whisper_print_timings:     load time =    48.11 ms
whisper_print_timings:   encode time =   731.00 ms /     1 runs (   731.00 ms per run)
whisper_print_timings:   decode time =   819.20 ms /   256 runs (     3.20 ms per run)
whisper_print_timings:   batchd time =   448.00 ms /   320 runs (     1.40 ms per run)
`);
  deepStrictEqual(times, { encode: 0.731, decode: 0.0032, batched: 0.0014 });
});

Deno.test("parseWhisperBench() refuses other output, and shows its end", () => {
  throws(() => parseWhisperBench("loading\nerror: failed to initialize whisper context\n"), {
    code: "E_OPTION",
    hint: "error: failed to initialize whisper context",
  });
});

/** A stand-in for a Python that runs the script. */
async function withProgram(script: string, test: (options: Options) => Promise<void>): Promise<void> {
  const work = await Deno.makeTempDir();
  try {
    const python = join(work, "python");
    await Deno.writeTextFile(python, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    await test({ python, encoder: "e", onnx: "o", input: "i", threads: 2, work });
  } finally {
    await Deno.remove(work, { recursive: true });
  }
}
type Options = Parameters<typeof PythonLibrary.start>[1];

Deno.test("PythonLibrary asks for one run at a time and reads the features it is shown", async () => {
  const script = `
echo '{"peers": [{"name": "A 1 F32", "arithmetic": "f32"}], "missing": ["A in int8: not here"]}'
read request; echo "$request" > "$(dirname "$0")/first"; echo '{"seconds": 0.25}'
read request; printf '\\000\\000\\200\\077' > "$(dirname "$0")/torch.f32"; echo '{"seconds": 0.5}'
cat > /dev/null`;
  await withProgram(script, async (options) => {
    await using library = await PythonLibrary.start("torch", options);
    deepStrictEqual(library.missing, ["A in int8: not here"]);
    const [peer] = library.peers;
    deepStrictEqual([peer.name, peer.arithmetic, await peer.time()], ["A 1 F32", "f32", 0.25]);
    strictEqual(await Deno.readTextFile(join(options.work, "first")), '{"peer":0}\n');
    deepStrictEqual(await peer.features(), Float32Array.of(1));
  });
});

Deno.test("PythonLibrary.start() says why a script ended, and that there is no such Python", async () => {
  await withProgram("echo 'first line' >&2; echo 'ImportError: no module' >&2; exit 3", async (options) => {
    await rejects(PythonLibrary.start("torch", options), {
      code: "E_DEVICE",
      message: "Cannot run torch in Python: exit status 3: ImportError: no module",
    });
    await rejects(
      PythonLibrary.start("torch", { ...options, python: join(options.work, "none") }),
      (error: Error) => {
        match(error.message, /^Cannot start .*none: /);
        return true;
      },
    );
  });
});

Deno.test("randomCheckpoint() fills a file with every tensor, the same each time, all finite and small", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const path = join(folder, "weights");
    const { weights } = await randomCheckpoint("small", DIMS, path);
    const last = weights.find(weights.names.at(-1)!)!;
    strictEqual((await Deno.stat(path)).size, last.byteOffset + last.byteLength);
    for (const name of weights.names) {
      const values = await readFloat32(weights.find(name)!);
      strictEqual(
        values.every((value) => Math.abs(value) >= 2 ** -8 && Math.abs(value) < 2 ** -4),
        true,
        name,
      );
    }
    const first = await Deno.readFile(path);
    await randomCheckpoint("small", DIMS, path);
    deepStrictEqual(await Deno.readFile(path), first);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("withDecoder() takes the encoder of one file and the decoder of another", () => {
  const { dims, weights } = withDecoder(checkpointAt("a", DIMS, "a"), checkpointAt("b", DIMS, "b"));
  deepStrictEqual(dims, { encoder: DIMS, decoder: DIMS });
  strictEqual(weights.find("encoder.conv1.weight")!.file.path, "a");
  strictEqual(weights.find("decoder.ln.weight")!.file.path, "b");
  strictEqual(weights.names.length, checkpointAt("a", DIMS, "a").weights.names.length);
});
