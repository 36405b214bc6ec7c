/** Writes WAV files of any layout, right or wrong, for the tests of the reader. */

/** What to write; the defaults make one channel of 16-bit PCM at 16 kHz. */
export interface WavLayout {
  readonly form?: "RIFF" | "RIFX" | "RF64" | "BW64";
  readonly formatTag?: number;
  readonly channels?: number;
  readonly sampleRate?: number;
  readonly bits?: number;
  readonly blockAlign?: number;
  /** Writes WAVE_FORMAT_EXTENSIBLE with that many valid bits. */
  readonly validBits?: number;
  readonly subFormat?: Uint8Array;
  /** Overrides the data chunk's length. */
  readonly dataLength?: number;
  /** Overrides the RIFF length. */
  readonly riffLength?: number;
  /** Overrides the data length in ds64. */
  readonly longDataLength?: bigint;
  /** Chunks before and behind the samples. */
  readonly before?: readonly Uint8Array[];
  readonly after?: readonly Uint8Array[];
}

const SUBFORMAT_TAIL = [0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71];

/** The bytes of a WAV file around already encoded samples. */
export function wavFile(samples: Uint8Array, layout: WavLayout = {}): Uint8Array<ArrayBuffer> {
  const { form = "RIFF", formatTag = 1, channels = 1, sampleRate = 16_000, bits = 16, validBits } = layout;
  const little = form !== "RIFX";
  const blockAlign = layout.blockAlign ?? channels * bits / 8;
  const fmt = new Uint8Array(validBits === undefined ? 16 : 40);
  const view = new DataView(fmt.buffer);
  view.setUint16(0, validBits === undefined ? formatTag : 0xfffe, little);
  view.setUint16(2, channels, little);
  view.setUint32(4, sampleRate, little);
  view.setUint32(8, sampleRate * blockAlign, little);
  view.setUint16(12, blockAlign, little);
  view.setUint16(14, bits, little);
  if (validBits !== undefined) {
    view.setUint16(16, 22, little);
    view.setUint16(18, validBits, little);
    view.setUint16(24, formatTag, little);
    fmt.set(layout.subFormat ?? SUBFORMAT_TAIL, 26);
  }
  const long = form === "RF64" || form === "BW64";
  const ds64 = new Uint8Array(28);
  new DataView(ds64.buffer).setBigUint64(8, layout.longDataLength ?? BigInt(samples.length), true);
  const dataLength = layout.dataLength ?? (long ? 0xffff_ffff : samples.length);
  const chunks = [
    ...(long ? [chunk("ds64", ds64, little)] : []),
    chunk("fmt ", fmt, little),
    ...(layout.before ?? []),
    chunk("data", samples, little, dataLength),
    ...(layout.after ?? []),
  ];
  const body = concat([text("WAVE"), ...chunks]);
  return concat([text(form), uint32(layout.riffLength ?? (long ? 0xffff_ffff : body.length), little), body]);
}

/** A chunk, padded to an even length. */
export function chunk(
  id: string,
  bytes: Uint8Array,
  little = true,
  length = bytes.length,
): Uint8Array<ArrayBuffer> {
  return concat([text(id), uint32(length, little), bytes, new Uint8Array(bytes.length % 2)]);
}

/** Bytes end to end. */
export function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** 16-bit samples as bytes. */
export function int16Bytes(values: readonly number[], little = true): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(values.length * 2);
  const view = new DataView(bytes.buffer);
  values.forEach((value, i) => view.setInt16(i * 2, value, little));
  return bytes;
}

/** 32-bit float samples as bytes. */
export function float32Bytes(values: readonly number[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Float32Array.from(values).buffer);
}

function text(ascii: string): Uint8Array {
  return new TextEncoder().encode(ascii);
}

function uint32(value: number, little: boolean): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, little);
  return bytes;
}
