import assert from "node:assert/strict";
import { join } from "node:path";
import { DECODERS } from "../audio/worker_decoder.ts";
import { PLOT_PACKAGES } from "../notebook/plot.ts";
import { ONNX_RUNTIME } from "../voice/onnx_runtime.ts";
import {
  assertDone,
  type CommandResult,
  DEMO_MODEL,
  denoCommand,
  inFolder,
  recording,
  resultOf,
} from "./support/command.ts";
import { LIBRARY_PATH, testWithLibrary } from "./support/cpu_library.ts";
import { ModuleServer } from "./support/module_server.ts";
import { PROJECT_ROOT } from "./support/shared_data.ts";

/** Runs a script from a folder of its own that imports `mod.ts` by URL, into an empty cache. */
async function runImporting(
  script: (url: string) => string,
  { flags = [], args = [], env = {} }: {
    readonly flags?: readonly string[];
    readonly args?: readonly string[];
    readonly env?: Readonly<Record<string, string>>;
  } = {},
): Promise<CommandResult> {
  await using server = new ModuleServer();
  let result: CommandResult | null = null;
  await inFolder(async (folder) => {
    const main = join(folder, "main.ts");
    await Deno.writeTextFile(main, script(`http://${server.host}/mod.ts`));
    const child = denoCommand(
      ["run", "--no-prompt", `--allow-import=${server.host}`, ...flags, main, ...args],
      { cwd: folder, env: { DENO_DIR: join(folder, "cache"), ...env } },
    );
    result = await resultOf(child.spawn());
  });
  // A fresh cache is filled first, which Deno reports.
  const { stderr, ...rest } = result!;
  return { ...rest, stderr: stderr.replaceAll(/^Download .*\n/gm, "") };
}

const TRANSCRIBE = (url: string): string => `
  import { loadModel } from ${JSON.stringify(url)};
  const [path, audio, device, library] = Deno.args;
  const onWarning = ({ code, message }) => console.error(code, message);
  using model = await loadModel(path, { device, library: library || undefined, onWarning });
  const { text, run } = await model.transcribe(audio);
  console.log(run.device, text.trim());
`;

const COMMAND = recording("01_command");
const SENTENCE = "The train to Paris leaves at three twenty-four from platform twenty-four.";
const reading = [`--allow-read=${DEMO_MODEL}`];

Deno.test("mod.ts reaches only relative, node: and pinned npm: modules", async () => {
  const { code, stdout, stderr } = await resultOf(
    denoCommand(["info", "--json", new URL("mod.ts", PROJECT_ROOT).pathname]).spawn(),
  );
  assert.equal(code, 0, stderr);
  const { modules } = JSON.parse(stdout) as {
    modules: { specifier: string; error?: string; dependencies?: { specifier: string }[] }[];
  };
  const imports = modules.flatMap(({ specifier, dependencies = [] }) =>
    dependencies.map((dependency) => ({ from: specifier, to: dependency.specifier }))
  );
  assert.ok(modules.length > 50 && imports.length > modules.length, "the whole graph is seen");
  for (const { specifier, error } of modules) assert.equal(error, undefined, specifier);
  for (const { from, to } of imports) assert.match(to, ALLOWED, `${from} imports ${to}`);
  // Imported where they are asked for, by a name that the graph does not show.
  for (const { specifier } of Object.values(DECODERS)) assert.match(specifier, PINNED);
  assert.match(ONNX_RUNTIME, PINNED);
});

const PINNED = /^npm:(@[\w-]+\/)?[\w-]+@\d+\.\d+\.\d+$/;
const ALLOWED = new RegExp(`^\\.\\.?/|^node:|${PINNED.source}`);

Deno.test("mod.ts is imported by URL without any permission, and loads nothing", async () => {
  const result = await runImporting((url) => `
    import * as sotto from ${JSON.stringify(url)};
    console.log(typeof sotto.loadModel, typeof sotto.Encoder, typeof sotto.probeDevices);
  `);
  assertDone(result);
  assert.equal(result.stdout, "function function function\n");
  assert.equal(result.stderr, "");
});

Deno.test("mod.ts imported by URL transcribes on the portable device, and says what would be faster", async () => {
  const result = await runImporting(TRANSCRIBE, { flags: reading, args: [DEMO_MODEL, COMMAND, "auto"] });
  assertDone(result);
  assert.equal(result.stdout, `portable ${SENTENCE}\n`);
  assert.match(result.stderr, /^W_DEVICE .*Give the library's path.*\n$/);
});

testWithLibrary("mod.ts imported by URL runs on the CPU library whose path is given", async () => {
  const result = await runImporting(TRANSCRIBE, {
    flags: [...reading, `--allow-ffi=${LIBRARY_PATH}`],
    args: [DEMO_MODEL, COMMAND, "cpu", LIBRARY_PATH],
  });
  assertDone(result);
  assert.equal(result.stdout, `cpu ${SENTENCE}\n`);
  assert.equal(result.stderr, "");
});

Deno.test("mod.ts imported by URL finds its bundled vocabularies", async () => {
  const result = await runImporting((url) => `
    import { Tokenizer } from ${JSON.stringify(url)};
    const tokenizer = await Tokenizer.fromBundled("multilingual", { vocabularySize: 51865 });
    console.log(tokenizer.decode(tokenizer.encode(" Grüße aus Köln")));
  `);
  assertDone(result);
  assert.equal(result.stdout, " Grüße aus Köln\n");
});

Deno.test("mod.ts imported by URL fetches decoders and plots from npm when they are wanted", async (t) => {
  await inFolder(async (cache) => {
    // What is tested is the import, not the network.
    const wanted = [DECODERS.flac.specifier, ...Object.values(PLOT_PACKAGES)];
    const fetched = await resultOf(
      denoCommand(["cache", "--no-config", ...wanted], { env: { DENO_DIR: cache }, cwd: cache }).spawn(),
    );
    const isReachable = fetched.code === 0;
    await t.step({
      name: isReachable ? "FLAC, and a comparison" : "skipped: npm cannot be reached",
      ignore: !isReachable,
      fn: async () => {
        const flac = new URL("tests/data/audio/speech.flac", PROJECT_ROOT).pathname;
        const result = await runImporting((url) => `
          import { loadAudio } from ${JSON.stringify(url)};
          import { comparisonSvg } from ${JSON.stringify(url.replace("mod.ts", "notebook/mod.ts"))};
          import { compare } from ${JSON.stringify(url.replace("mod.ts", "tensor/mod.ts"))};
          const audio = await loadAudio(Deno.args[0]);
          const svg = await comparisonSvg(compare(audio, audio.map((value) => value + 0.001)));
          console.log(audio.length, svg.slice(0, 4));
        `, { flags: [`--allow-read=${flac}`], args: [flac], env: { DENO_DIR: cache } });
        assertDone(result);
        assert.equal(result.stdout, "12800 <svg\n", "0.8 s of 16 kHz");
      },
    });
  });
});
