import { match, strictEqual } from "node:assert/strict";
import { join } from "node:path";
import { LIBRARY_PATH, testWithLibrary } from "../support/cpu_library.ts";
import { PROJECT_ROOT } from "../support/shared_data.ts";

const MODEL = new URL("models/demo", PROJECT_ROOT).pathname;
const FEATURES = 1500 * 128;

/** What a child process prints that encodes with these permissions. */
async function encodeInChild(
  script: string,
  permissions: readonly string[],
  ...args: string[]
): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--no-config", ...permissions, script, ...args],
  }).output();
  strictEqual(code, 0, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout).trimEnd();
}

const SCRIPT = new URL("tests/encoder/_encode.ts", PROJECT_ROOT).pathname;

testWithLibrary("Encoder needs the model's folder and the library's path, nothing else", async () => {
  const granted = [`--allow-read=${MODEL}`, `--allow-ffi=${LIBRARY_PATH}`];
  strictEqual(await encodeInChild(SCRIPT, granted, MODEL, "cpu"), `cpu ${FEATURES} true`);
  strictEqual(await encodeInChild(SCRIPT, granted, MODEL, "auto"), `cpu ${FEATURES} true`);
});

testWithLibrary(
  "Encoder without the library's permission says which flag is missing, and auto goes on without",
  async () => {
    const granted = [`--allow-read=${MODEL}`];
    const flag = `--allow-ffi=${LIBRARY_PATH}`;
    const refused = await encodeInChild(SCRIPT, granted, MODEL, "cpu");
    match(refused, /^E_PERMISSION /);
    strictEqual(refused.includes(flag), true, refused);
    const [warning, result] = (await encodeInChild(SCRIPT, granted, MODEL, "auto")).split("\n");
    match(warning, /^W_DEVICE /);
    strictEqual(warning.includes(flag), true, warning);
    strictEqual(result, `portable ${FEATURES} true`);
  },
);

/** Serves the checkout's TypeScript. */
function serveTree(): Deno.HttpServer<Deno.NetAddr> {
  return Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    const path = join(PROJECT_ROOT.pathname, new URL(request.url).pathname);
    if (!path.endsWith(".ts")) return new Response("not here", { status: 404 });
    return new Response(await Deno.readFile(path), { headers: { "content-type": "application/typescript" } });
  });
}

testWithLibrary(
  "Encoder imported over HTTP runs on the portable device, and on the library whose path it is given",
  async () => {
    await using server = serveTree();
    const origin = `127.0.0.1:${server.addr.port}`;
    const script = `http://${origin}/tests/encoder/_encode.ts`;
    const granted = ["--no-lock", `--allow-import=${origin}`, `--allow-read=${MODEL}`];
    const [warning, portable] = (await encodeInChild(script, granted, MODEL, "auto")).split("\n");
    match(warning, /^W_DEVICE .*this module was not loaded from a file.*library's path/);
    strictEqual(portable, `portable ${FEATURES} true`);
    const withLibrary = [...granted, `--allow-ffi=${LIBRARY_PATH}`];
    strictEqual(
      await encodeInChild(script, withLibrary, MODEL, "auto", LIBRARY_PATH),
      `cpu ${FEATURES} true`,
    );
  },
);
