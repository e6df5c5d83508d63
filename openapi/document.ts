/** openapi/hub.yaml as an object, read once at start: routes, request checks and Swagger UI are made from it. */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import type { ActKind } from '../hub/core/access.ts';

export interface OperationObject {
  readonly operationId: string;
  /** The right that `hub/core/access` decides about; `any`: whoever is known; `public`: who is about to sign on as well. */
  readonly 'x-act': 'any' | 'public' | ActKind;
}

export interface Document {
  readonly openapi: string;
  readonly info: { readonly title: string; readonly version: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, OperationObject>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, object>> };
}

/** A new object each time: who reads it may change its own. */
export function readDocument(): Document {
  return parse(readFileSync(new URL('./hub.yaml', import.meta.url), 'utf8')) as Document;
}
