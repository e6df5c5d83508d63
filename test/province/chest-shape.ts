/** The outer forms that all parts of the synthetic chest share: skin, chest cavity and diaphragm, as distances in mm. */
import { ellipse, ellipsoid } from './phantom.ts';
import type { Box } from './phantom.ts';

/** Where skin, and where ribs and what they hold, can be. */
export const BODY: Box = { from: [-180, -160, -400], to: [180, 125, 400] };
export const CHEST: Box = { from: [-145, -106, -400], to: [145, 106, 400] };

export const FAT = -102;
export const MUSCLE = 52;

export interface Body {
  readonly width: number;
  readonly depth: number;
  readonly fat: number;
  readonly female: boolean;
}

/** Smooth noise by place, standard deviation 1: what makes tissue look like tissue. */
export type Mottle = (x: number, y: number, z: number) => number;

/** Half width, half depth of the chest cavity at height z (0 is the carina). */
export function cavity(body: Body, z: number): [number, number] {
  const shrink = z > -40 ? Math.sqrt(Math.max(0.02, 1 - ((z + 40) / 150) ** 2)) : 1;
  return [body.width * 0.77 * shrink, body.depth * 0.8 * (0.35 + 0.65 * shrink)];
}

export const cavityDistance = (body: Body, x: number, y: number, z: number): number => {
  const [a, b] = cavity(body, z);
  // Two overlapping ovals, one for each lung: flat in front, hollow at the spine.
  const side = Math.abs(x) - a * 0.36;
  return side < 0 ? Math.max(Math.abs(y + 2) - b, -a) : ellipse(side, y + 2, a * 0.64, b);
};

export function outlineDistance(body: Body, x: number, y: number, z: number): number {
  const a = body.width * (z > 60 ? 1 - ((z - 60) / 120) ** 2 : 1);
  const b = body.depth * (z > 50 ? 1 - ((z - 50) / 190) ** 2 : 1);
  const u = Math.abs(x / a);
  const v = Math.abs(y / b);
  // A superellipse of exponent 2.5, its 0.4th root replaced by the slope at the edge.
  const around = u * u * Math.sqrt(u) + v * v * Math.sqrt(v);
  const distance = (around - 1) * 0.4 * Math.min(a, b);
  if (!body.female || y > 0 || Math.abs(z + 38) > 70) return distance;
  const breast = ellipsoid([x < 0 ? -72 : 72, -body.depth + 8, -38], [52, 42, 48]);
  return smoothUnion(distance, breast(x, y, z, 0), 14);
}

const smoothUnion = (a: number, b: number, k: number): number => {
  const h = Math.max(0, k - Math.abs(a - b)) / k;
  return Math.min(a, b) - h * h * k * 0.25;
};

/** Height of the diaphragm above each place: two domes. */
export const dome = (x: number, y: number): number => {
  const centre = x < 8 ? [-62, -4, -72] : [66, 2, -84];
  const [cx = 0, cy = 0, top = 0] = centre;
  return top - 46 * (((x - cx) / 74) ** 2 + ((y - cy) / 82) ** 2);
};
