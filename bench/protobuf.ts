/**
 * Writes protocol buffers (wire format: protobuf.dev/programming-guides/encoding), as much as ONNX needs.
 *
 * @module
 */

/** A message in the making: fields in the order they are added. */
export class ProtoMessage {
  readonly #parts: Uint8Array[] = [];
  #length = 0;

  /** Adds an integer, 0…2^53. */
  int(field: number, value: number): this {
    return this.#key(field, 0).#varint(value);
  }

  /** Adds a 32-bit float. */
  float(field: number, value: number): this {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setFloat32(0, value, true);
    return this.#key(field, 5).#bytes(bytes);
  }

  /** Adds text in UTF-8. */
  text(field: number, value: string): this {
    return this.bytes(field, new TextEncoder().encode(value));
  }

  /** Adds bytes; they are not copied before {@linkcode finish}. */
  bytes(field: number, value: Uint8Array): this {
    return this.#key(field, 2).#varint(value.length).#bytes(value);
  }

  /** Adds a message within this one. */
  message(field: number, value: ProtoMessage): this {
    this.#key(field, 2).#varint(value.#length);
    for (const part of value.#parts) this.#bytes(part);
    return this;
  }

  /** The encoded message. */
  finish(): Uint8Array<ArrayBuffer> {
    const out = new Uint8Array(this.#length);
    let at = 0;
    for (const part of this.#parts) {
      out.set(part, at);
      at += part.length;
    }
    return out;
  }

  #key(field: number, wireType: 0 | 2 | 5): this {
    return this.#varint(field * 8 + wireType);
  }

  #varint(value: number): this {
    const bytes: number[] = [];
    for (; value > 127; value = Math.floor(value / 128)) bytes.push(value % 128 + 128);
    return this.#bytes(Uint8Array.from([...bytes, value]));
  }

  #bytes(part: Uint8Array): this {
    this.#parts.push(part);
    this.#length += part.length;
    return this;
  }
}
