/**
 * Serves the tree's modules over HTTP, for scripts that import them by URL.
 *
 * @module
 */

import { extname } from "node:path";
import { PROJECT_ROOT } from "./shared_data.ts";

const MEDIA_TYPES: Readonly<Record<string, string>> = {
  ".ts": "application/typescript",
  ".json": "application/json",
};

/** Serves the tree's modules as a web server would; nothing else of it. */
export class ModuleServer implements AsyncDisposable {
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  constructor() {
    this.#server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
      const { pathname } = new URL(request.url);
      const type = MEDIA_TYPES[extname(pathname)];
      const body = type && await Deno.readFile(new URL(`.${pathname}`, PROJECT_ROOT)).catch(() => null);
      return body
        ? new Response(body, { headers: { "content-type": type } })
        : new Response("not found", { status: 404 });
    });
  }

  /** `127.0.0.1:PORT` */
  get host(): string {
    return `127.0.0.1:${this.#server.addr.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}
