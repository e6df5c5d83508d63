/**
 * The files of the viewer as `npm run build` left them in hub/viewer/dist: known by name before anybody asks, so that a path
 * from outside is looked up and never opened. They hold no data and need no caller.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import type { RequestHandler } from 'express';

export interface ViewerFiles {
  /** The name of the bundle that starts the viewer, and of the folder that browsers may keep; null: not built. */
  readonly build: { readonly entry: string; readonly styles: string } | null;
  /** Answers a file below the mount by its name. */
  readonly serve: RequestHandler;
}

const TYPES: Readonly<Record<string, string>> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.wasm': 'application/wasm',
  '.woff2': 'font/woff2',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
};

/** The release and its changes are a folder of the path: what lies in it never changes. */
const KEPT = /^\/(\d+\.\d+\.\d+-\d+)\/(.+)$/;

/**
 * Decoders made by emscripten build their functions from text. They run in a worker that has no page, no cookie and no
 * DOM; nothing else of the viewer may do so.
 */
const WORKER_POLICY =
  "default-src 'none'; script-src 'self' 'unsafe-eval'; connect-src 'self'; worker-src 'self' blob:";

/** The hub's own worker builds nothing from text: it asks this origin for frames, and that is all. */
const OWN_WORKER = 'hutong-worker.js';
const OWN_WORKER_POLICY = "default-src 'none'; connect-src 'self'";

export function openViewerFiles(dist: string): ViewerFiles {
  const names = existsSync(join(dist, 'made-from.txt')) ? readdirSync(dist, { recursive: true, encoding: 'utf8' }) : [];
  const known = new Set(names.filter((name) => TYPES[extname(name)] !== undefined));
  const compressed = new Set(names.filter((name) => name.endsWith('.gz')));
  const version = known.size === 0 ? '' : readFileSync(join(dist, 'made-from.txt'), 'utf8').slice(0, 16);
  const entry = [...known].find((name) => /^app\.bundle\.[0-9a-f]+\.js$/.test(name));
  const mount = names.length === 0 ? '' : readFileSync(join(dist, 'mount.txt'), 'utf8');
  return {
    build: entry === undefined ? null : { entry: `${mount}${entry}`, styles: `${mount}app.bundle.css` },
    serve: (request, response, next) => {
      const kept = KEPT.exec(request.path);
      const name = kept?.[2] ?? request.path.slice(1);
      if (!known.has(name) || !['GET', 'HEAD'].includes(request.method)) {
        next();
        return;
      }
      const isZipped = compressed.has(`${name}.gz`) && request.acceptsEncodings('gzip') === 'gzip';
      response.set({
        'Content-Type': TYPES[extname(name)] ?? 'application/octet-stream',
        'Cache-Control': kept === null ? 'no-cache' : 'public, max-age=31536000, immutable',
        'Cross-Origin-Resource-Policy': 'same-origin',
        ETag: `"${version}-${isZipped ? 'z' : 'p'}"`,
        Vary: 'Accept-Encoding',
        ...(isZipped ? { 'Content-Encoding': 'gzip' } : {}),
        ...(extname(name) === '.js'
          ? { 'Content-Security-Policy': name === OWN_WORKER ? OWN_WORKER_POLICY : WORKER_POLICY }
          : {}),
      });
      response.sendFile(isZipped ? `${name}.gz` : name, {
        root: dist,
        cacheControl: false,
        etag: false,
        lastModified: false,
      });
    },
  };
}
