/**
 * EMBEDDED_METADATA: the kernels of an xclbin and their arguments, as XML.
 *
 * Only what describes kernels is looked at: `kernel`, its `extended-data`, `arg` and `instance` elements. The rest of
 * the XML is walked over.
 *
 * @module
 */

import { refuseXclbin } from "./refuse.ts";

/** An argument as the metadata describes it. */
export interface ArgumentMetadata {
  /** Such as `bo0`. */
  readonly name: string;
  /** `scalar`: passed by value; `global`: a buffer; `other`: constants, local memory, streams. */
  readonly kind: "scalar" | "global" | "other";
  /** Position in a call; null for one that is not numbered. */
  readonly index: number | null;
  /** Bytes it takes in the command packet. */
  readonly size: number;
  /** Where it lies in the command packet, bytes. */
  readonly offset: number;
  /** In C, such as `uint64_t`. */
  readonly type: string;
}

/** A kernel as the metadata describes it. */
export interface KernelMetadata {
  /** Such as `MLIR_AIE`. */
  readonly name: string;
  /** `dpu` for NPU kernels. */
  readonly type: string;
  /** Id that the partition refers to; null where there is none. */
  readonly kernelId: bigint | null;
  /** In order of the file. */
  readonly arguments: readonly ArgumentMetadata[];
  /** Names of its instances. */
  readonly instances: readonly string[];
}

interface Tag {
  readonly name: string;
  readonly closing: boolean;
  readonly attributes: ReadonlyMap<string, string>;
}

const ENTITIES: Readonly<Record<string, string>> = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" };

function unescapeXml(text: string): string {
  return text.replace(/&(\w+);/g, (whole, name) => Object.hasOwn(ENTITIES, name) ? ENTITIES[name] : whole);
}

/** The tags of an XML text in order; declarations and comments are left out. */
function* tagsOf(xml: string): Generator<Tag> {
  let at = 0;
  while ((at = xml.indexOf("<", at)) >= 0) {
    if (xml.startsWith("<!--", at) || xml.startsWith("<?", at)) {
      const end = xml.startsWith("<?", at) ? "?>" : "-->";
      const close = xml.indexOf(end, at);
      if (close < 0) refuseXclbin("its metadata must be XML", `an unfinished ${xml.slice(at, at + 4)}`);
      at = close + end.length;
      continue;
    }
    const close = xml.indexOf(">", at);
    if (close < 0) refuseXclbin("its metadata must be XML", "an unfinished tag");
    const inside = xml.slice(at + 1, close);
    at = close + 1;
    const name = /^\/?([\w.:-]+)/.exec(inside);
    if (name === null) continue; // <!DOCTYPE …>
    const attributes = new Map<string, string>();
    for (const [, key, value] of inside.matchAll(/([\w.:-]+)="([^"<]*)"/g)) {
      attributes.set(key, unescapeXml(value));
    }
    yield { name: name[1], closing: inside.startsWith("/"), attributes };
  }
}

function number(tag: Tag, key: string): number {
  const text = tag.attributes.get(key) ?? "";
  const value = /^(0[xX][0-9a-fA-F]+|\d+)$/.test(text) ? Number(text) : NaN;
  if (!Number.isSafeInteger(value)) {
    refuseXclbin(`attribute ${key} of <${tag.name}> must be a number`, `"${text}"`);
  }
  return value;
}

function readArgument(tag: Tag): ArgumentMetadata {
  const qualifier = number(tag, "addressQualifier");
  return {
    name: tag.attributes.get("name") ?? "",
    kind: qualifier === 0 ? "scalar" : qualifier === 1 ? "global" : "other",
    index: tag.attributes.get("id") === "" ? null : number(tag, "id"),
    size: number(tag, "size"),
    offset: number(tag, "offset"),
    type: tag.attributes.get("type") ?? "",
  };
}

/**
 * Reads the section.
 *
 * @throws {SottoError} E_XCLBIN if it is not UTF-8, or an element is cut, or an attribute is not a number.
 */
export function readKernelMetadata(bytes: Uint8Array): KernelMetadata[] {
  let xml: string;
  try {
    xml = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    refuseXclbin("its metadata must be UTF-8", `${bytes.length} other bytes`);
  }
  const kernels: KernelMetadata[] = [];
  let open: {
    name: string;
    type: string;
    kernelId: bigint | null;
    arguments: ArgumentMetadata[];
    instances: string[];
  } | null = null;
  for (const tag of tagsOf(xml)) {
    if (tag.name === "kernel") {
      open = null;
      if (tag.closing) continue;
      const name = tag.attributes.get("name") ?? "";
      if (name === "") refuseXclbin("a kernel must have a name", "none");
      open = { name, type: tag.attributes.get("type") ?? "", kernelId: null, arguments: [], instances: [] };
      kernels.push(open);
    } else if (open !== null && !tag.closing) {
      if (tag.name === "arg") open.arguments.push(readArgument(tag));
      if (tag.name === "instance") open.instances.push(tag.attributes.get("name") ?? "");
      if (tag.name === "extended-data" && tag.attributes.has("dpu_kernel_id")) {
        open.kernelId = BigInt(number(tag, "dpu_kernel_id"));
      }
    }
  }
  return kernels;
}
