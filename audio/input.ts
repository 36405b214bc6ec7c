/**
 * From what a caller gives (path, URL, bytes, blob, stream) to bytes that can be read from the start any number of times.
 *
 * @module
 */

import { basename, dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { SottoError } from "../errors.ts";
import { didYouMean } from "../nearest.ts";
import { type ByteSource, FileSource, MemorySource } from "./byte_reader.ts";
import { fetchBytes } from "./fetch_bytes.ts";
import { streamBytes } from "./stream_bytes.ts";
import type { AudioInput, ReadContext } from "./types.ts";

/**
 * Checks that the input is there and may be read.
 *
 * A regular file is read in pieces, each time it is opened. A pipe or device can be read only once, so it is
 * read whole here; so is a URL.
 *
 * @throws {SottoError} E_INPUT, E_PERMISSION or E_DOWNLOAD.
 */
export async function byteSource(
  input: Exclude<AudioInput, Float32Array>,
  context: ReadContext,
  name?: string,
): Promise<ByteSource> {
  if (input instanceof Uint8Array) return new MemorySource(input, name ?? "the bytes given");
  if (input instanceof ArrayBuffer) return new MemorySource(new Uint8Array(input), name ?? "the bytes given");
  if (input instanceof Blob) {
    const ownName = input instanceof File && input.name !== "" ? input.name : "the blob given";
    return new MemorySource(new Uint8Array(await input.arrayBuffer()), name ?? ownName);
  }
  if (input instanceof ReadableStream) {
    const called = name ?? "the stream given";
    return new MemorySource(await streamBytes(input, called, context.signal), called);
  }
  const url = urlOfInput(input);
  if (url === null) return await fileSource(input as string, name ?? input as string);
  if (url.protocol === "file:") {
    const path = fileURLToPath(url);
    return await fileSource(path, name ?? path);
  }
  if (url.protocol === "http:" || url.protocol === "https:") {
    return new MemorySource(await fetchBytes(url, context), name ?? url.href);
  }
  throw new SottoError(
    "E_INPUT",
    `Cannot open ${url} because its scheme must be file, http or https: got ${url.protocol}`,
  );
}

/**
 * The URL that an input is or spells; null for a path. A string is a URL only with one of three schemes: `a:b.wav` is a
 * file name.
 *
 * @throws {SottoError} E_INPUT if it is neither, or a URL that is cut short.
 */
export function urlOfInput(input: unknown): URL | null {
  if (input instanceof URL) return input;
  if (typeof input !== "string") {
    throw new SottoError(
      "E_INPUT",
      `Cannot open audio because it must be a path, a URL, bytes, a blob or a stream: got ${typeof input}`,
    );
  }
  if (!/^(https?|file):\/\//i.test(input)) return null;
  if (URL.canParse(input)) return new URL(input);
  throw new SottoError("E_INPUT", `Cannot open ${JSON.stringify(input)} because it must be a whole URL`);
}

async function fileSource(path: string, name: string): Promise<ByteSource> {
  const permission = await Deno.permissions.query({ name: "read", path });
  if (permission.state !== "granted") {
    throw new SottoError("E_PERMISSION", `Cannot open ${name} because reading it is not permitted`, {
      hint: `Run again with --allow-read=${path}`,
    });
  }
  try {
    const stat = await Deno.stat(path);
    if (stat.isDirectory) {
      throw new SottoError("E_INPUT", `Cannot open ${name} because it must be a file: got a folder`);
    }
    if (!stat.isFile) return new MemorySource(await Deno.readFile(path), name);
    (await Deno.open(path)).close();
    return new FileSource(path, name);
  } catch (error) {
    if (error instanceof SottoError) throw error;
    if (error instanceof Deno.errors.NotCapable) { // devices and /proc want more than --allow-read
      throw new SottoError("E_PERMISSION", `Cannot open ${name} because reading it is not permitted`, {
        hint: "Give a regular file, or the bytes.",
        cause: error,
      });
    }
    if (error instanceof Deno.errors.NotFound) {
      throw new SottoError("E_INPUT", `Cannot open ${name} because it does not exist`, {
        hint: await neighbour(path),
        cause: error,
      });
    }
    const reason = error instanceof Deno.errors.PermissionDenied
      ? "the file system does not permit reading it"
      : error instanceof Error
      ? error.message
      : String(error);
    throw new SottoError("E_INPUT", `Cannot open ${name} because ${reason}`, { cause: error });
  }
}

/** The file beside a missing one whose name is nearest, as far as the folder may be read. */
async function neighbour(path: string): Promise<string> {
  const folder = dirname(path);
  const { state } = await Deno.permissions.query({ name: "read", path: folder });
  if (state !== "granted") return ""; // asking might stop for an answer
  const names: string[] = [];
  try {
    for await (const { name, isFile } of Deno.readDir(folder)) if (isFile) names.push(name);
  } catch {
    return ""; // the folder is missing as well
  }
  return didYouMean(basename(path), names);
}
