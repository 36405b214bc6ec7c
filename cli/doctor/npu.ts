/**
 * What an AMD NPU needs on Linux, and what of it is there: kernel module, device node, right to open it, lockable
 * memory, firmware, libxrt.
 *
 * @module
 */

import { join } from "node:path";

/** A device node of an accelerator. */
export interface AcceleratorNode {
  /** Such as `/dev/accel/accel0`. */
  readonly path: string;
  /** Name of the driver that it belongs to; null where the system does not say. */
  readonly driver: string | null;
  /** Name or number of its group. */
  readonly group: string;
  /** Whether this user can open it for reading and writing. */
  readonly opens: boolean;
}

/** What there is of an NPU. */
export interface NpuFacts {
  /** Whether the kernel module `amdxdna` is loaded. */
  readonly module: boolean;
  /** Accelerators, `accel0` first. */
  readonly nodes: readonly AcceleratorNode[];
  /** Groups of this user. */
  readonly groups: readonly string[];
  /** Bytes this process may lock; null: without limit, or not known. */
  readonly memlock: number | null;
  /** Files of the NPU's firmware, relative to the folder of firmware. */
  readonly firmware: readonly string[];
  /** Firmware that runs on the NPU, as its driver says; null if it does not. */
  readonly firmwareVersion: string | null;
  /** Version of libxrt by its file's name, such as `2.19.0`; null if it was not found. */
  readonly libxrt: string | null;
}

/** The driver of AMD's NPUs. */
export const NPU_DRIVER = "amdxdna";

const LIBXRT_FOLDERS = [
  "opt/xilinx/xrt/lib",
  "opt/xilinx/xrt/lib64",
  "usr/lib",
  "usr/lib64",
  "usr/local/lib",
];

/**
 * Looks for an NPU.
 *
 * @param root Where the file system begins; another folder shows another machine.
 */
export async function npuFacts(root = "/"): Promise<NpuFacts> {
  const groups = await groupNames(root);
  const status = await readText(join(root, "proc/self/status"));
  const ids = status.match(/^Groups:[ \t]*(.*)$/m)?.[1].trim().split(/\s+/).filter(Boolean) ?? [];
  const nodes = (await namesIn(join(root, "dev/accel"))).filter((name) => /^accel\d+$/.test(name)).sort();
  return {
    module: /^amdxdna /m.test(await readText(join(root, "proc/modules"))) ||
      await exists(join(root, "sys/module", NPU_DRIVER)),
    nodes: await Promise.all(nodes.map((name) => nodeFacts(root, name, groups))),
    groups: ids.map((id) => groups.get(id) ?? id),
    memlock: memlockOf(await readText(join(root, "proc/self/limits"))),
    firmware: await firmwareIn(join(root, "lib/firmware/amdnpu")),
    firmwareVersion: await firmwareVersion(root, nodes),
    libxrt: await libxrtVersion(root),
  };
}

async function nodeFacts(
  root: string,
  name: string,
  groups: ReadonlyMap<string, string>,
): Promise<AcceleratorNode> {
  const path = join(root, "dev/accel", name);
  const gid = String((await Deno.stat(path)).gid);
  const driver = await Deno.realPath(join(root, "sys/class/accel", name, "device/driver")).catch(() => null);
  const opens = await Deno.open(path, { read: true, write: true }).then(
    (file) => (file.close(), true),
    () => false,
  );
  return {
    path: `/${["dev", "accel", name].join("/")}`,
    driver: driver?.split("/").at(-1) ?? null,
    group: groups.get(gid) ?? gid,
    opens,
  };
}

/** Names of groups by number, as `/etc/group` has them. */
async function groupNames(root: string): Promise<Map<string, string>> {
  const lines = (await readText(join(root, "etc/group"))).split("\n");
  return new Map(
    lines.map((line) => line.split(":")).filter((it) => it.length > 2).map(([name, , id]) => [id, name]),
  );
}

/** The soft limit, which is what counts. */
function memlockOf(limits: string): number | null {
  const soft = limits.match(/^Max locked memory\s+(\S+)/m)?.[1];
  return soft === undefined || soft === "unlimited" ? null : Number(soft);
}

async function firmwareIn(folder: string): Promise<string[]> {
  const found: string[] = [];
  for (const name of await namesIn(folder)) {
    for (const file of await namesIn(join(folder, name))) found.push(`amdnpu/${name}/${file}`);
  }
  return found.sort();
}

async function firmwareVersion(root: string, nodes: readonly string[]): Promise<string | null> {
  for (const node of nodes) {
    const version = (await readText(join(root, "sys/class/accel", node, "device/fw_version"))).trim();
    if (version !== "") return version;
  }
  return null;
}

async function libxrtVersion(root: string): Promise<string | null> {
  const inArch = (await namesIn(join(root, "usr/lib"))).filter((name) => name.endsWith("-linux-gnu"))
    .map((name) => `usr/lib/${name}`);
  for (const folder of [...LIBXRT_FOLDERS, ...inArch]) {
    const names = (await namesIn(join(root, folder))).filter((name) =>
      name.startsWith("libxrt_coreutil.so.")
    );
    // The longest name is the file itself; the others are links to it.
    const longest = names.sort((a, b) => b.length - a.length)[0];
    if (longest) return longest.slice("libxrt_coreutil.so.".length);
  }
  return null;
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name);
  } catch {
    return []; // missing, or not for us to see: as good as empty
  }
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

async function readText(path: string): Promise<string> {
  return await Deno.readTextFile(path).catch(() => "");
}
