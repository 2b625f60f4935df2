/** Replies that are kept for replay, encrypted: AES-256-GCM under a key derived from SECRET_KEY, bound to their row. */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

export interface SealReply {
  close(text: string, boundTo: Buffer): string;
  /** Empty when the text was sealed under another key: the status and headers are still right. */
  open(sealed: string, boundTo: Buffer): string;
}

const nonceBytes = 12;
const tagBytes = 16;

export function createReplySeal(secretKey: Buffer): SealReply {
  const key = Buffer.from(hkdfSync('sha256', secretKey, '', 'sluice idempotency replies v1', 32));
  return {
    close(text, boundTo) {
      const nonce = randomBytes(nonceBytes);
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(boundTo);
      const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
      return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64');
    },
    open(sealed, boundTo) {
      const bytes = Buffer.from(sealed, 'base64');
      const nonce = bytes.subarray(0, nonceBytes);
      const tag = bytes.subarray(nonceBytes, nonceBytes + tagBytes);
      try {
        const decipher = createDecipheriv('aes-256-gcm', key, nonce).setAAD(boundTo).setAuthTag(tag);
        return (
          decipher.update(bytes.subarray(nonceBytes + tagBytes), undefined, 'utf8') + decipher.final('utf8')
        );
      } catch {
        return '';
      }
    },
  };
}
