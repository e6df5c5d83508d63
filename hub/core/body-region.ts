/**
 * Which region of the body an exam shows, found in what hospitals write about it: codes and words of orders, DICOM's Body
 * Part Examined (PS3.16 annex L), titles. For putting alike exams together on a time line, never for a decision about care.
 */

export const BODY_REGIONS = [
  'head',
  'neck',
  'chest',
  'breast',
  'heart',
  'abdomen',
  'pelvis',
  'spine',
  'upper-limb',
  'lower-limb',
  'whole-body',
] as const;
export type BodyRegion = (typeof BODY_REGIONS)[number] | 'other';

/** In the order in which they are looked for: 颈椎 is spine before 颈 is neck, 乳腺 stands before 胸. */
const WORDS: readonly (readonly [BodyRegion, RegExp])[] = [
  ['whole-body', /全身|whole ?body|wholebody/i],
  ['breast', /乳腺|乳房|钼靶|breast|mammo/i],
  ['heart', /心脏|冠脉|冠状动脉|冠状|心肌|超声心动|heart|cardiac|coronary|echocard/i],
  ['spine', /椎|脊柱|骶尾|spine|spinal|lumbar|[ct]spine|\bssp\b|sacrum|coccyx/i],
  ['neck', /甲状腺|颈|喉|neck|thyroid|carotid|larynx|cervical/i],
  ['head', /头|颅|脑|垂体|鼻|眼|眶|耳|乳突|颌|面|牙|齿|head|brain|skull|sella|pituitary|orbit|sinus|face|jaw|\bear\b/i],
  ['chest', /胸|肺|肋|纵隔|食管|食道|chest|lung|thora|\brib|sternum|esophag|mediastin/i],
  [
    'upper-limb',
    /肩|肱|肘|前臂|尺骨|桡骨|腕|手|锁骨|上肢|shoulder|humerus|elbow|forearm|wrist|hand|clavicle|finger|upper ?(limb|extremity)/i,
  ],
  [
    'lower-limb',
    /髋|股骨|膝|胫|腓|踝|足|下肢|跟骨|\bhip\b|femur|thigh|knee|tibia|\bleg\b|ankle|foot|calcaneus|toe|lower ?(limb|extremity)/i,
  ],
  ['pelvis', /盆|膀胱|前列腺|子宫|卵巢|附件|直肠|pelvi|bladder|prostate|uterus|ovar|rectum/i],
  [
    'abdomen',
    /腹|肝|胆|胰|脾|肾|胃|肠|输尿管|泌尿|abdom|liver|gallbladder|biliary|pancrea|spleen|kidney|renal|stomach|bowel|colon|urinary/i,
  ],
];

/** The first text that names a region tells; `other` where none does. */
export function regionOf(texts: readonly (string | null | undefined)[]): BodyRegion {
  for (const text of texts) {
    if (text === null || text === undefined) continue;
    const found = WORDS.find(([, pattern]) => pattern.test(text));
    if (found !== undefined) return found[0];
  }
  return 'other';
}
