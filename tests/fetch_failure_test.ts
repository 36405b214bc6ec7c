import assert from "node:assert/strict";
import { fetchFailure } from "../fetch_failure.ts";

Deno.test("fetchFailure() tells the system's reason without the URL", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const error = await fetch(`http://127.0.0.1:${port}/secret/path`).catch((error) => error);
  assert.match(fetchFailure(error), /[Cc]onnection refused/);
  assert.doesNotMatch(fetchFailure(error), /secret|fetch failed|\n/);
});

Deno.test("fetchFailure() takes whatever was thrown", () => {
  assert.equal(fetchFailure(new TypeError("no\n cause")), "no cause");
  assert.equal(fetchFailure("text"), "text");
});
