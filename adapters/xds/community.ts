/**
 * Other communities, each behind its responding gateway (XCA, IHE ITI TF-1 §18; XCA-I, RAD TF-1 §29): asked as the hub's
 * initiating gateway asks, every call bounded by the community's own time limit.
 */
import { mkdir, rm } from 'node:fs/promises';
import type { Calling } from '../../hub/core/audit.ts';
import type { Problem, Result } from '../../hub/core/problem.ts';
import { fail, ok, problem } from '../../hub/core/problem.ts';
import { ITI38_REQUEST } from '../../mappings/xds/cross-query.ts';
import type { QueryAnswer } from '../../mappings/xds/cross-query.ts';
import { ITI39_REQUEST, RAD75_REQUEST } from '../../mappings/xds/cross-retrieve.ts';
import type { XdsEndpoint, XdsLimits } from './endpoint.ts';
import { namedImages } from './named-image.ts';
import { XdsPeer } from './peer.ts';
import type { Retrieved } from './peer.ts';
import { spool, SpoolRoom } from './spool.ts';
import type { Spooled } from './spool.ts';

export interface CommunityConfig {
  /** `urn:oid:…` */
  readonly home: string;
  readonly name: string;
  /** Authority of the patient ids that this community knows; absent: the same as here. */
  readonly patientIdAuthority?: string;
  readonly query?: XdsEndpoint;
  readonly retrieve?: XdsEndpoint;
  readonly images?: XdsEndpoint;
}

export interface Community {
  readonly home: string;
  readonly name: string;
  readonly patientIdAuthority?: string;
  query(body: string, calling?: Calling): Promise<Result<QueryAnswer>>;
  /** The answer as it comes: it may still break off. */
  open(kind: 'documents' | 'images', body: string, calling?: Calling): Promise<Result<Retrieved>>;
  /** The answer whole, or what came of it. */
  take(kind: 'documents' | 'images', body: string, calling?: Calling): Promise<Result<Spooled>>;
}

const SPOOL_BYTES = 16 * 2 ** 30;

export interface Communities {
  readonly all: readonly Community[];
  close(): Promise<void>;
}

/** `folder` holds answers on their way; it is emptied. */
export async function openCommunities(
  configs: readonly CommunityConfig[],
  folder: string,
  limits: Partial<XdsLimits> & { readonly spoolBytes?: number } = {},
): Promise<Communities> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const room = new SpoolRoom(limits.spoolBytes ?? SPOOL_BYTES);
  const peers: XdsPeer[] = [];
  const peerOf = (endpoint: XdsEndpoint | undefined): XdsPeer | null => {
    if (endpoint === undefined) return null;
    const peer = new XdsPeer(endpoint, limits);
    peers.push(peer);
    return peer;
  };
  const all = configs.map((config): Community => {
    const query = peerOf(config.query);
    const by = { documents: peerOf(config.retrieve), images: peerOf(config.images) };
    const open: Community['open'] = async (kind, body, calling) => {
      const peer = by[kind];
      if (!peer) return fail(NOT_OFFERED);
      if (kind === 'documents') return peer.retrieve(ITI39_REQUEST, body, calling);
      const images = await peer.retrieve(RAD75_REQUEST, body, calling);
      return images.ok ? ok({ ...images.value, documents: namedImages(images.value.documents) }) : images;
    };
    const { home, name, patientIdAuthority } = config;
    return {
      home,
      name,
      ...(patientIdAuthority === undefined ? {} : { patientIdAuthority }),
      query: (body, calling) => query?.query(ITI38_REQUEST, body, calling) ?? Promise.resolve(fail(NOT_OFFERED)),
      open,
      async take(kind, body, calling) {
        const opened = await open(kind, body, calling);
        return opened.ok ? ok(await spool(opened.value, folder, room)) : opened;
      },
    };
  });
  return {
    all,
    async close() {
      for (const peer of peers) peer.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

const NOT_OFFERED: Problem = problem('unsupported-message', undefined, 'The community has no address for this.');
