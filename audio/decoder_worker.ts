/**
 * The code that runs beside the main thread and holds one WebAssembly decoder.
 *
 * Such decoders trust their input: corrupt data has made them hang, claim 35,952 channels or print to the
 * console. So they run where they can be ended, and nothing they say is believed.
 *
 * @module
 */

/** What to import and construct. */
export interface DecoderModule {
  /** A pinned `npm:` specifier. */
  readonly specifier: string;
  /** The class it exports. */
  readonly exportName: string;
}

/** What the main thread sends: first the module, then pieces of the file, then the end. */
export type ToWorker =
  | { readonly kind: "load"; readonly module: DecoderModule }
  /** A run of the file's bytes, or frames one by one where the container's parser has found them. */
  | { readonly kind: "decode"; readonly data: Uint8Array | readonly Uint8Array[] }
  | { readonly kind: "flush" };

/** What the worker answers, once per message. */
export type FromWorker =
  | { readonly kind: "ready" }
  | {
    readonly kind: "decoded";
    /** F32 [samples], the mean of the channels. */
    readonly mono: Float32Array<ArrayBuffer>;
    readonly sampleRate: number;
    readonly channels: number;
    /** What the decoder complained about, or null. */
    readonly complaint: string | null;
  }
  | { readonly kind: "failed"; readonly during: "load" | "decode"; readonly reason: string };

/**
 * The worker's whole program.
 *
 * It is started from its own text, by {@linkcode startWorker}, and so must name nothing outside itself. A
 * worker started from a file would need `--allow-read` for this folder; this one needs no permission. The
 * specifier comes as a value, so that nothing is fetched before a file needs it.
 */
export function decoderWorker(): void {
  interface Decoded {
    readonly channelData: readonly Float32Array[];
    readonly samplesDecoded: number;
    readonly sampleRate: number;
    readonly errors: readonly { readonly message: string }[];
  }
  interface Decoder {
    readonly ready: Promise<void>;
    decode(bytes: Uint8Array): Decoded | Promise<Decoded>;
    decodeFrames?(frames: readonly Uint8Array[]): Decoded | Promise<Decoded>;
    flush?(): Decoded | Promise<Decoded>;
  }
  const scope = globalThis as unknown as {
    onmessage: (event: MessageEvent<ToWorker>) => void;
    postMessage(message: FromWorker, transfer?: Transferable[]): void;
  };
  const MAX_CHANNELS = 8;
  let decoder: Decoder;
  let parses = false; // the decoder splits bytes into frames itself, and holds some back until the end

  const answer = ({ channelData, samplesDecoded, sampleRate, errors }: Decoded): void => {
    const channels = samplesDecoded > 0 ? channelData.length : 0; // before the first sample it can be anything
    if (channels > MAX_CHANNELS) throw new Error(`${channels} channels`);
    if (channelData.some((samples) => samples.length < samplesDecoded)) {
      throw new Error("channels of unequal length");
    }
    const mono = new Float32Array(channels === 0 ? 0 : Math.max(0, samplesDecoded));
    for (let i = 0; i < mono.length; i++) {
      let sum = 0;
      for (let channel = 0; channel < channels; channel++) sum += channelData[channel][i];
      mono[i] = sum / channels;
    }
    const complaint = errors.length > 0 ? String(errors[0].message) : null;
    scope.postMessage({ kind: "decoded", mono, sampleRate, channels, complaint }, [mono.buffer]);
  };

  const handle = async (message: ToWorker): Promise<void> => {
    try {
      if (message.kind === "load") {
        const exports = await import(message.module.specifier);
        decoder = new exports[message.module.exportName]() as Decoder;
        await decoder.ready;
        scope.postMessage({ kind: "ready" });
      } else if (message.kind === "decode") {
        const { data } = message;
        parses ||= data instanceof Uint8Array;
        answer(await (data instanceof Uint8Array ? decoder.decode(data) : decoder.decodeFrames!(data)));
      } else if (parses && decoder.flush !== undefined) {
        answer(await decoder.flush());
      } else {
        answer({ channelData: [], samplesDecoded: 0, sampleRate: 0, errors: [] });
      }
    } catch (error) {
      const during = message.kind === "load" ? "load" : "decode";
      scope.postMessage({
        kind: "failed",
        during,
        reason: error instanceof Error ? error.message : String(error),
      });
    }
  };

  console.error = console.warn = console.log = () => {}; // complaints travel in the answers
  scope.onmessage = (event) => void handle(event.data);
}

/** Starts a worker that runs `program`, which must name nothing outside itself. */
export function startWorker(program: () => void): Worker {
  const text = new Blob([`(${program})();`], { type: "text/javascript" });
  const url = URL.createObjectURL(text);
  const worker = new Worker(url, { type: "module", name: "sotto audio decoder" });
  URL.revokeObjectURL(url); // the text was taken when the worker was made
  return worker;
}
