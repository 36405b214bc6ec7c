/**
 * A server of files on this machine, as openai's or as a Hugging Face hub, with faults on demand.
 *
 * @module
 */

import { createHash } from "node:crypto";

/** What may go wrong with a file, in the order of its requests; `null` is a request without fault. */
export type Fault =
  /** Announces everything, sends that many bytes, then cuts the connection. */
  | { readonly cutAfter: number }
  /** Sends that many bytes, then nothing more, without an end. */
  | { readonly stallAfter: number }
  | { readonly status: number }
  | { readonly html: true }
  | { readonly redirect: string }
  /** Sends everything although a range was asked for. */
  | { readonly ignoreRange: true }
  | null;

/** A file to serve. */
export interface ServedFile {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** One for each GET; behind the last there are none. */
  readonly faults?: readonly Fault[];
  /** Sent as a large file of the hub: a redirect that carries the SHA-256. */
  readonly large?: boolean;
}

/** A request that was answered, such as `GET /a range=bytes=5-`. */
export type RequestLog = string[];

/** The commit the hub says its files are of. */
export const COMMIT = "0123456789abcdef0123456789abcdef01234567";

/** Runs `body` with a server of those files (by path) and stops it. */
export async function withServer(
  files: Readonly<Record<string, ServedFile>>,
  body: (url: string, log: RequestLog) => Promise<void>,
): Promise<void> {
  const log: RequestLog = [];
  const tries = new Map<string, number>();
  const stop = new AbortController();
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, signal: stop.signal, onListen: () => {} },
    (request) => {
      const { pathname } = new URL(request.url);
      const range = request.headers.get("range");
      log.push(`${request.method} ${pathname}${range ? ` range=${range}` : ""}`);
      const direct = pathname.startsWith("/storage");
      const file = files[direct ? pathname.slice("/storage".length) : pathname];
      if (!file) return new Response("no such file", { status: 404 });
      if (file.large && !direct) {
        const headers = {
          location: `/storage${pathname}`,
          "x-repo-commit": COMMIT,
          "x-linked-etag": `"${createHash("sha256").update(file.bytes).digest("hex")}"`,
          "x-linked-size": String(file.bytes.length),
        };
        return new Response(null, { status: 302, headers });
      }
      if (request.method === "HEAD") return new Response(null, { headers: smallFileHeaders(file.bytes) });
      const count = tries.get(pathname) ?? 0;
      tries.set(pathname, count + 1);
      return answer(file.bytes, range, file.faults?.[count] ?? null, stop.signal);
    },
  );
  try {
    await body(`http://127.0.0.1:${server.addr.port}`, log);
  } finally {
    stop.abort();
    await server.finished.catch(() => {}); // cut connections end it with an error
  }
}

function smallFileHeaders(bytes: Uint8Array<ArrayBuffer>): Record<string, string> {
  const sha1 = createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex");
  return { "x-repo-commit": COMMIT, etag: `"${sha1}"`, "content-length": String(bytes.length) };
}

function answer(
  bytes: Uint8Array<ArrayBuffer>,
  range: string | null,
  fault: Fault,
  stop: AbortSignal,
): Response {
  if (fault && "status" in fault) return new Response("fault", { status: fault.status });
  if (fault && "html" in fault) {
    return new Response("<html>Please log in</html>", {
      headers: { "content-type": "text/html; charset=utf-8" },
    });
  }
  if (fault && "redirect" in fault) {
    return new Response(null, { status: 302, headers: { location: fault.redirect } });
  }
  const start = range && !(fault && "ignoreRange" in fault) ? Number(/^bytes=(\d+)-$/.exec(range)![1]) : 0;
  if (start > 0 && start >= bytes.length) {
    return new Response(null, { status: 416, headers: { "content-range": `bytes */${bytes.length}` } });
  }
  const headers: Record<string, string> = { "content-length": String(bytes.length - start) };
  if (start > 0) headers["content-range"] = `bytes ${start}-${bytes.length - 1}/${bytes.length}`;
  const status = start > 0 ? 206 : 200;
  if (!fault || "ignoreRange" in fault) return new Response(bytes.slice(start), { status, headers });

  const sent = bytes.slice(start, start + ("cutAfter" in fault ? fault.cutAfter : fault.stallAfter));
  const stream = new ReadableStream<Uint8Array>({
    start(controller): void {
      if (sent.length > 0) controller.enqueue(sent);
    },
    async pull(controller): Promise<void> {
      // A body that ends before its announced length cuts the connection. The other fault stands still until the
      // test ends.
      if ("stallAfter" in fault && !stop.aborted) {
        await new Promise((resolve) => stop.addEventListener("abort", resolve, { once: true }));
      }
      controller.close();
    },
  }, { highWaterMark: 0 });
  return new Response(stream, { status, headers });
}
