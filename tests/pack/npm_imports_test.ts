// What sotto fetches from npm when it is wanted, wanted from within the npm package: plots in a notebook, audio decoders.

import assert from "node:assert/strict";
import { join } from "node:path";
import { DECODERS } from "../../audio/worker_decoder.ts";
import { PLOT_PACKAGES } from "../../notebook/plot.ts";
import { BuildError } from "../../native/build.ts";
import { platformPackageOf, PLATFORMS, sottoPackage } from "../../pack/packages.ts";
import { assertDone, denoCommand, inFolder, recording, resultOf } from "../support/command.ts";
import { PROJECT_ROOT } from "../support/shared_data.ts";
import { manifestOf, Registry } from "./_registry.ts";

const FLAC = new URL("tests/data/audio/speech.flac", PROJECT_ROOT).pathname;
const WANTED = [...Object.values(PLOT_PACKAGES), DECODERS.flac.specifier];

const SCRIPT = (version: string) => `
  import { loadAudio, logMel, openDevice } from "npm:sotto@${version}";
  import { comparisonSvg, drawingOf } from "npm:sotto@${version}/notebook";
  import { compare } from "npm:sotto@${version}/tensor";
  const [wav, flac] = Deno.args;
  using device = await openDevice("portable");
  const mel = await logMel(await loadAudio(wav), { bands: 80, device });
  const comparison = compare(mel.data, mel.data.map((value, i) => value + (i % 7) / 1000));
  console.log(JSON.stringify({
    mel: Object.keys(await drawingOf(mel)),
    comparison: Object.keys(await drawingOf(comparison)),
    svg: (await comparisonSvg(comparison)).slice(0, 40),
    flac: (await loadAudio(flac)).length,
  }));`;

Deno.test("npm:sotto draws in a notebook, plots too, and decodes FLAC", async (t) => {
  const work = await Deno.makeTempDir();
  const sotto = await sottoPackage(work).finally(() => Deno.remove(work, { recursive: true }));
  const platforms = await Promise.all(
    PLATFORMS.map((platform) =>
      platformPackageOf(platform).catch((error) => {
        if (error instanceof BuildError && error.reason === "no-compiler") return null;
        throw error;
      })
    ),
  );
  await using registry = new Registry([sotto, ...platforms.filter((it) => it !== null)]);
  await inFolder(async (folder) => {
    // The others come from where Deno takes packages here, and are then put beside those of the registry of this test.
    const env = { DENO_DIR: join(folder, "cache") };
    const packages = join(env.DENO_DIR, "npm");
    const fetched = await resultOf(
      denoCommand(["cache", "--no-config", ...WANTED], { cwd: folder, env }).spawn(),
    );
    const reason = platforms.includes(null)
      ? "a platform's package cannot be made"
      : fetched.code !== 0
      ? "npm cannot be reached"
      : "";
    await t.step({
      name: reason === "" ? "from the tarball" : `skipped: ${reason}`,
      ignore: reason !== "",
      fn: async () => {
        const [{ name }] = Deno.readDirSync(packages);
        await Deno.rename(join(packages, name), join(packages, new URL(registry.url).port));
        const main = join(folder, "main.ts");
        await Deno.writeTextFile(main, SCRIPT(manifestOf(sotto).version));
        const permissions = [`--allow-read=${recording("01_command")},${FLAC}`];
        const args = [
          "run",
          "--no-prompt",
          "--no-check",
          ...permissions,
          main,
          recording("01_command"),
          FLAC,
        ];
        const local = { ...env, NPM_CONFIG_REGISTRY: registry.url, NO_PROXY: "127.0.0.1" };
        const result = await resultOf(denoCommand(args, { cwd: folder, env: local }).spawn());
        assertDone(result);
        const { mel, comparison, svg, flac } = JSON.parse(result.stdout);
        assert.deepEqual(mel, ["image/png", "text/plain"]);
        assert.deepEqual(comparison, ["text/html", "image/svg+xml", "text/plain"]);
        assert.match(svg, /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
        assert.equal(flac, 12800);
      },
    });
  });
});
