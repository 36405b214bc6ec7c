import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";

const ROOT = new URL("../../", import.meta.url);

/** `deno task evaluate` on a folder with one bundled recording. */
async function evaluate(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.copyFile(new URL("models/demo/audio/01_command.wav", ROOT), `${folder}/01_command.wav`);
    const text = "The train to Paris leaves at three twenty-four from platform twenty-four.";
    await Deno.writeTextFile(`${folder}/manifest.tsv`, `file\ttext\tlanguage\n01_command.wav\t${text}\ten\n`);
    const main = fileURLToPath(new URL("evaluate/main.ts", ROOT));
    const result = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", main, ...args, folder],
      cwd: fileURLToPath(ROOT),
      env: { NO_COLOR: "1" },
    }).output();
    const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    return { code: result.code, stdout: decode(result.stdout), stderr: decode(result.stderr) };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("evaluate leaves out a precision that one device of several has not, and says so", async () => {
  const { code, stdout, stderr } = await evaluate("--device", "npu-emulated,portable", "--precision", "f32");
  assert.equal(code, 0, stderr);
  assert.match(stderr, /left out: npu-emulated, f32 \(Cannot compute in f32 on the NPU/);
  assert.match(stdout, /\| portable, f32 *\| +10 \| +0\.0 \|/);
  assert.doesNotMatch(stdout, /npu/);
});

Deno.test("evaluate ends with the error where the only device has not the precision", async () => {
  const { code, stderr } = await evaluate("--device", "npu-emulated", "--precision", "f32");
  assert.notEqual(code, 0);
  assert.match(stderr, /E_OPTION: Cannot compute in f32 on the NPU/);
});
