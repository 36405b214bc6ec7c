import assert from "node:assert/strict";
import { join } from "node:path";
import { findModel } from "../../model/find.ts";
import { OFFICIAL_MODELS } from "../../model/official_models.ts";
import { openCheckpoint } from "../../model/open.ts";
import type { Warning } from "../../errors.ts";
import { COMMIT, type ServedFile, withServer } from "./faulty_server.ts";
import { DEMO, inFolder, put, refused, TORCH_TINY } from "./support.ts";

const base = OFFICIAL_MODELS.get("base")!;
const NOWHERE = { openai: "http://127.0.0.1:1", hub: "http://127.0.0.1:1" };

/** Runs `body` with SOTTO_CACHE, XDG_CACHE_HOME and HF_HOME below a fresh folder. */
async function withCaches(body: (folder: string) => Promise<void>): Promise<void> {
  await inFolder(async (folder) => {
    const variables = ["SOTTO_CACHE", "XDG_CACHE_HOME", "HF_HOME", "HF_HUB_CACHE"];
    const before = variables.map((name) => Deno.env.get(name));
    Deno.env.set("SOTTO_CACHE", join(folder, "sotto"));
    Deno.env.set("XDG_CACHE_HOME", join(folder, "xdg"));
    Deno.env.set("HF_HOME", join(folder, "hf"));
    Deno.env.delete("HF_HUB_CACHE");
    try {
      await body(folder);
    } finally {
      variables.forEach((name, i) =>
        before[i] === undefined ? Deno.env.delete(name) : Deno.env.set(name, before[i]!)
      );
    }
  });
}

/** Puts a snapshot of the demo model into a cache of the hub, as links into blobs, as Hugging Face's libraries do. */
async function putSnapshot(cache: string, id: string): Promise<string> {
  const model = join(cache, `models--${id.replace("/", "--")}`);
  const snapshot = join(model, "snapshots", COMMIT);
  for (const folder of [snapshot, join(model, "refs"), join(model, "blobs")]) {
    await Deno.mkdir(folder, { recursive: true });
  }
  for (const name of ["config.json", "generation_config.json", "tokenizer.json", "model.safetensors"]) {
    await Deno.copyFile(join(DEMO, name), join(model, "blobs", name));
    await Deno.symlink(join("..", "..", "blobs", name), join(snapshot, name));
  }
  await Deno.writeTextFile(join(model, "refs", "main"), COMMIT);
  return snapshot;
}

Deno.test("findModel() answers a path that exists as it is", async () => {
  assert.equal(await findModel(DEMO), DEMO);
  assert.equal(await findModel(new URL(`file://${TORCH_TINY}`)), TORCH_TINY);
});

Deno.test("findModel() prefers the model folder, in each of the forms a model may have there", async () => {
  await withCaches(async (folder) => {
    for (const file of ["base.pt", "ggml-base.bin"]) {
      const path = await put(folder, file, "x");
      assert.equal(await findModel("base", { modelDir: folder, offline: true }), path);
      await Deno.remove(path);
    }
    await Deno.symlink(DEMO, join(folder, "whisper-base"));
    assert.equal(await findModel("base", { modelDir: folder, offline: true }), join(folder, "whisper-base"));
  });
});

Deno.test("findModel() finds a model in Hugging Face's cache, by its official name and by its id", async () => {
  await withCaches(async (folder) => {
    const snapshot = await putSnapshot(join(folder, "hf", "hub"), "openai/whisper-base");
    assert.equal(await findModel("base", { offline: true }), snapshot);
    assert.equal(await findModel("openai/whisper-base", { offline: true }), snapshot);
    assert.equal(await findModel("openai/whisper-base", { offline: true, revision: COMMIT }), snapshot);
    assert.equal((await openCheckpoint(snapshot)).weights.names.length, 143);

    await Deno.remove(join(snapshot, "model.safetensors"));
    await refused(findModel("base", { offline: true }), "E_MODEL_NOT_FOUND", /offline/);
  });
});

Deno.test("findModel() passes over another file in openai-whisper's cache, with a warning", async () => {
  await withCaches(async (folder) => {
    await Deno.mkdir(join(folder, "xdg", "whisper"), { recursive: true });
    await put(join(folder, "xdg", "whisper"), "base.pt", "half a download");
    const warnings: Warning[] = [];
    const onWarning = (warning: Warning): void => void warnings.push(warning);
    await refused(
      findModel("base", { offline: true, onWarning }),
      "E_MODEL_NOT_FOUND",
      /xdg\/whisper\/base\.pt/,
    );
    assert.deepEqual(warnings.map(({ code }) => code), ["W_MODEL"]);
  });
});

Deno.test("findModel() says offline where it looked and what to do", async () => {
  await withCaches(async (folder) => {
    const error = await refused(
      findModel("base", { offline: true }),
      "E_MODEL_NOT_FOUND",
      /base offline; looked at/,
    );
    for (const place of ["sotto/openai/base.pt", "xdg/whisper/base.pt", "hf/hub"]) {
      assert.ok(error.message.includes(join(folder, place)), error.message);
    }
    assert.match(error.hint, /without --offline, or put base\.pt/);
  });
});

Deno.test("findModel() suggests the nearest name for an unknown one", async () => {
  assert.match((await refused(findModel("bsae"), "E_MODEL_NOT_FOUND", /bsae/)).hint, /base/);
  assert.match((await refused(findModel("xyzzy"), "E_MODEL_NOT_FOUND", /xyzzy/)).hint, /tiny\.en/);
  await refused(findModel("./nope.pt"), "E_MODEL_NOT_FOUND", /nope\.pt: there is no such file or folder/);
});

Deno.test("findModel() refuses URLs of the web and malformed revisions", async () => {
  await refused(findModel("https://example.org/base.pt"), "E_OPTION", /file:/);
  await refused(findModel("base", { revision: "../main" }), "E_OPTION", /revision/);
});

Deno.test("findModel() downloads openai's file into a private cache and refuses another content", async () => {
  await withCaches(async (folder) => {
    const path = `/${base.sha256}/${base.file}`;
    await withServer({ [path]: { bytes: new TextEncoder().encode("not the model") } }, async (url, log) => {
      const error = await refused(
        findModel("base", { sources: { ...NOWHERE, openai: url } }),
        "E_INTEGRITY",
        /sha256 must be ed3a0b6b.*deleted/,
      );
      assert.equal(error.exitStatus, 70);
      assert.deepEqual(log, [`GET ${path}`]);
    });
    const cache = join(folder, "sotto", "openai");
    assert.deepEqual(Array.from(Deno.readDirSync(cache)), []);
    if (Deno.build.os !== "windows") assert.equal(Deno.statSync(cache).mode! & 0o777, 0o700);
  });
});

Deno.test("findModel() deletes a cached openai model that others could write and that changed", async () => {
  await withCaches(async (folder) => {
    const cache = join(folder, "sotto", "openai");
    await Deno.mkdir(cache, { recursive: true });
    const path = await put(cache, "base.pt", "poisoned");
    await Deno.chmod(path, 0o600);
    await Deno.chmod(cache, 0o700);
    assert.equal(await findModel("base"), path);
    await Deno.chmod(path, 0o666);
    await refused(findModel("base"), "E_INTEGRITY", /deleted/);
    await assert.rejects(Deno.stat(path), Deno.errors.NotFound);
  });
});

/** The demo model as files of a hub; its weights as a large file. */
async function demoOnHub(revision: string): Promise<Record<string, ServedFile>> {
  const files: Record<string, ServedFile> = {};
  for (
    const name of ["config.json", "generation_config.json", "vocab.json", "merges.txt", "added_tokens.json"]
  ) {
    const bytes = await Deno.readFile(join(DEMO, name));
    for (const at of [revision, COMMIT]) files[`/acme/whisper-demo/resolve/${at}/${name}`] = { bytes };
  }
  const bytes = await Deno.readFile(join(DEMO, "model.safetensors"));
  files[`/acme/whisper-demo/resolve/${COMMIT}/model.safetensors`] = { bytes, large: true };
  return files;
}

Deno.test("findModel() downloads a model of the hub once, whole, from one commit", async () => {
  await withCaches(async (folder) => {
    await withServer(await demoOnHub("main"), async (url, log) => {
      const sources = { ...NOWHERE, hub: url };
      const path = await findModel("acme/whisper-demo", { sources });
      assert.equal(path, join(folder, "sotto", "hub", "models--acme--whisper-demo", "snapshots", COMMIT));
      const checkpoint = await openCheckpoint(path);
      assert.equal(checkpoint.vocabulary?.kind, "vocab+merges");
      assert.equal(checkpoint.format, "hugging-face");
      assert.ok(
        log.every((line) =>
          line.includes(COMMIT) || line === "HEAD /acme/whisper-demo/resolve/main/config.json"
        ),
      );

      log.length = 0;
      assert.equal(await findModel("acme/whisper-demo", { sources: NOWHERE, offline: true }), path);
      assert.deepEqual(log, []);
    });
  });
});

Deno.test("findModel() checks a downloaded snapshot again where others could write, and on demand", async () => {
  await withCaches(async () => {
    await withServer(await demoOnHub("main"), async (url) => {
      const sources = { ...NOWHERE, hub: url };
      const config = join(await findModel("acme/whisper-demo", { sources }), "config.json");
      await Deno.writeTextFile(config, "{}");
      await findModel("acme/whisper-demo", { sources });
      await refused(
        findModel("acme/whisper-demo", { sources, verify: true }),
        "E_INTEGRITY",
        /config\.json.*deleted/,
      );
      await findModel("acme/whisper-demo", { sources, verify: true });

      await Deno.writeTextFile(config, "{}");
      await Deno.chmod(config, 0o666);
      await refused(findModel("acme/whisper-demo", { sources }), "E_INTEGRITY", /config\.json.*deleted/);
    });
  });
});

Deno.test("findModel() does not take an unfinished snapshot for a model, and finishes it", async () => {
  await withCaches(async () => {
    const files = await demoOnHub("main");
    const weights = `/acme/whisper-demo/resolve/${COMMIT}/model.safetensors`;
    const { bytes } = files[weights];
    const broken = { ...files, [weights]: { bytes, large: true, faults: [{ status: 503 }] } };
    await withServer(broken, async (url, log) => {
      const sources = { ...NOWHERE, hub: url };
      await refused(findModel("acme/whisper-demo", { sources }), "E_DOWNLOAD", /503/);
      await refused(
        findModel("acme/whisper-demo", { sources, offline: true }),
        "E_MODEL_NOT_FOUND",
        /offline/,
      );
      log.length = 0;
      await findModel("acme/whisper-demo", { sources });
      assert.ok(
        !log.some((line) => line.startsWith("GET") && !line.includes("model.safetensors")),
        log.join("\n"),
      );
    });
  });
});

Deno.test("findModel() refuses a changed small file of the hub by git's SHA-1", async () => {
  await withCaches(async () => {
    const files = await demoOnHub("main");
    const config = `/acme/whisper-demo/resolve/${COMMIT}/config.json`;
    const changed = files[config].bytes.slice();
    changed[10] ^= 1;
    await withServer({ ...files, [config]: { bytes: changed } }, async (url) => {
      await refused(
        findModel("acme/whisper-demo", { sources: { ...NOWHERE, hub: url } }),
        "E_INTEGRITY",
        /git-sha1/,
      );
    });
  });
});

Deno.test("findModel() tells a model that the hub does not have, and a host that is no hub", async () => {
  await withCaches(async () => {
    await withServer({}, async (url) => {
      const sources = { ...NOWHERE, hub: url };
      await refused(findModel("acme/none", { sources }), "E_MODEL_NOT_FOUND", /config\.json of acme\/none/);
    });
    await refused(findModel("acme/none", { sources: NOWHERE }), "E_DOWNLOAD", /Cannot reach 127\.0\.0\.1:1/);
  });
});

Deno.test("findModel() refuses shards outside the folder before it asks for them", async () => {
  await withCaches(async () => {
    const index = new TextEncoder().encode(JSON.stringify({ weight_map: { x: "../../../evil" } }));
    const files: Record<string, ServedFile> = {};
    for (const at of ["main", COMMIT]) {
      files[`/acme/evil/resolve/${at}/config.json`] = {
        bytes: await Deno.readFile(join(DEMO, "config.json")),
      };
      files[`/acme/evil/resolve/${at}/model.safetensors.index.json`] = { bytes: index };
    }
    await withServer(files, async (url, log) => {
      await refused(findModel("acme/evil", { sources: { ...NOWHERE, hub: url } }), "E_PATH", /evil/);
      assert.ok(!log.some((line) => line.includes("evil/") && line.includes("..")));
    });
  });
});

/** What a script that opens a model prints in a process with just those permissions. */
async function inProcess(name: string, ...flags: string[]): Promise<Record<string, string>> {
  const module = new URL("../../model/mod.ts", import.meta.url).href;
  const script = `const { findModel, openCheckpoint } = await import(${JSON.stringify(module)});
    try {
      const { format } = await openCheckpoint(await findModel(${JSON.stringify(name)}, { offline: true }));
      console.log(JSON.stringify({ format }));
    } catch ({ code, message, hint }) {
      console.log(JSON.stringify({ code, message, hint }));
    }`;
  const url = `data:text/javascript,${encodeURIComponent(script)}`;
  // A script from a data: URL may import local modules only with permission to read them.
  const root = new URL("../../", import.meta.url).pathname;
  const sources = ["model", "tensor", "errors.ts", "nearest.ts"].map((path) => join(root, path)).join();
  const read = [`--allow-read=${sources}`, ...flags].join();
  const args = ["run", "--no-prompt", "--no-check", "--quiet", read, `--allow-import`, url];
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), { args }).output();
  assert.equal(new TextDecoder().decode(stderr), "");
  return JSON.parse(new TextDecoder().decode(stdout));
}

Deno.test("findModel() and openCheckpoint() need to read the model and nothing else", async () => {
  assert.deepEqual(await inProcess(DEMO, DEMO), { format: "hugging-face" });
  assert.deepEqual(await inProcess(TORCH_TINY, join(TORCH_TINY, "..")), { format: "openai" });
  const denied = await inProcess(DEMO);
  assert.equal(denied.code, "E_PERMISSION");
  assert.equal(denied.hint, `Run again with --allow-read=${DEMO}`);
  // Without the environment no cache is known: that is no error, and no question to the user.
  assert.equal((await inProcess("base")).code, "E_MODEL_NOT_FOUND");
  assert.equal((await inProcess("./none.pt")).hint, "Run again with --allow-read=./none.pt");
});

Deno.test("OFFICIAL_MODELS names a SHA-256 for each file", () => {
  for (const { sha256, file } of OFFICIAL_MODELS.values()) {
    assert.match(sha256, /^[0-9a-f]{64}$/);
    assert.match(file, /^[\w.-]+\.pt$/);
  }
});
