import assert from "node:assert/strict";
import { join } from "node:path";
import { BuildError } from "../../native/build.ts";
import { isNewer } from "../../pack/glibc.ts";
import { type Package, platformPackageOf, PLATFORMS, sottoPackage } from "../../pack/packages.ts";
import { tarGzip } from "../../pack/tar.ts";
import { assertDone, DEMO_MODEL, denoCommand, inFolder, recording, resultOf } from "../support/command.ts";
import { ModuleServer } from "../support/module_server.ts";
import { PROJECT_ROOT } from "../support/shared_data.ts";
import { manifestOf, Registry, untar } from "./_registry.ts";

const COMMAND = recording("01_command");
const SENTENCE = "The train to Paris leaves at three twenty-four from platform twenty-four.";

/** A package, or why there is none: no compiler for that platform. */
async function attempt(make: () => Promise<Package>): Promise<Package | string> {
  try {
    return await make();
  } catch (error) {
    if (error instanceof BuildError && error.reason === "no-compiler") return error.message;
    throw error;
  }
}

const inTempDir = async (make: (folder: string) => Promise<Package>): Promise<Package> => {
  const folder = await Deno.makeTempDir();
  return await make(folder).finally(() => Deno.remove(folder, { recursive: true }));
};
const [sotto, again] = await Promise.all([inTempDir(sottoPackage), inTempDir(sottoPackage)]);
const platforms = await Promise.all(PLATFORMS.map((platform) => attempt(() => platformPackageOf(platform))));
const own = platforms[PLATFORMS.findIndex(({ arch }) => arch === Deno.build.arch)];
const ownPackage = Deno.build.os === "linux" && typeof own !== "string" ? own : null;
if (ownPackage === null) console.log("skipped: nothing is run from packages (none for this machine)");

Deno.test("tarGzip() writes what tar reads, without regard to order or time", () => {
  const files: [string, Uint8Array][] = [["b", new Uint8Array(513).fill(7)], ["a/c", new Uint8Array()]];
  const archive = tarGzip(new Map(files));
  assert.deepEqual(untar(archive), new Map(files.toSorted()));
  assert.deepEqual(tarGzip(new Map(files.toReversed())), archive);
  assert.deepEqual([...archive.subarray(4, 10)], [0, 0, 0, 0, 2, 255], "no time, no system");
  assert.throws(() => tarGzip(new Map([["x".repeat(101), new Uint8Array()]])), RangeError);
});

Deno.test("isNewer() compares versions part by part", () => {
  assert.equal(isNewer("2.34", "2.28"), true);
  assert.equal(isNewer("2.4", "2.28"), false);
  assert.equal(isNewer("2.2.5", "2.2"), true);
  assert.equal(isNewer("2.28", "2.28"), false);
});

Deno.test("The sotto package is the same twice, and holds modules, types and vocabularies without paths of here", () => {
  assert.deepEqual(again.bytes, sotto.bytes);
  const files = untar(sotto.bytes);
  for (const name of ["mod.js", "mod.d.ts", "decoder/vocabulary/multilingual.json", "LICENSE", "README.md"]) {
    assert.ok(files.has(`package/${name}`), name);
  }
  for (const [name, bytes] of files) {
    const text = new TextDecoder().decode(bytes);
    assert.ok(!text.includes("file:///") && !text.includes(PROJECT_ROOT.pathname), name);
    if (!/\.(js|d\.ts)$/.test(name)) continue;
    for (const [, specifier] of text.matchAll(/^(?! \*).* from "([^"]+)";$/gm)) {
      assert.match(specifier, /^(\.\.?\/.*\.(js|json)|node:\w+)$/, name);
    }
  }
  const { exports, optionalDependencies, version } = manifestOf(sotto);
  for (const paths of Object.values(exports as Record<string, Record<string, string>>)) {
    for (const path of Object.values(paths)) assert.ok(files.has(path.replace(/^\./, "package")), path);
  }
  assert.deepEqual(optionalDependencies, { "sotto-linux-x64": version, "sotto-linux-arm64": version });
});

for (const [i, { arch }] of PLATFORMS.entries()) {
  const built = platforms[i];
  if (typeof built === "string") console.log(`skipped: the package for ${arch} (${built})`);
  Deno.test({
    name: `The package for Linux on ${arch} holds the library alone, for the processor it names`,
    ignore: typeof built === "string",
    fn: () => {
      const files = untar((built as Package).bytes);
      assert.deepEqual(
        [...files.keys()].filter((it) => it !== "package/libsotto_xrt.so"),
        ["LICENSE", "libsotto_cpu.so", "package.json"].map((it) => `package/${it}`),
      );
      if (arch !== "x86_64") assert.ok(!files.has("package/libsotto_xrt.so"), "there is no libxrt for it");
      const { os, cpu } = manifestOf(built as Package);
      assert.deepEqual([os, cpu], [["linux"], [arch === "x86_64" ? "x64" : "arm64"]]);
      const elf = files.get("package/libsotto_cpu.so")!;
      assert.equal(elf[18] + 256 * elf[19], arch === "x86_64" ? 62 : 183, "e_machine");
      const text = new TextDecoder("latin1").decode(elf);
      assert.ok(!text.includes(PROJECT_ROOT.pathname), "no path of this machine");
    },
  });
}

Deno.test({
  name: "npm:sotto transcribes on the library of its platform package under scoped permissions",
  ignore: ownPackage === null,
  fn: async () => {
    await using registry = new Registry([sotto, ...platforms.filter((it) => typeof it !== "string")]);
    await inFolder(async (folder) => {
      const main = join(folder, "main.ts");
      await Deno.writeTextFile(
        main,
        `import { loadModel, probeDevices } from "npm:sotto@${manifestOf(sotto).version}";
         using model = await loadModel(Deno.args[0]);
         const { text, run } = await model.transcribe(Deno.args[1]);
         console.log(run.device, text.trim());`,
      );
      const cache = join(folder, "cache");
      const env = { DENO_DIR: cache, NPM_CONFIG_REGISTRY: registry.url, NO_PROXY: "127.0.0.1" };
      const permissions = [`--allow-read=${DEMO_MODEL}`, `--allow-ffi=${cache}`];
      const args = ["run", "--no-prompt", "--check=all", ...permissions, main, DEMO_MODEL, COMMAND];
      const result = await resultOf(denoCommand(args, { cwd: folder, env }).spawn());
      assertDone(result);
      assert.equal(result.stdout, `cpu ${SENTENCE}\n`);
    });
  },
});

Deno.test({
  name: "mod.ts imported by http: finds the platform package beside the script",
  ignore: ownPackage === null,
  fn: async () => {
    await using server = new ModuleServer();
    await inFolder(async (folder) => {
      const installed = join(folder, "node_modules", manifestOf(ownPackage!).name);
      await Deno.mkdir(installed, { recursive: true });
      for (const [name, bytes] of untar(ownPackage!.bytes)) {
        await Deno.writeFile(join(installed, name.replace("package/", "")), bytes);
      }
      const script = (url: string) =>
        `import { loadModel, probeDevices } from ${JSON.stringify(url)};
         const [{ looked }] = (await probeDevices()).filter(({ name }) => name === "cpu");
         console.error(looked.find(({ source }) => source === "npm package").path);
         using model = await loadModel(Deno.args[0], { device: "cpu" });
         const { text, run } = await model.transcribe(Deno.args[1]);
         console.log(run.device, text.trim());`;
      const main = join(folder, "main.ts");
      await Deno.writeTextFile(main, script(`http://${server.host}/mod.ts`));
      const read = [DEMO_MODEL, join(folder, "node_modules")].join(",");
      const permissions = [
        `--allow-import=${server.host}`,
        `--allow-read=${read}`,
        `--allow-ffi=${installed}`,
      ];
      const env = { DENO_DIR: join(folder, "cache") };
      const args = ["run", "--no-prompt", "--no-check", ...permissions, main, DEMO_MODEL, COMMAND];
      const result = await resultOf(denoCommand(args, { cwd: folder, env }).spawn());
      assertDone(result);
      assert.equal(result.stdout, `cpu ${SENTENCE}\n`);
      assert.ok(result.stderr.includes(join(installed, "libsotto_cpu.so")), result.stderr);
    });
  },
});
