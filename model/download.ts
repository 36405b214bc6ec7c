/**
 * Downloads one file: resumed where an earlier try stopped, checked before it gets its name, and whole or absent after
 * that.
 *
 * What has arrived lies in `<target>.<digest>.partial` until its digest is right; then it is synced and renamed. It
 * stays there after a cut, a stall or an abort, for the next try; a wrong digest or a full disk removes it.
 *
 * @module
 */

import { basename, dirname } from "node:path";
import { SottoError } from "../errors.ts";
import { fileError } from "./file_error.ts";
import { request } from "./http.ts";
import { type Digest, hashOpenFile, startHash } from "./integrity.ts";
import { StallTimer } from "./stall_timer.ts";

/** How far a download is. */
export interface DownloadProgress {
  /** Name of the file. */
  readonly file: string;
  /** Bytes on this machine, those of earlier tries included. */
  readonly received: number;
  /** Bytes in all, or null where the server does not say. */
  readonly total: number | null;
  /** Bytes a second, over this run. */
  readonly bytesPerSecond: number;
}

/** Options that hold for every download. */
export interface DownloadOptions {
  /** Called at the beginning, about every megabyte, and at the end. */
  readonly onProgress?: (progress: DownloadProgress) => void;
  /** Stops the download; what has arrived is kept for the next try. */
  readonly signal?: AbortSignal;
  /** Seconds without a byte after which a try is given up; default 30. */
  readonly stallSeconds?: number;
}

/** Default of {@linkcode DownloadOptions.stallSeconds}. */
export const STALL_SECONDS = 30;

/** Tries of one run; only one that brought something is followed by another. */
const MAX_TRIES = 5;

const PROGRESS_BYTES = 1 << 20;

/**
 * Downloads a URL to a path, whose folder is made with mode 0700 if it is missing.
 *
 * @param digest What the content must hash to; null if that is not known (then only its length is checked).
 * @throws {SottoError} E_DOWNLOAD if it fails or is cut; E_INTEGRITY if the digest is wrong; E_DISK_FULL;
 * E_PERMISSION; E_ABORTED.
 */
export async function downloadFile(
  url: string,
  target: string,
  digest: Digest | null,
  options: DownloadOptions = {},
): Promise<void> {
  const partial = `${target}.${digest?.hex.slice(0, 12) ?? "unchecked"}.partial`;
  try {
    await Deno.mkdir(dirname(target), { recursive: true, mode: 0o700 });
    using file = await Deno.open(partial, { read: true, write: true, create: true, mode: 0o600 });
    if (!await file.tryLock(true)) {
      throw new SottoError(
        "E_BUSY",
        `Cannot download ${basename(target)}: another process is downloading it`,
        {
          hint: "Wait for it, then run again.",
        },
      );
    }
    if (digest === null) await file.truncate(); // parts of unknown files cannot be told apart
    const transfer = new Transfer(url, file, digest, options, target);
    await transfer.run();
    await file.sync();
    await Deno.rename(partial, target);
  } catch (error) {
    const failure = fileError(error, "write", target);
    const isOthers = failure.code === "E_BUSY";
    const isUseless = failure.code === "E_INTEGRITY" || failure.code === "E_DISK_FULL" ||
      await isEmpty(partial);
    if (!isOthers && isUseless) await removeIfThere(partial);
    throw failure;
  }
}

/** One file on its way. */
class Transfer {
  #received = 0;
  #total: number | null = null;
  #reported = 0;
  #startedAt = performance.now();
  #startedWith = 0;

  constructor(
    readonly url: string,
    readonly file: Deno.FsFile,
    readonly digest: Digest | null,
    readonly options: DownloadOptions,
    readonly target: string,
  ) {}

  get name(): string {
    return basename(this.target);
  }

  async run(): Promise<void> {
    this.#received = this.#startedWith = (await this.file.stat()).size;
    for (let tries = 1;; tries++) {
      const before = this.#received;
      try {
        await this.#attempt();
        break;
      } catch (error) {
        const mayGoOn = error instanceof SottoError && error.code === "E_DOWNLOAD" && this.#received > before;
        if (!mayGoOn || tries === MAX_TRIES) throw error;
      }
    }
    this.#report();
    await this.#checkDigest();
  }

  /** Requests what is missing and appends it. */
  async #attempt(): Promise<void> {
    using timer = new StallTimer(this.options.stallSeconds ?? STALL_SECONDS, this.options.signal);
    const { signal } = timer;
    const start = this.#received;
    const headers: Record<string, string> = start > 0 ? { range: `bytes=${start}-` } : {};
    const { response } = await request(this.url, { headers, signal });
    timer.moved();

    const range = /^bytes (\d+)-\d+\/(\d+)$/.exec(response.headers.get("content-range") ?? "");
    const isRest = response.status === 206 && Number(range?.[1]) === start;
    if (response.status === 416) {
      await response.body?.cancel();
      const size = /\/(\d+)$/.exec(response.headers.get("content-range") ?? "")?.[1];
      if (Number(size) === start) return; // the earlier try had everything but the rename
      await this.#startOver();
      throw this.#failure(`the server refused to go on at byte ${start}`);
    }
    if (!isRest && response.status !== 200) {
      await response.body?.cancel();
      throw this.#failure(`the server answered ${response.status} ${response.statusText}`.trimEnd());
    }
    if (response.headers.get("content-type")?.startsWith("text/html")) {
      await response.body?.cancel();
      throw this.#failure(
        "the server answered with a web page",
        "A proxy or a login page of the network is in the way.",
      );
    }
    if (start > 0 && !isRest) await this.#startOver(); // the server sends everything again
    const length = response.headers.get("content-length");
    this.#total = range ? Number(range[2]) : length === null ? null : Number(length);
    this.#report();

    await this.file.seek(this.#received, Deno.SeekMode.Start);
    try {
      for await (const chunk of response.body ?? []) {
        timer.moved();
        signal.throwIfAborted();
        await this.#append(chunk);
      }
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      if (error instanceof SottoError) throw error;
      throw this.#cut(error);
    }
    if (this.#total !== null && this.#received !== this.#total) throw this.#cut();
  }

  async #append(chunk: Uint8Array): Promise<void> {
    try {
      for (let written = 0; written < chunk.length;) {
        written += await this.file.write(chunk.subarray(written));
      }
    } catch (error) {
      const failure = fileError(error, "write", this.target);
      if (failure.code !== "E_DISK_FULL") throw failure;
      const need = this.#total === null ? "more" : `${Math.ceil(this.#total / 1e6)} MB`;
      throw new SottoError(
        "E_DISK_FULL",
        `Cannot write ${this.target}: need ${need} in ${dirname(this.target)}, no space is left`,
        {
          hint: failure.hint,
          cause: error,
        },
      );
    }
    this.#received += chunk.length;
    if (this.#received - this.#reported >= PROGRESS_BYTES) this.#report();
  }

  async #startOver(): Promise<void> {
    await this.file.truncate();
    this.#received = this.#startedWith = this.#reported = 0;
  }

  async #checkDigest(): Promise<void> {
    if (!this.digest) return;
    const hash = startHash(this.digest);
    await hashOpenFile(this.file, hash, this.options.signal);
    const found = hash.digest("hex");
    if (found !== this.digest.hex) {
      throw new SottoError(
        "E_INTEGRITY",
        `Refused ${this.name} from ${this.url}: ${this.digest.kind} must be ${this.digest.hex}, got ${found}; deleted`,
        { hint: "Run again. If it happens again, the server or something on the way changes the file." },
      );
    }
  }

  #report(): void {
    this.#reported = this.#received;
    const seconds = (performance.now() - this.#startedAt) / 1000;
    this.options.onProgress?.({
      file: this.name,
      received: this.#received,
      total: this.#total,
      bytesPerSecond: seconds > 0 ? (this.#received - this.#startedWith) / seconds : 0,
    });
  }

  #failure(
    rule: string,
    hint = "Run again later, or give the path of a model that is on this machine.",
  ): SottoError {
    return new SottoError("E_DOWNLOAD", `Cannot download ${this.url}: ${rule}`, { hint });
  }

  #cut(cause?: unknown): SottoError {
    return new SottoError(
      "E_DOWNLOAD",
      `Cannot download ${this.url}: got ${this.#received} of ${this.#total ?? "?"} bytes`,
      {
        hint: "Run again: it goes on where it stopped.",
        cause,
      },
    );
  }
}

async function isEmpty(path: string): Promise<boolean> {
  return await Deno.stat(path).then(({ size }) => size === 0, () => false);
}

async function removeIfThere(path: string): Promise<void> {
  try {
    await Deno.remove(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw fileError(error, "write", path);
  }
}
