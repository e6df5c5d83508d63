/**
 * Gives out the built portal: hashed files that a browser may keep, and one page under a strict policy for every path that
 * the portal routes by itself. Files are read once at the start: a path from outside
 * names an entry of a map, never a file.
 */
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { extname, join, relative } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { Router } from 'express';
import type { Request, Response } from 'express';

/** First words of the paths that the portal's own router knows (hub/portal/src/pages). */
const PORTAL_PATHS = new Set([
  '',
  'login',
  'patients',
  'persons',
  'exams',
  'compare',
  'account',
  'operations',
  'administration',
  'audit',
  'my',
]);
const MAX_DEPTH = 4;

export interface Portal {
  /** Whether a path is the portal's: its files and pages hold no data, so they need no caller. */
  readonly owns: (path: string) => boolean;
  readonly router: Router;
}

interface StaticFile {
  readonly type: string;
  readonly bytes: Buffer;
  readonly etag: string;
  /** Compressed at first use, since most are never asked for. */
  readonly packed: Map<'br' | 'gzip', Promise<Buffer>>;
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
  '.png': 'image/png',
  '.json': 'application/json',
};

/**
 * Nothing from anywhere else, and no script but the files of the build. Ant Design makes its styles at run time, some of
 * them without a nonce, and charts write `style` attributes: styles alone may be inline. Images may be drawn by the page.
 */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "font-src 'self'",
  "connect-src 'self'",
  "frame-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');

/** `folder` is where `npm run build` put the portal. */
export function createPortal(folder: string): Portal {
  const files = readFiles(folder);
  const page = files.get('/index.html') ?? null;
  files.delete('/index.html');
  const isPage = (path: string): boolean => {
    const words = path.split('/').slice(1);
    return words.length <= MAX_DEPTH && PORTAL_PATHS.has(words[0] ?? '');
  };
  const router = Router();
  router.use(async (request, response, next) => {
    const file = files.get(request.path);
    if (!['GET', 'HEAD'].includes(request.method) || (file === undefined && !isPage(request.path))) next();
    else if (file !== undefined) await sendFile(request, response, file);
    else if (page === null) notBuilt(response);
    else sendPage(response, page.bytes);
  });
  return { owns: (path) => files.has(path) || isPage(path), router };
}

function readFiles(folder: string): Map<string, StaticFile> {
  let entries;
  try {
    entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  } catch {
    return new Map(); // not built: the page says so
  }
  return new Map(
    entries
      .filter((entry) => entry.isFile() && TYPES[extname(entry.name)] !== undefined)
      .map((entry) => {
        const path = join(entry.parentPath, entry.name);
        const bytes = readFileSync(path);
        const etag = `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`;
        const type = TYPES[extname(entry.name)] ?? '';
        return [`/${relative(folder, path)}`, { type, bytes, etag, packed: new Map() }];
      }),
  );
}

function notBuilt(response: Response): void {
  response.status(200).type('text/plain; charset=utf-8');
  response.send('Hutong is up; its portal is not built here: npm install, then npm run build, and start again.\n');
}

function sendPage(response: Response, page: Buffer): void {
  response.set({
    'Content-Security-Policy': POLICY,
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Permissions-Policy': 'camera=(), geolocation=(), microphone=()',
    'Cache-Control': 'no-store',
  });
  response.type('html').send(page);
}

const pack = {
  br: (bytes: Buffer): Promise<Buffer> =>
    promisify(brotliCompress)(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } }),
  gzip: (bytes: Buffer): Promise<Buffer> => promisify(gzip)(bytes, { level: 9 }),
};

/** A name under /assets changes with its content, so it may be kept for ever; anything else is asked for again. */
async function sendFile(request: Request, response: Response, file: StaticFile): Promise<void> {
  const lasting = request.path.startsWith('/assets/');
  response.set({
    'Cache-Control': lasting ? 'public, max-age=31536000, immutable' : 'no-cache',
    'Content-Security-Policy': "default-src 'none'",
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Content-Type': file.type,
    ETag: file.etag,
    Vary: 'Accept-Encoding',
  });
  if (request.headers['if-none-match'] === file.etag) {
    response.status(304).end();
    return;
  }
  const encoding = /^(text|image\/svg|application\/json)/.test(file.type) ? encodingOf(request) : null;
  if (encoding === null) {
    response.send(file.bytes);
    return;
  }
  const packed = file.packed.get(encoding) ?? pack[encoding](file.bytes);
  file.packed.set(encoding, packed);
  response.set('Content-Encoding', encoding).send(await packed);
}

function encodingOf(request: Request): 'br' | 'gzip' | null {
  const accepted = request.headers['accept-encoding'] ?? '';
  const takes = (name: string): boolean => new RegExp(`(^|[ ,])${name}(?!;q=0(\\.0+)?(,|$))(;|,|$)`).test(accepted);
  return takes('br') ? 'br' : takes('gzip') ? 'gzip' : null;
}
