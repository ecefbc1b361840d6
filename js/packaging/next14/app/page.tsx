import { App } from "./screen";

export default function Page() {
  return <App />;
}
