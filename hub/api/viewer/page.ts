/**
 * The one page of the viewer and what it may do: every script is a file of this origin, nothing is asked of another one,
 * and only the sites that the operator named may show it in a frame.
 */
import type { Response } from 'express';
import type { ViewerFiles } from './files.ts';

/** Decoders are WebAssembly; React and the drawing library style elements inline; volumes and pictures are blobs. */
export const pagePolicy = (embedders: readonly string[]): string =>
  [
    "default-src 'none'",
    "script-src 'self' 'wasm-unsafe-eval'",
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data: blob:",
    "font-src 'self'",
    "connect-src 'self' blob: data:",
    "media-src 'self' blob:",
    "worker-src 'self' blob:",
    "frame-src 'self' blob:",
    "base-uri 'none'",
    "form-action 'none'",
    `frame-ancestors 'self'${embedders.map((origin) => ` ${origin}`).join('')}`,
  ].join('; ');

export function sendPage(
  response: Response,
  build: NonNullable<ViewerFiles['build']>,
  embedders: readonly string[],
): void {
  response.removeHeader('X-Frame-Options'); // it knows no list; frame-ancestors stands for it (CSP 3 §6.4.2)
  response.set({
    'Content-Security-Policy': pagePolicy(embedders),
    'Cache-Control': 'no-cache',
    'Cross-Origin-Opener-Policy': 'same-origin',
  });
  response.type('html').send(`<!doctype html>
<html lang="zh-CN">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>互通影像 · Hutong viewer</title>
    <link rel="icon" href="/viewer/assets/favicon.ico" />
    <link rel="stylesheet" href="${build.styles}" />
    <script defer src="/viewer/hutong.js"></script>
    <script defer src="${build.entry}"></script>
  </head>
  <body>
    <noscript>请启用 JavaScript。 JavaScript is needed.</noscript>
    <div id="react-portal"></div>
    <div id="root"></div>
  </body>
</html>
`);
}

/** What stands at /viewer where nobody built it. */
export function sendUnbuilt(response: Response): void {
  response
    .status(503)
    .type('text/plain')
    .send(
      '影像浏览器尚未构建，请运行 npm run build · The viewer is not built: run npm run build, then start the hub again.\n',
    );
}
