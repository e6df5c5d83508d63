/**
 * ID numbers in columns that are compared, joined and told again: the same number is the same word everywhere, which only
 * the keys open. A synthetic IV (RFC 5297's construction, with HMAC-SHA-256 and AES-256-CTR): deterministic, authenticated.
 */
import { createCipheriv, createDecipheriv, createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import { idNumbersIn } from '../core/id-number.ts';
import type { Place } from '../core/id-number.ts';
import type { NumberSeal } from '../core/sealing.ts';

/** Letters and digits of RFC 4648 base32 in small: a word survives lower(), JSON, arrays, LIKE and every separator. */
const MARK = 'hsn1';
const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';
const WORD = /hsn1[a-z2-7]{38,}(?![A-Za-z0-9])/g;
const IV = 16;

/** `key` is the hub's key of what it searches by: rotation of data keys does not change it. */
export function numberSeal(key: Uint8Array): NumberSeal {
  const derive = (use: string): Buffer =>
    Buffer.from(hkdfSync('sha256', key, Buffer.alloc(0), `hutong id number ${use}`, 32));
  const [authentication, encryption] = [derive('authentication'), derive('encryption')];
  const ivOf = (plain: Uint8Array): Buffer =>
    createHmac('sha256', authentication).update(plain).digest().subarray(0, IV);

  function word(number: string): string {
    const plain = Buffer.from(number);
    const iv = ivOf(plain);
    const cipher = createCipheriv('aes-256-ctr', encryption, iv);
    return MARK + base32(Buffer.concat([iv, cipher.update(plain), cipher.final()]));
  }

  /** What the keys did not make is no word: it stays as it is. */
  function numberOf(text: string): string {
    const bytes = fromBase32(text.slice(MARK.length));
    const iv = bytes.subarray(0, IV);
    const decipher = createDecipheriv('aes-256-ctr', encryption, iv);
    const plain = Buffer.concat([decipher.update(bytes.subarray(IV)), decipher.final()]);
    return timingSafeEqual(ivOf(plain), iv) ? plain.toString() : text;
  }

  /**
   * Words that somebody else sends, who has them from a backup: closed once more, they are told as they came, and nobody
   * learns a number by sending its word.
   */
  function wordsIn(text: string): Place[] {
    if (!text.includes(MARK)) return [];
    const words = [...text.matchAll(WORD)].filter(([found]) => numberOf(found) !== found);
    return words.map(({ 0: found, index }) => [index, index + found.length]);
  }

  return {
    close(text) {
      const places = [...idNumbersIn(text), ...wordsIn(text)].sort(([a], [b]) => a - b);
      if (places.length === 0) return text;
      let closed = '';
      let from = 0;
      for (const [start, end] of places) {
        closed += text.slice(from, start) + word(text.slice(start, end));
        from = end;
      }
      return closed + text.slice(from);
    },
    open: (text) => (text.includes(MARK) ? text.replace(WORD, numberOf) : text),
  };
}

function base32(bytes: Uint8Array): string {
  let [bits, value, text] = [0, 0, ''];
  for (const byte of bytes) {
    value = ((value & 31) << 8) | byte;
    for (bits += 8; bits >= 5; bits -= 5) text += ALPHABET.charAt((value >>> (bits - 5)) & 31);
  }
  return bits > 0 ? text + ALPHABET.charAt((value << (5 - bits)) & 31) : text;
}

function fromBase32(text: string): Buffer {
  const bytes: number[] = [];
  let [bits, value] = [0, 0];
  for (const sign of text) {
    value = ((value & 255) << 5) | ALPHABET.indexOf(sign);
    bits += 5;
    if (bits >= 8) bytes.push((value >>> (bits -= 8)) & 255);
  }
  return Buffer.from(bytes);
}
