/**
 * AMD's libxrt and its NPU driver library, from Debian's packages, in a folder: nothing is installed.
 *
 * @module
 */

import { join } from "node:path";

/** libxrt, its driver for NPUs, its headers, and the libraries of the same release that they run with. */
const PACKAGES: readonly string[] = [
  "libxrt2",
  "libxrt-npu2",
  "libxrt-dev",
  "libc6",
  "libgcc-s1",
  "libstdc++6",
  "libuuid1",
  "libssl3t64",
  "libprotobuf32t64",
  "zlib1g",
  "libzstd1",
];
const SUITES: readonly string[] = ["trixie", "trixie-backports"];
const KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";

/** Unpacked packages. */
export interface Packages {
  /** Holds `usr/include/xrt`. */
  readonly root: string;
  /** The folder of the libraries. */
  readonly libraries: string;
  /** Their dynamic loader, which may be newer than the machine's. */
  readonly loader: string;
}

/** Why the packages cannot be had. */
export class NoPackagesError extends Error {}

async function command(name: string, args: readonly string[], cwd?: string): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(name, { args: [...args], cwd }).output().catch(
    () => {
      throw new NoPackagesError(`${name} cannot be run`);
    },
  );
  const text = new TextDecoder().decode(stderr).trim().split("\n").at(-1);
  if (!success) {
    throw new NoPackagesError(`${name} ${args.find((arg) => !arg.startsWith("-"))} failed: ${text}`);
  }
  return new TextDecoder().decode(stdout);
}

/** The mirror of Debian that this machine's apt uses. */
async function mirror(): Promise<string> {
  const files = ["/etc/apt/sources.list"];
  try {
    for await (const { name } of Deno.readDir("/etc/apt/sources.list.d")) {
      files.push(`/etc/apt/sources.list.d/${name}`);
    }
  } catch {
    // no such folder
  }
  for (const file of files) {
    const text = await Deno.readTextFile(file).catch(() => "");
    const found = /^(?:URIs: *|deb +(?:\[[^\]]*\] +)?)(\S+\/debian)\/?(?:\s|$)/m.exec(text);
    if (found) return found[1];
  }
  throw new NoPackagesError("apt has no mirror of Debian");
}

async function fetchInto(folder: string): Promise<void> {
  const apt = join(folder, "apt"), debs = join(folder, "debs");
  for (const name of ["lists/partial", "cache/archives/partial"]) {
    await Deno.mkdir(join(apt, name), { recursive: true });
  }
  await Deno.mkdir(debs, { recursive: true });
  await Deno.writeTextFile(join(apt, "status"), "");
  const from = await mirror();
  await Deno.writeTextFile(
    join(apt, "sources.list"),
    SUITES.map((suite) => `deb [signed-by=${KEYRING}] ${from} ${suite} main\n`).join(""),
  );
  const options = {
    "Dir::Etc::sourcelist": join(apt, "sources.list"),
    "Dir::Etc::sourceparts": "-",
    "Dir::State::lists": join(apt, "lists"),
    "Dir::State::status": join(apt, "status"),
    "Dir::Cache": join(apt, "cache"),
    "Debug::NoLocking": "1",
    "APT::Architecture": "amd64",
    "APT::Update::Error-Mode": "any",
  };
  const flags = Object.entries(options).flatMap(([name, value]) => ["-o", `${name}=${value}`]);
  await command("apt-get", ["-q", ...flags, "update"]);
  await command("apt-get", ["-q", ...flags, "-t", SUITES[1], "download", ...PACKAGES], debs);
  const root = join(folder, "unfinished");
  for await (const { name } of Deno.readDir(debs)) await command("dpkg", ["-x", join(debs, name), root]);
  await Deno.rename(root, join(folder, "root"));
}

/**
 * The packages, fetched if they are not there yet.
 *
 * @throws {NoPackagesError} where they cannot be had: another processor, no apt, no network.
 */
export async function packages(): Promise<Packages> {
  if (Deno.build.target !== "x86_64-unknown-linux-gnu") {
    throw new NoPackagesError(`libxrt is packaged for x86_64 Linux, this is ${Deno.build.target}`);
  }
  const temporary = Deno.env.get("TMPDIR") ?? "/tmp";
  const folder = Deno.env.get("SOTTO_XRT_PACKAGES") ?? join(temporary, "sotto_xrt_packages");
  const root = join(folder, "root"), libraries = join(root, "usr/lib/x86_64-linux-gnu");
  const isThere = await Deno.stat(join(libraries, "libxrt_driver_xdna.so.2")).then(() => true, () => false);
  if (!isThere) {
    await Deno.mkdir(folder, { recursive: true });
    await Deno.remove(join(folder, "root"), { recursive: true }).catch(() => {});
    await fetchInto(folder);
  }
  return { root, libraries, loader: join(root, "usr/lib64/ld-linux-x86-64.so.2") };
}
