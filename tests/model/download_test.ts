import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { downloadFile, type DownloadProgress } from "../../model/download.ts";
import { fileError } from "../../model/file_error.ts";
import type { Digest } from "../../model/integrity.ts";
import { type Fault, type RequestLog, withServer } from "./faulty_server.ts";
import { inFolder, refused, seededRandom } from "./support.ts";

const random = seededRandom(1);
const CONTENT = Uint8Array.from({ length: 300_000 }, () => random() * 256);
const DIGEST: Digest = { kind: "sha256", hex: createHash("sha256").update(CONTENT).digest("hex") };
const PARTIAL = `file.${DIGEST.hex.slice(0, 12)}.partial`;

/** Serves CONTENT as `/file` with those faults, and hands over where it is to go. */
async function served(
  faults: readonly Fault[],
  body: (at: { url: string; target: string; folder: string; log: RequestLog }) => Promise<void>,
): Promise<void> {
  await inFolder((folder) =>
    withServer(
      { "/file": { bytes: CONTENT, faults } },
      (server, log) => body({ url: `${server}/file`, target: join(folder, "file"), folder, log }),
    )
  );
}

const filesIn = (folder: string): string[] => Array.from(Deno.readDirSync(folder), ({ name }) => name).sort();

Deno.test("downloadFile() writes a checked file, whole, and reports progress up to its end", async () => {
  await served([], async ({ url, target, folder }) => {
    const reports: DownloadProgress[] = [];
    await downloadFile(url, target, DIGEST, { onProgress: (progress) => reports.push(progress) });
    assert.deepEqual(await Deno.readFile(target), CONTENT);
    assert.deepEqual(filesIn(folder), ["file"]);
    assert.deepEqual(reports.map(({ file, received, total }) => [file, received, total]), [
      ["file", 0, CONTENT.length],
      ["file", CONTENT.length, CONTENT.length],
    ]);
    assert.ok(reports[1].bytesPerSecond > 0);
  });
});

Deno.test("downloadFile() goes on after cuts, in one run", async () => {
  await served([{ cutAfter: 100_000 }, { cutAfter: 50_000 }], async ({ url, target, log }) => {
    await downloadFile(url, target, DIGEST);
    assert.deepEqual(await Deno.readFile(target), CONTENT);
    assert.equal(log.length, 3);
    assert.match(log[1], /range=bytes=\d+-$/);
  });
});

Deno.test("downloadFile() goes on in the next run where the last one stopped", async () => {
  await served([{ cutAfter: 100_000 }, { status: 500 }], async ({ url, target, folder, log }) => {
    await refused(downloadFile(url, target, DIGEST), "E_DOWNLOAD", /answered 500/);
    assert.deepEqual(filesIn(folder), [PARTIAL]);
    const kept = Deno.statSync(join(folder, PARTIAL)).size;
    assert.ok(kept > 0);
    await downloadFile(url, target, DIGEST);
    assert.equal(log.at(-1), `GET /file range=bytes=${kept}-`);
    assert.deepEqual(await Deno.readFile(target), CONTENT);
  });
});

Deno.test("downloadFile() gives up when no try brings anything, and says how much it has", async () => {
  await served([{ cutAfter: 0 }], async ({ url, target }) => {
    const error = await refused(downloadFile(url, target, DIGEST), "E_DOWNLOAD", /got 0 of 300000 bytes/);
    assert.equal(error.exitStatus, 69);
  });
});

Deno.test("downloadFile() starts over where the server ignores the range", async () => {
  await served([{ cutAfter: 100_000 }, { ignoreRange: true }], async ({ url, target }) => {
    await downloadFile(url, target, DIGEST);
    assert.deepEqual(await Deno.readFile(target), CONTENT);
  });
});

Deno.test("downloadFile() renames what an earlier run had complete but for the rename", async () => {
  await served([], async ({ url, target, folder }) => {
    await Deno.writeFile(join(folder, PARTIAL), CONTENT);
    await downloadFile(url, target, DIGEST);
    assert.deepEqual(filesIn(folder), ["file"]);
  });
});

Deno.test("downloadFile() starts over where the partial file is longer than the content", async () => {
  await served([], async ({ url, target, folder }) => {
    await Deno.writeFile(join(folder, PARTIAL), new Uint8Array(CONTENT.length + 5));
    await refused(downloadFile(url, target, DIGEST), "E_DOWNLOAD", /refused to go on at byte 300005/);
    await downloadFile(url, target, DIGEST);
    assert.deepEqual(await Deno.readFile(target), CONTENT);
  });
});

Deno.test("downloadFile() gives up a transfer that stands still, and keeps what it has", async () => {
  await served([{ stallAfter: 100_000 }, { stallAfter: 0 }], async ({ url, target, folder }) => {
    await refused(
      downloadFile(url, target, DIGEST, { stallSeconds: 0.1 }),
      "E_DOWNLOAD",
      /stood still for 0\.1 s/,
    );
    assert.deepEqual(filesIn(folder), [PARTIAL]);
  });
});

Deno.test("downloadFile() stops for an AbortSignal", async () => {
  await served([{ stallAfter: 100_000 }], async ({ url, target }) => {
    const controller = new AbortController();
    const onProgress = (): void => controller.abort();
    await refused(
      downloadFile(url, target, DIGEST, { signal: controller.signal, onProgress }),
      "E_ABORTED",
      /Stopped/,
    );
    await refused(downloadFile(url, target, DIGEST, { signal: AbortSignal.abort() }), "E_ABORTED", /Stopped/);
  });
});

Deno.test("downloadFile() refuses another content and deletes it", async () => {
  await inFolder((folder) =>
    withServer({ "/file": { bytes: CONTENT.slice(1) } }, async (server) => {
      const target = join(folder, "file");
      await refused(
        downloadFile(`${server}/file`, target, DIGEST),
        "E_INTEGRITY",
        /got [0-9a-f]{64}; deleted/,
      );
      assert.deepEqual(filesIn(folder), []);
    })
  );
});

Deno.test("downloadFile() refuses error answers, web pages and redirects to plain http", async () => {
  const elsewhere = "http://127.0.0.1:9/file";
  await served(
    [{ status: 404 }, { html: true }, { redirect: elsewhere }],
    async ({ url, target, folder }) => {
      await refused(downloadFile(url, target, DIGEST), "E_DOWNLOAD", /answered 404/);
      await refused(downloadFile(url, target, DIGEST), "E_DOWNLOAD", /web page/);
      await refused(
        downloadFile(url, target, DIGEST),
        "E_DOWNLOAD",
        /redirects to http:\/\/127\.0\.0\.1:9\/file/,
      );
      assert.deepEqual(filesIn(folder).filter((name) => !name.endsWith(".partial")), []);
    },
  );
});

Deno.test("downloadFile() ends a circle of redirects", async () => {
  await served(Array(10).fill({ redirect: "/file" }), async ({ url, target }) => {
    await refused(downloadFile(url, target, DIGEST), "E_DOWNLOAD", /more than 5 redirects/);
  });
});

Deno.test("downloadFile() refuses to download what another process is downloading", async () => {
  await served([], async ({ url, target, folder }) => {
    using other = await Deno.open(join(folder, PARTIAL), { write: true, create: true });
    await other.lock(true);
    await refused(downloadFile(url, target, DIGEST), "E_BUSY", /another process/);
  });
});

Deno.test({
  name: "downloadFile() removes the partial file when the disk is full",
  ignore: Deno.build.os !== "linux", // /dev/full is Linux's disk without space
  fn: () =>
    served([], async ({ url, target, folder }) => {
      await Deno.symlink("/dev/full", join(folder, PARTIAL));
      const error = await refused(
        downloadFile(url, target, DIGEST),
        "E_DISK_FULL",
        /need 1 MB in .*, no space is left/,
      );
      assert.equal(error.exitStatus, 74);
      assert.deepEqual(filesIn(folder), []);
    }),
});

/** Runs a download in a process with just those permissions; answers its error. */
async function inProcess(
  url: string,
  target: string,
  ...flags: string[]
): Promise<{ code: string; hint: string }> {
  const module = new URL("../../model/download.ts", import.meta.url).href;
  const script = `import { downloadFile } from ${JSON.stringify(module)};
    try { await downloadFile(${JSON.stringify(url)}, ${
    JSON.stringify(target)
  }, null); console.log('{"code":"none"}'); }
    catch ({ code, hint }) { console.log(JSON.stringify({ code, hint })); }`;
  const path = `${target}.ts`;
  await Deno.writeTextFile(path, script);
  const args = ["run", "--no-prompt", "--no-check", "--quiet", ...flags, path];
  const { stdout } = await new Deno.Command(Deno.execPath(), { args }).output();
  return JSON.parse(new TextDecoder().decode(stdout));
}

Deno.test("downloadFile() names the flag of each permission it lacks, and needs no other", async () => {
  await served([], async ({ url, target, folder }) => {
    const host = new URL(url).host;
    const write = await inProcess(url, target, `--allow-read=${folder}`, `--allow-net=${host}`);
    assert.equal(write.code, "E_PERMISSION");
    assert.match(write.hint, /--allow-write=/);
    const read = await inProcess(url, target, `--allow-write=${folder}`, `--allow-net=${host}`);
    assert.match(read.hint, /--allow-read=/);
    const net = await inProcess(url, target, `--allow-read=${folder}`, `--allow-write=${folder}`);
    assert.match(net.hint, new RegExp(`--allow-net=${host}`));
    const flags = [`--allow-read=${folder}`, `--allow-write=${folder}`, `--allow-net=${host}`];
    assert.equal((await inProcess(url, target, ...flags)).code, "none");
  });
});

Deno.test("fileError() tells a missing file, a folder and a missing permission apart", () => {
  assert.equal(fileError(new Deno.errors.NotFound("x"), "read", "/x").code, "E_MODEL_NOT_FOUND");
  assert.equal(fileError(new Deno.errors.IsADirectory("x"), "read", "/x").code, "E_INPUT");
  assert.equal(fileError(new Deno.errors.PermissionDenied("x"), "write", "/x").code, "E_OUTPUT");
  const denied = fileError(
    new Deno.errors.NotCapable('Requires read access to "/a/b", run again'),
    "write",
    "/a/b",
  );
  assert.deepEqual([denied.code, denied.hint], ["E_PERMISSION", "Run again with --allow-read=/a/b"]);
});
