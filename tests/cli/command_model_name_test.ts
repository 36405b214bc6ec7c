import assert from "node:assert/strict";
import { join } from "node:path";
import { assertRefused, DEMO_MODEL, filesIn, inFolder, recording, runCommand } from "../support/command.ts";
import { modelWith } from "./_broken_model.ts";

const COMMAND = recording("01_command");
const read = [DEMO_MODEL];

Deno.test("transcribe takes a model's name from the model folder", async () => {
  await inFolder(async (folder) => {
    await modelWith(join(folder, "whisper-tiny"), {});
    const result = await runCommand(["--model", "tiny", "--model_dir", folder, "--offline", COMMAND], {
      permissions: { read: [...read, folder] },
    });
    assert.equal(result.code, 0, result.stderr);
    assert.match(result.stdout, /train to Paris/);
  });
});

Deno.test("transcribe says where it looked for a model, or why nowhere", async () => {
  await inFolder(async (folder) => {
    const given = await runCommand(["--model", "tiny", "--model_dir", folder, "--offline", COMMAND], {
      permissions: { read: [...read, folder] },
    });
    assertRefused(given, "E_MODEL_NOT_FOUND", /looked at .*tiny\.pt/);
    assert.ok(given.stderr.includes(folder));
  });
  const nowhere = await runCommand(["--model", "tiny", "--offline", COMMAND], { permissions: { read } });
  assertRefused(nowhere, "E_PERMISSION", /--allow-env=HOME,.*--model_dir/);
  const unset = await runCommand(["--model", "tiny", "--offline", COMMAND], {
    permissions: { read, env: ["HOME", "XDG_CACHE_HOME", "SOTTO_CACHE", "HF_HOME", "HF_HUB_CACHE"] },
    env: { HOME: "", XDG_CACHE_HOME: "", DENO_DIR: await denoDir() },
  });
  assertRefused(unset, "E_MODEL_NOT_FOUND", /looked at no place: give .*--model_dir/);
});

Deno.test("transcribe names the flags that a download takes, and leaves nothing of one that was refused", async () => {
  await inFolder(async (folder) => {
    const home = { env: { HOME: folder, XDG_CACHE_HOME: "", DENO_DIR: await denoDir() } };
    const args = ["--model", "tiny", COMMAND];
    const noFolder = await runCommand(args, { permissions: { read }, ...home });
    assertRefused(noFolder, "E_PERMISSION", /--allow-env=.*--model_dir/);

    const env = ["SOTTO_CACHE", "XDG_CACHE_HOME", "HOME"];
    const cache = join(folder, ".cache", "sotto");
    const noWrite = await runCommand(args, { permissions: { read, env }, ...home });
    assertRefused(noWrite, "E_PERMISSION", new RegExp(`--allow-write=${cache}`));

    const permissions = { read: [...read, cache], write: [cache], env };
    const noNetwork = await runCommand(args, { permissions, ...home });
    assertRefused(noNetwork, "E_PERMISSION", /--allow-net=[\w.]+\n$/);
    assert.deepEqual(filesIn(folder), []);
  });
});

Deno.test("transcribe of a recording behind a server that is not there says what the system says", async () => {
  const host = unusedAddress();
  const result = await runCommand(
    ["--model", DEMO_MODEL, "--device", "portable", `http://${host}/talk.wav`],
    {
      permissions: { read, net: [host] },
    },
  );
  assertRefused(result, "E_DOWNLOAD", /talk\.wav because .*[Cc]onnection refused/);
});

/** Where Deno keeps modules, wherever HOME is. */
async function denoDir(): Promise<string> {
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["info", "--json"] }).output();
  return JSON.parse(new TextDecoder().decode(stdout)).denoDir;
}

/** A host and port on which nobody listens. */
function unusedAddress(): string {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return `127.0.0.1:${listener.addr.port}`;
}
