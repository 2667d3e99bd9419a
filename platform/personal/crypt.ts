import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const KEY_BYTES = 32;

/** A key of 32 bytes for AES-256-GCM. */
export type Key = Buffer;

export const newKey = (): Key => randomBytes(KEY_BYTES);

/** A key made of a secret text, which has to be as hard to guess as a key. */
export const keyFrom = (secret: string): Key =>
  Buffer.from(hkdfSync('sha256', secret, '', 'hailway subject keys', KEY_BYTES));

/**
 * Encrypts, bound to a text: nonce, ciphertext and tag in one. Nonces are random, which is sound for as many as 2^32
 * under one key: more than a person has facts.
 */
export function encrypt(key: Key, plain: Uint8Array, boundTo: string): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, key, nonce).setAAD(Buffer.from(boundTo));
  return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

/** @throws Error where the key, the text it is bound to or a bit of it is another one */
export function decrypt(key: Key, sealed: Buffer, boundTo: string): Buffer {
  if (sealed.length < NONCE_BYTES + TAG_BYTES) throw new Error('too short to be anything sealed');
  const decipher = createDecipheriv(CIPHER, key, sealed.subarray(0, NONCE_BYTES), {
    authTagLength: TAG_BYTES,
  })
    .setAAD(Buffer.from(boundTo))
    .setAuthTag(sealed.subarray(-TAG_BYTES));
  return Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
}
