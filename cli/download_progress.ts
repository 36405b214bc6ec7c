/**
 * The bar that is shown while a model is downloaded.
 *
 * @module
 */

import type { DownloadProgress } from "../model/mod.ts";
import { printLine } from "./console.ts";
import { ProgressBar } from "./progress_bar.ts";

/** Says once that a model is downloaded, and how far it is; disposing it takes the bar off the screen. */
export class DownloadBar implements Disposable {
  readonly #bar = new ProgressBar();
  #announced = false;

  /** Shows how far a download is. */
  update(progress: DownloadProgress): void {
    const { file, received, total, bytesPerSecond } = progress;
    if (!this.#announced) printLine(`downloading ${file}${total === null ? "" : ` (${megabytes(total)})`}`);
    this.#announced = true;
    const rate = `${megabytes(received)} at ${megabytes(bytesPerSecond)}/s`;
    this.#bar.update(received, total ?? Infinity, `${file} ${rate}`);
  }

  [Symbol.dispose](): void {
    this.#bar.clear();
  }
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;
}
