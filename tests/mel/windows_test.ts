import { openPortableDevice } from "../../kernels/portable/device.ts";
import { logMel, MelWindows, type SampleSource, type SampleStream } from "../../mel/mod.ts";
import { Random } from "../kernels/_random.ts";
import assert from "node:assert/strict";

const device = openPortableDevice();
const PADDING = 480_000;
/** More than the five minutes that are kept after the first reading. */
const LONG_SAMPLES = 301 * 16_000 + 77;

/** A recording in memory, cut into chunks of `chunkSizes` in turn, that counts how it is used. */
class MemorySource implements SampleSource {
  opened = 0;
  open_ = 0;
  /** The recording at each opening; the last stands for all later ones. */
  readonly #audios: readonly Float32Array[];
  readonly #chunkSizes: readonly number[];

  constructor(audios: Float32Array | readonly Float32Array[], chunkSizes: readonly number[]) {
    this.#audios = audios instanceof Float32Array ? [audios] : audios;
    this.#chunkSizes = chunkSizes;
  }

  open(): Promise<SampleStream> {
    const audio = this.#audios[Math.min(this.opened++, this.#audios.length - 1)];
    const sizes = this.#chunkSizes;
    this.open_++;
    return Promise.resolve({
      async *[Symbol.asyncIterator]() {
        for (let at = 0, i = 0; at < audio.length; i++) {
          const size = sizes[i % sizes.length];
          yield await Promise.resolve(audio.subarray(at, at + size));
          at += size;
        }
      },
      [Symbol.asyncDispose]: () => {
        this.open_--;
        return Promise.resolve();
      },
    });
  }
}

/** Noise whose loudness changes, loudest in the middle. */
function noise(samples: number): Float32Array<ArrayBuffer> {
  const random = new Random(40);
  return Float32Array.from(
    { length: samples },
    (_, i) => random.next() * Math.sin(Math.PI * i / samples) ** 4,
  );
}

/** Columns seek … seek + frames of the whole recording's log-mel, then zeros. */
function cut(whole: Awaited<ReturnType<typeof logMel>>, seek: number, frames: number): Float32Array {
  const data = new Float32Array(whole.bands * 3000);
  for (let band = 0; band < whole.bands; band++) {
    const from = band * whole.frames + seek;
    data.set(whole.data.subarray(from, from + frames), band * 3000);
  }
  return data;
}

Deno.test("MelWindows are bit for bit those of the whole recording, however it is cut into chunks", async () => {
  for (const samples of [1, 159, 160, 200, 201, 1000, 160_000, 160_200, 160_240, 480_123]) {
    const audio = noise(samples);
    const whole = await logMel(audio, { device, padding: PADDING });
    for (const chunks of [[samples], [1 + samples >> 1], [4096], [7, 0, 100_000]]) {
      const source = new MemorySource(audio, chunks);
      await using windows = await MelWindows.open(source, { device });
      assert.equal(windows.samples, samples);
      assert.equal(windows.durationSeconds, samples / 16_000);
      assert.equal(windows.contentFrames, whole.frames - 3000);
      assert.deepEqual(await windows.openingWindow(), cut(whole, 0, 3000), `${samples}, the opening`);
      for (let seek = 0; seek < windows.contentFrames; seek += 1400) {
        const frames = Math.min(3000, windows.contentFrames - seek);
        assert.deepEqual(
          await windows.window(seek, frames),
          cut(whole, seek, frames),
          `${samples} from ${seek}`,
        );
      }
      assert.equal(source.opened, 1, "a short recording is read once");
    }
  }
});

Deno.test("MelWindows of a long recording read it twice and hold a window of it", async () => {
  const audio = noise(LONG_SAMPLES);
  const whole = await logMel(audio, { device, padding: PADDING, bands: 20 });
  const source = new MemorySource(audio, [65_536, 333]);
  const told: number[] = [];
  {
    await using windows = await MelWindows.open(source, {
      device,
      bands: 20,
      onProgress: (s) => told.push(s),
    });
    assert.equal(windows.contentFrames, Math.floor(LONG_SAMPLES / 160));
    assert.equal(told.at(-1), LONG_SAMPLES / 16_000);
    assert.ok(told.every((s, i) => i === 0 || s >= told[i - 1]));
    assert.deepEqual(await windows.openingWindow(), cut(whole, 0, 3000));
    // Overlapping windows, the same one twice, a jump over several blocks, a short one, the end.
    for (
      const [seek, frames] of [[0, 3000], [1, 3000], [2998, 3000], [2998, 3000], [12_345, 3000], [15_000, 17]]
    ) {
      assert.deepEqual(await windows.window(seek, frames), cut(whole, seek, frames), `from ${seek}`);
    }
    const last = windows.contentFrames - 1234;
    assert.deepEqual(await windows.window(last, 1234), cut(whole, last, 1234));
    assert.equal(source.opened, 2);
  }
  assert.equal(source.open_, 0, "both readings were closed");
});

Deno.test("MelWindows of no samples has no frames", async () => {
  await using windows = await MelWindows.open(new MemorySource(new Float32Array(0), [10]), { device });
  assert.equal(windows.contentFrames, 0);
  assert.deepEqual(await windows.window(0, 0), new Float32Array(80 * 3000));
  assert.deepEqual(await windows.openingWindow(), new Float32Array(80 * 3000).fill(-1.5), "silence");
});

Deno.test("window() refuses to go back, to reach over the end and more than 3000 frames", async () => {
  await using windows = await MelWindows.open(new MemorySource(noise(800_000), [4096]), { device });
  await windows.window(100, 3000);
  for (const [seek, frames] of [[99, 10], [100.5, 10], [100, 3001], [100, -1], [4000, 1001], [NaN, 1]]) {
    await assert.rejects(windows.window(seek, frames), { code: "E_OPTION" });
  }
  await windows.window(4000, 1000);
  await assert.rejects(windows.openingWindow(), { code: "E_OPTION" });
});

Deno.test("MelWindows notice a recording that got shorter between the readings", async () => {
  const audio = noise(LONG_SAMPLES);
  await using windows = await MelWindows.open(
    new MemorySource([audio, audio.subarray(0, 16_000)], [65_536]),
    {
      device,
      bands: 4,
    },
  );
  await assert.rejects(windows.window(20_000, 3000), { code: "E_AUDIO_DECODE" });
});

Deno.test("MelWindows stop when aborted and close what they read", async () => {
  const controller = new AbortController();
  const source = new MemorySource(noise(1_000_000), [4096]);
  const onProgress = () => controller.abort();
  await assert.rejects(MelWindows.open(source, { device, signal: controller.signal, onProgress }), {
    code: "E_ABORTED",
  });
  assert.equal(source.open_, 0);
});

Deno.test("MelWindows refuse NaN and close what they read", async () => {
  const audio = noise(400_000);
  audio[300_000] = NaN;
  const source = new MemorySource(audio, [4096]);
  await assert.rejects(MelWindows.open(source, { device }), {
    code: "E_AUDIO_VALUES",
    message: "Cannot use this audio: 1 non-finite sample at 18.75 s",
  });
  assert.equal(source.open_, 0);
});

Deno.test("again() looks ahead without a first reading, and leaves the windows where they are", async () => {
  for (const samples of [480_123, LONG_SAMPLES]) {
    const source = new MemorySource(noise(samples), [16_000]);
    {
      await using windows = await MelWindows.open(source, { device });
      const opened = source.opened;
      const expected = await windows.window(0, 3000);
      const seek = windows.contentFrames - 500;
      {
        await using ahead = windows.again();
        assert.equal(ahead.contentFrames, windows.contentFrames);
        assert.deepEqual(await ahead.window(0, 3000), expected);
        await ahead.window(seek, 500);
      }
      // Both read a long recording once more; a short one is kept.
      assert.equal(source.opened - opened, samples === LONG_SAMPLES ? 2 : 0);
      assert.deepEqual(await windows.window(0, 3000), expected);
      await windows.window(seek, 500);
    }
    assert.equal(source.open_, 0);
  }
});
