import assert from "node:assert/strict";
import { taskArguments } from "../../cli/task_arguments.ts";
import { SottoError } from "../../errors.ts";
import { assertRefused, denoCommand, resultOf, twoAtATime } from "../support/command.ts";
import { PROJECT_ROOT } from "../support/shared_data.ts";

const CONFIG = {
  options: { model: { type: "string", default: "base" }, files: { type: "boolean" } },
  allowPositionals: true,
} as const;

/** Message and hint of what arguments are refused with. */
function refusal(args: readonly string[]): [string, string] {
  try {
    taskArguments(args, CONFIG, "See the usage.");
  } catch (error) {
    assert.ok(error instanceof SottoError && error.code === "E_OPTION", String(error));
    return [error.message, error.hint];
  }
  assert.fail(`${args.join(" ")} is taken`);
}

Deno.test("taskArguments() gives values and positionals, defaults filled in", () => {
  const { values, positionals } = taskArguments(["--files", "a", "b"], CONFIG);
  assert.deepEqual({ ...values }, { model: "base", files: true });
  assert.deepEqual(positionals, ["a", "b"]);
});

Deno.test("taskArguments() says in one sentence what is wrong, and which option was meant", () => {
  assert.deepEqual(refusal(["--modle", "x"]), [
    "Unknown option '--modle'",
    "Did you mean --model? See the usage.",
  ]);
  assert.deepEqual(refusal(["--quite-else"]), ["Unknown option '--quite-else'", "See the usage."]);
  assert.deepEqual(refusal(["--model"]), ["Option '--model <value>' argument missing", "See the usage."]);
  assert.deepEqual(refusal(["--model", "--files"])[0], "Option '--model' argument is ambiguous");
  assert.match(refusal(["--files=yes"])[0], /^Option '--files' does not take an argument$/);
});

Deno.test("Tasks refuse an unknown option in one line", async (t) => {
  const tasks = [
    "cli/doctor/main.ts",
    "cli/permissions.ts",
    "evaluate/main.ts",
    "native/build.ts",
    "native/install.ts",
    "pack/main.ts",
  ];
  const run = (task: string) =>
    resultOf(
      denoCommand(["run", "-A", "--no-check", new URL(task, PROJECT_ROOT).pathname, "--nonsense"]).spawn(),
    );
  const results = await twoAtATime(tasks.map((task) => () => run(task)));
  for (const [i, task] of tasks.entries()) {
    await t.step(task, () => assertRefused(results[i], "E_OPTION", /nknown option '?--nonsense/));
  }
});
