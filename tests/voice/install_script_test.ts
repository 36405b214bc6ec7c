// ONNX Runtime's package has an install script, which Deno does not run and warns of, unless deno.json refuses it.

import assert from "node:assert/strict";
import { join } from "node:path";
import { tarGzip } from "../../pack/tar.ts";
import { ONNX_RUNTIME, ONNX_RUNTIME_VERSION } from "../../voice/onnx_runtime.ts";
import { assertDone, denoCommand, inFolder, resultOf } from "../support/command.ts";
import { PROJECT_ROOT } from "../support/shared_data.ts";
import { Registry } from "../pack/_registry.ts";

const NAME = "onnxruntime-node";

/** A package of that name and version that holds next to nothing. */
function standIn() {
  const manifest = {
    name: NAME,
    version: ONNX_RUNTIME_VERSION,
    main: "index.js",
    hasInstallScript: true,
    scripts: { postinstall: "node install.js" },
  };
  const text = (content: string) => new TextEncoder().encode(content);
  const files = new Map([
    ["package/package.json", text(JSON.stringify(manifest))],
    ["package/index.js", text("exports.InferenceSession = {};")],
    ["package/install.js", text("throw new Error('was run');")],
  ]);
  return { fileName: `${NAME}-${ONNX_RUNTIME_VERSION}.tgz`, bytes: tarGzip(files) };
}

Deno.test("The first use of ONNX Runtime shows no warning of Deno's about its install script", async () => {
  await using registry = new Registry([standIn()]);
  const config = new URL("deno.json", PROJECT_ROOT).pathname;
  const firstUse = (flags: readonly string[]) =>
    inFolder(async (folder) => {
      const main = join(folder, "main.ts");
      await Deno.writeTextFile(main, `await import("${ONNX_RUNTIME}");`);
      const env = { DENO_DIR: folder, NPM_CONFIG_REGISTRY: registry.url, NO_PROXY: "127.0.0.1" };
      const result = await resultOf(denoCommand(["run", "--no-check", ...flags, main], { env }).spawn());
      assertDone(result);
      said.push(result.stderr);
    });
  const said: string[] = [];
  await firstUse(["--no-config"]);
  await firstUse(["--config", config]);
  assert.match(said[0], /Ignored build scripts/, "Deno warns of it");
  assert.doesNotMatch(said[1], /build scripts|was run/);
});
