/**
 * An npm registry on this machine that has the packages it is given, and nothing else.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { gunzipSync } from "node:zlib";
import type { Package } from "../../pack/packages.ts";

/** The files of a `.tgz` by path. Separate from the code under test. */
export function untar(tgz: Uint8Array): Map<string, Uint8Array> {
  const tar = gunzipSync(tgz);
  const files = new Map<string, Uint8Array>();
  const text = (at: number, size: number) =>
    new TextDecoder().decode(tar.subarray(at, at + size)).replace(/\0.*$/s, "");
  for (let at = 0; text(at, 100) !== "";) {
    const size = parseInt(text(at + 124, 12), 8);
    files.set(text(at, 100), new Uint8Array(tar.subarray(at + 512, at + 512 + size)));
    at += 512 * (1 + Math.ceil(size / 512));
  }
  return files;
}

/** A package's manifest. */
export function manifestOf({ bytes }: Package): { name: string; version: string; [field: string]: unknown } {
  return JSON.parse(new TextDecoder().decode(untar(bytes).get("package/package.json")));
}

/** Serves packages as a registry does. */
export class Registry implements AsyncDisposable {
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  constructor(packages: readonly Package[]) {
    const byName = new Map(packages.map((it) => [manifestOf(it).name, it]));
    this.#server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
      const { pathname } = new URL(request.url);
      for (const [name, { fileName, bytes }] of byName) {
        if (pathname === `/${name}/-/${fileName}`) return new Response(bytes);
        if (pathname !== `/${name}`) continue;
        const manifest = manifestOf(byName.get(name)!);
        const integrity = `sha512-${createHash("sha512").update(bytes).digest("base64")}`;
        const version = { ...manifest, dist: { tarball: `${this.url}${name}/-/${fileName}`, integrity } };
        return Response.json({
          name,
          "dist-tags": { latest: manifest.version },
          versions: { [manifest.version]: version },
        });
      }
      return new Response("not found", { status: 404 });
    });
  }

  /** `http://127.0.0.1:PORT/` */
  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}/`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}
