// An application on the SDK, as the README has it, over the types of the earliest version.

import { HaosStore } from "@haos/matrix-js-sdk-store";
import { createClient } from "matrix-js-sdk";

const store = new HaosStore({ name: "chat", localStorage: window.localStorage });
store.on("degraded", (error: Error) => console.log(error.message));
export const client = createClient({
  baseUrl: "https://example.org",
  userId: "@ada:example.org",
  accessToken: "…",
  store,
});
