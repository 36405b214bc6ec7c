// The README's way to use sotto without a checkout, its commands and its script as they stand there: mod.ts by URL, the CPU
// library from a package that npm installed, and no permission but those named.

import assert from "node:assert/strict";
import { join } from "node:path";
import { BuildError } from "../native/build.ts";
import { type Package, platformPackageOf, PLATFORMS } from "../pack/packages.ts";
import { bareEnvironment, DEMO_MODEL, inFolder, recording } from "./support/command.ts";
import { ModuleServer } from "./support/module_server.ts";
import { PROJECT_ROOT } from "./support/shared_data.ts";

/** The commands, and the script that follows them. */
function fromReadme(): { readonly commands: string[]; readonly script: string } {
  const text = Deno.readTextFileSync(new URL("README.md", PROJECT_ROOT));
  const [, shell, script] = text.match(/```sh\n(npm install \.\/[^]*?)```\n\n```ts\n([^]*?)```/)!;
  return { commands: shell.trim().split("\n"), script };
}

async function platformPackage(): Promise<Package | string> {
  const own = PLATFORMS.find(({ arch }) => arch === Deno.build.arch);
  if (Deno.build.os !== "linux" || own === undefined) return "no package for this machine";
  try {
    await new Deno.Command("npm", { args: ["--version"], stdout: "null" }).output();
    return await platformPackageOf(own);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "no npm";
    if (error instanceof BuildError && error.reason === "no-compiler") return error.message;
    throw error;
  }
}

const made = await platformPackage();
if (typeof made === "string") console.log(`skipped: the README's import by URL (${made})`);

Deno.test({
  name:
    "The README's script runs by URL, on the library from the installed tarball, under the README's permissions",
  ignore: typeof made === "string" || Deno.build.arch !== "x86_64",
  fn: async () => {
    const { fileName, bytes } = made as Package;
    const { commands, script } = fromReadme();
    assert.ok(commands[0].includes(fileName), `${commands[0]} installs ${fileName}`);
    await using server = new ModuleServer();
    await inFolder(async (folder) => {
      await Deno.writeFile(join(folder, fileName), bytes);
      await Deno.mkdir(join(folder, "model"));
      for (const { name, isFile } of Deno.readDirSync(DEMO_MODEL)) {
        if (isFile) await Deno.copyFile(join(DEMO_MODEL, name), join(folder, "model", name));
      }
      await Deno.copyFile(recording("01_command"), join(folder, "talk.wav"));
      // The one thing the README cannot know: where this server is.
      const local = script.replace("https://HOST/", `http://${server.host}/`);
      assert.notEqual(local, script);
      await Deno.writeTextFile(
        join(folder, "talk.ts"),
        `${local}console.log((await model.transcribe("talk.wav")).run.device);\n`,
      );
      const env: Record<string, string> = { ...bareEnvironment(), DENO_DIR: join(folder, "cache") };
      const path = `${new URL(".", `file://${Deno.execPath()}`).pathname}:${env.PATH}`;
      let said = "";
      for (const command of commands) {
        const { code, stdout, stderr } = await new Deno.Command("sh", {
          args: ["-c", command.replace("HOST", server.host)],
          clearEnv: true,
          env: { ...env, PATH: path },
          cwd: folder,
          stdin: "null",
        }).output();
        said = new TextDecoder().decode(stdout);
        assert.equal(code, 0, `${command}\n${said}${new TextDecoder().decode(stderr)}`);
      }
      assert.equal(said, " The train to Paris leaves at three twenty-four from platform twenty-four.\ncpu\n");
    });
  },
});
