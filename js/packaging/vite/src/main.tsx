import { createRoot } from "react-dom/client";

import { App } from "./screen";

createRoot(document.getElementById("root")!).render(<App />);
