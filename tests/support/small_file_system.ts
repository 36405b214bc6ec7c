/**
 * A file system that is soon full, where this process may mount one.
 *
 * @module
 */

import { statfs } from "node:fs/promises";

/** A file system of 16 KiB; its disposal unmounts it. */
export interface SmallFileSystem extends AsyncDisposable {
  /** Where it is mounted; null where that is not permitted. */
  readonly folder: string | null;
  /** Why there is none. */
  readonly reason: string;
  /** Bytes that still fit. */
  freeBytes(): Promise<number>;
}

async function run(program: string, ...args: string[]): Promise<boolean> {
  const command = new Deno.Command(program, { args, stdin: "null", stdout: "null", stderr: "null" });
  return await command.output().then(({ success }) => success, () => false);
}

/** Mounts one, which takes the rights of root on Linux. */
export async function smallFileSystem(): Promise<SmallFileSystem> {
  const folder = await Deno.realPath(await Deno.makeTempDir({ prefix: "sotto-disk-" }));
  const mounted = Deno.build.os === "linux" &&
    await run("mount", "-t", "tmpfs", "-o", "size=16k", "none", folder);
  return {
    folder: mounted ? folder : null,
    reason: "no right to mount a small file system",
    freeBytes: async () => {
      const { bavail, bsize } = await statfs(folder);
      return bavail * bsize;
    },
    async [Symbol.asyncDispose](): Promise<void> {
      if (mounted && !await run("umount", folder)) throw new Error(`Cannot unmount ${folder}`);
      await Deno.remove(folder);
    },
  };
}
