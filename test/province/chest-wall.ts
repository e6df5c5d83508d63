/** Skin, fat, muscle and breasts of the synthetic chest, its bones, and the couch under the patient. */
import { BODY, cavity, CHEST, FAT, MUSCLE, outlineDistance } from './chest-shape.ts';
import type { Body, Mottle } from './chest-shape.ts';
import { ellipse, rod, smooth } from './phantom.ts';
import type { Point, Volume } from './phantom.ts';

export function paintWall(volume: Volume, body: Body, inside: Float32Array, fine: Mottle, broad: Mottle): void {
  const outline = volume.field((x, y, z) => outlineDistance(body, x, y, z));
  const skin = (_x: number, _y: number, _z: number, at: number): number => outline[at] ?? 0;
  couch(volume, body.depth);
  volume.paint(BODY, skin, 25);
  volume.paint(
    BODY,
    (_x, _y, _z, at) => (outline[at] ?? 0) + 2,
    (x, y, z) => FAT + 6 * fine(x, y, z),
  );
  const muscle = (x: number, y: number, z: number, at: number): number => {
    const thickness = 13 + 7 * smooth(-60, 40, z) + 90 * smooth(30, 95, z) + 9 * smooth(20, 80, y);
    return Math.max((inside[at] ?? 0) - thickness, (outline[at] ?? 0) + body.fat + 2 * broad(x, y, z * 0.1));
  };
  volume.paint(BODY, muscle, (x, y, z, _before, at) => {
    const layer = inside[at] ?? 0;
    const plane = Math.sin(layer * 0.3 + 0.03 * x + 1.1 * broad(x, y, z * 0.05) + 1.4 * Math.sin(y * 0.035 + z * 0.02));
    return layer > 12 && plane > 0.8 ? FAT + 40 : MUSCLE + 5 * fine(x, y, z);
  });
  if (!body.female) return;
  for (const side of [-1, 1]) {
    const centre: Point = [side * 74, -body.depth - 4, -40];
    volume.ball(centre, [32, 22, 30], 0, (x, y, z, before) => (broad(x, y, z) > 0.1 && before < 0 ? 20 : before));
  }
}

function couch(volume: Volume, depth: number): void {
  const top = (x: number): number => depth + 10 - (x / 60) ** 2;
  volume.paint(null, (x, y) => Math.max(Math.abs(y - top(x)) - 2, Math.abs(x) - 190), -180);
}

export function paintSkeleton(volume: Volume, body: Body, inside: Float32Array): void {
  paintRibs(volume, body, inside);
  const spineY = body.depth * 0.5;
  const vertebra = (z: number): number => Math.abs(((((z + 300) % 24) + 24) % 24) - 12);
  const spine = (x: number, y: number): number => ellipse(x, y - spineY, 17, 14.5);
  volume.paint({ from: [-22, spineY - 18, -200], to: [22, spineY + 18, 200] }, spine, (x, y, z) =>
    vertebra(z) > 9.6
      ? 88
      : spine(x, y) > -2.2 || vertebra(z) > 8.4
        ? 520
        : 190 + 40 * Math.sin(x * 1.3) * Math.sin(y * 1.1),
  );
  const back: readonly (readonly [Point, Point, number])[] = [
    [[-11, spineY + 9, 0], [-14, spineY + 24, 0], 4.5],
    [[11, spineY + 9, 0], [14, spineY + 24, 0], 4.5],
    [[-14, spineY + 24, 0], [0, spineY + 33, 0], 3.6],
    [[14, spineY + 24, 0], [0, spineY + 33, 0], 3.6],
    [[0, spineY + 33, 0], [0, spineY + 46, 0], 3.4],
    [[-14, spineY + 22, 0], [-36, spineY + 28, 0], 4],
    [[14, spineY + 22, 0], [36, spineY + 28, 0], 4],
  ];
  const bones = back.map(([a, b, radius]) => rod(a, b, radius, radius * 0.85));
  const arch = (x: number, y: number): number => {
    let nearest = 99;
    for (const bone of bones) nearest = Math.min(nearest, bone(x, y, 0, 0));
    return nearest;
  };
  volume.paint(
    { from: [-42, spineY, -200], to: [42, spineY + 56, 200] },
    (x, y, z) => {
      const gap = Math.max(0, vertebra(z) - 9);
      return arch(x, y) + gap * 0.8;
    },
    (x, y) => (arch(x, y) > -1.8 ? 600 : 260),
  );
  volume.paint(
    { from: [-12, spineY + 8, -200], to: [12, spineY + 32, 200] },
    (x, y) => ellipse(x, y - spineY - 21, 8.6, 7.4),
    (x, y) => (ellipse(x, y - spineY - 21, 5.4, 4.4) < 0 ? 42 : 12),
  );
  // Sternum, clavicles, shoulder blades.
  const front = -body.depth * 0.8 - 7;
  volume.paint(
    { from: [-26, front - 14, -70], to: [26, front + 18, 62] },
    (x, y, z) => Math.max(ellipse(x, y - front - 0.12 * Math.max(0, z), z > 30 ? 22 : 16, 6.2), Math.abs(z - 0) - 58),
    (x, y, z) => (ellipse(x, y - front - 0.12 * Math.max(0, z), z > 30 ? 22 : 16, 6.2) > -1.8 ? 420 : 140),
  );
  for (const side of [-1, 1]) {
    const bone = (inner: number) => (inner > -2 ? 700 : 280);
    const clavicle: Point[] = [
      [side * 18, front + 18, 62],
      [side * 60, front + 24, 74],
      [side * 130, -6, 92],
    ];
    for (let at = 1; at < clavicle.length; at++) {
      const [a, b] = [clavicle[at - 1], clavicle[at]];
      if (!a || !b) continue;
      const shape = rod(a, b, 6.4, 6);
      volume.rod(a, b, 6.4, 6, (x, y, z) => bone(shape(x, y, z, 0)));
    }
    const blade = (x: number, y: number, z: number): number => {
      const height = smooth(-62, -40, z);
      const along = side * x;
      const curve = 84 - 0.0052 * (along - 60) ** 2 * 1.6 - 0.06 * (z - 20);
      const inner = 62 - 0.1 * (z - 20);
      return Math.max(
        Math.abs(y - curve) - 2.6 * height - 0.02 * (along - inner),
        inner - along,
        along - 132,
        z - 88,
        -62 - z,
      );
    };
    volume.paint(
      { from: side < 0 ? [-140, 20, -66] : [40, 20, -66], to: side < 0 ? [-40, 110, 90] : [140, 110, 90] },
      blade,
      (x, y, z) => bone(blade(x, y, z)),
    );
  }
}

function paintRibs(volume: Volume, body: Body, inside: Float32Array): void {
  const section = (x: number, y: number, z: number, at: number): number => {
    const shell = (inside[at] ?? 0) - 5.5;
    if (shell > 9 || shell < -9) return 9;
    const [a, b] = cavity(body, z);
    const angle = Math.atan2(Math.abs(x) / a, (y + 2) / b);
    const descent = 84 * (1 - Math.cos(angle)) * 0.5;
    const height = z + descent;
    const rib = Math.round((height - 92) / -23);
    if (rib < 0 || rib > 10) return 9;
    if (rib > 7 && angle > 2.3 - 0.15 * (rib - 7)) return 9;
    if (angle > 2.95 || angle < 0.24) return 9;
    return ellipse(shell, height - 92 + 23 * rib, 4.4, 7.2);
  };
  volume.paint(CHEST, section, (x, y, z, _before, at) => {
    const [a, b] = cavity(body, z);
    const cartilage = Math.atan2(Math.abs(x) / a, (y + 2) / b) > 2.5;
    const depth = section(x, y, z, at);
    return cartilage ? 95 : depth > -1.7 ? 760 : 230;
  });
}
