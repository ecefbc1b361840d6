// The icons that installed applications need as points, from the drawing: `npm run icons`.

import { readFile, writeFile } from "node:fs/promises";

import { Browser } from "../../../test/browser.mjs";

const folder = new URL("../public/", import.meta.url);
const drawing = await readFile(new URL("icon.svg", folder), "utf8");
const browser = await Browser.start("chromium");
try {
  const tools = (command, params) => browser.driver.sendAndGetDevToolsCommand(command, params);
  const draw = async (name, size, svg) => {
    await browser.first.goto(
      `data:text/html,<style>*{margin:0}svg{display:block;width:100vw}</style>${encodeURIComponent(svg)}`,
    );
    await tools("Emulation.setDeviceMetricsOverride", {
      width: size,
      height: size,
      deviceScaleFactor: 1,
      mobile: false,
    });
    await tools("Emulation.setDefaultBackgroundColorOverride", { color: { r: 0, g: 0, b: 0, a: 0 } });
    const { data } = await tools("Page.captureScreenshot", { format: "png", optimizeForSpeed: false });
    await writeFile(new URL(name, folder), Buffer.from(data, "base64"));
  };
  await draw("icon-192.png", 192, drawing);
  await draw("icon-512.png", 512, drawing);
  // A mask cuts up to a fifth of each side: the ground goes to the edge, and the sign is smaller.
  const scaled = drawing
    .replace('rx="112"', "")
    .replace(
      /(<rect[^>]*>)([\s\S]*)(<\/svg>)/,
      (_, ground, sign, end) => `${ground}<g transform="translate(77 77) scale(0.7)">${sign}</g>${end}`,
    );
  await draw("icon-mask-512.png", 512, scaled);
} finally {
  await browser.close();
}
