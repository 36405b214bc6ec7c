// libsotto_xrt in the package for Linux on x64: there where libxrt is, found beside libsotto_cpu, and working on libxrt.

import assert from "node:assert/strict";
import { join } from "node:path";
import { BuildError, buildXrtShim } from "../../native/build.ts";
import { isNewer, libraryNeeds } from "../../pack/glibc.ts";
import { type Package, platformPackageOf, PLATFORMS } from "../../pack/packages.ts";
import { assertDone, denoCommand, inFolder, resultOf } from "../support/command.ts";
import { ModuleServer } from "../support/module_server.ts";
import { PROJECT_ROOT } from "../support/shared_data.ts";
import { genuine } from "../xrt/genuine.ts";
import { NoPackagesError, packages } from "../xrt/packages.ts";
import { manifestOf, untar } from "./_registry.ts";

const SHIM = "package/libsotto_xrt.so";
const x64 = PLATFORMS.find(({ arch }) => arch === "x86_64")!;

/** The package, or why there is none. */
async function attempt(): Promise<{ readonly built: Package; readonly xrt: string } | string> {
  try {
    const { root: xrt } = await packages();
    return { built: await platformPackageOf(x64, { xrt }), xrt };
  } catch (error) {
    if (error instanceof NoPackagesError) return error.message;
    if (error instanceof BuildError && error.reason === "no-compiler") return error.message;
    throw error;
  }
}

const made = await attempt();
if (typeof made === "string") console.log(`skipped: libsotto_xrt in the package for x64 (${made})`);
const ignore = typeof made === "string";

Deno.test({
  name: "The package for x64 holds libsotto_xrt where libxrt is, and says so",
  ignore,
  fn: () => {
    const { built } = made as Exclude<typeof made, string>;
    assert.ok(untar(built.bytes).has(SHIM));
    const { files, description } = manifestOf(built);
    assert.deepEqual(files, ["libsotto_cpu.so", "libsotto_xrt.so"]);
    assert.match(String(description), /libsotto_xrt/);
  },
});

Deno.test("platformPackageOf() says in one line that libsotto_xrt stays out, and refuses a folder without libxrt", async () => {
  if (ignore) return;
  await assert.rejects(
    platformPackageOf(x64, { xrt: "/nowhere" }),
    /libxrt and its headers are in none of \/nowhere/,
  );
  const said: string[] = [];
  const without = await platformPackageOf(x64, { onSkip: (reason) => said.push(reason) });
  const isInstalled = untar(without.bytes).has(SHIM);
  assert.equal(said.length, isInstalled ? 0 : 1, said.join("\n"));
  assert.ok(said.every((line) => /^libsotto_xrt was not built: [^\n]+$/.test(line)));
});

Deno.test({
  name: "libsotto_xrt is the same twice, without a path of here, and needs libxrt and libstdc++ alone",
  ignore,
  fn: async () => {
    const { built, xrt } = made as Exclude<typeof made, string>;
    const again = await buildXrtShim({ release: true, xrt, force: true, label: "release-again" });
    const bytes = untar(built.bytes).get(SHIM)!;
    assert.deepEqual(await Deno.readFile(again.path), bytes);
    const text = new TextDecoder("latin1").decode(bytes);
    assert.ok(!text.includes(PROJECT_ROOT.pathname) && !text.includes(xrt), "no path of this machine");
    const { foreign, versions } = await libraryNeeds(again.path);
    assert.deepEqual(foreign, ["libxrt_coreutil.so.2", "libstdc++.so.6", "libgcc_s.so.1"]);
    assert.ok(!isNewer(versions.get("GLIBCXX")!, "3.4.30"), "no newer libstdc++ than Ubuntu 22.04 has");
  },
});

const SCRIPT = (url: string) => `
  import { probeDevices } from ${JSON.stringify(url)};
  const found = (await probeDevices()).find(({ name }) => name === "npu");
  const { path } = found.looked.find(({ source }) => source === "npm package");
  console.log(JSON.stringify({ path, usable: found.usable, code: found.code, detail: found.detail }));`;

Deno.test({
  name:
    "libsotto_xrt is found beside libsotto_cpu in the installed package, and says whether there is libxrt",
  ignore,
  fn: async () => {
    const { built } = made as Exclude<typeof made, string>;
    await using modules = new ModuleServer();
    await inFolder(async (folder) => {
      const installed = join(folder, "node_modules", manifestOf(built).name);
      await Deno.mkdir(installed, { recursive: true });
      for (const [name, bytes] of untar(built.bytes)) {
        await Deno.writeFile(join(installed, name.replace("package/", "")), bytes);
      }
      const main = join(folder, "main.ts");
      await Deno.writeTextFile(main, SCRIPT(`http://${modules.host}/mod.ts`));
      const args = [
        ...["run", "--no-prompt", "--no-check", `--allow-import=${modules.host}`],
        ...[`--allow-read=${folder}/node_modules`, `--allow-ffi=${installed}`, main],
      ];
      const here = await resultOf(denoCommand(args, { env: { DENO_DIR: join(folder, "cache") } }).spawn());
      assertDone(here);
      const { deno } = await genuine();
      const there = await deno(args).output();
      assert.equal(there.code, 0, new TextDecoder().decode(there.stderr));
      const [found, onLibxrt] = [here.stdout, new TextDecoder().decode(there.stdout)].map((it) =>
        JSON.parse(it)
      );
      for (const { path } of [found, onLibxrt]) assert.equal(path, join(installed, "libsotto_xrt.so"));
      assert.deepEqual([onLibxrt.usable, onLibxrt.code], [true, null], onLibxrt.detail);
      assert.match(onLibxrt.detail, /^NPU \S+ beside /);
      // Without libxrt the loader's own words, with it those of a machine that has no NPU.
      assert.equal(found.code, "E_NPU_ABSENT", found.detail);
      assert.match(found.detail, /libxrt_coreutil|no \/dev\/accel|no NPU/i);
    });
  },
});
