import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { Encoder } from "../../encoder/mod.ts";
import { LIBRARY_PATH, testWithLibrary } from "../support/cpu_library.ts";
import { PROJECT_ROOT } from "../support/shared_data.ts";

const SCRIPT = new URL("tests/kernels/_endless_runs.ts", PROJECT_ROOT);

testWithLibrary("a worker ended during a run leaves the process and other devices as they were", async () => {
  const model = new URL("models/demo", PROJECT_ROOT);
  using encoder = await Encoder.load(model, { device: "cpu", library: LIBRARY_PATH, threads: 2 });
  const quiet = new Float32Array(80 * 3000);
  const expected = await encoder.encode(quiet);
  for (let round = 0; round < 3; round++) {
    const worker = new Worker(SCRIPT, { type: "module" });
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    worker.onmessage = () => resolve();
    worker.onerror = (event) => reject(new Error(event.message));
    await promise;
    worker.terminate();
    deepStrictEqual(await encoder.encode(quiet), expected);
  }
});

for (const [how, args, status] of [["Deno.exit()", [], 3], ["an uncaught error", ["throw"], 1]] as const) {
  testWithLibrary(`${how} during a run ends the process with its own status`, async () => {
    const command = new Deno.Command(Deno.execPath(), { args: ["run", "-A", SCRIPT.href, ...args] });
    const { code, signal, stderr } = await command.output();
    strictEqual(signal, null);
    strictEqual(code, status);
    match(new TextDecoder().decode(stderr), status === 1 ? /in the middle of a run/ : /^$/);
  });
}
