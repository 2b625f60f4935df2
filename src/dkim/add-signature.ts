/** A rendered message with its signatures in front: bytes of the recipient's own like others, so that splicing and sizes need not know of them. */
import type { CompiledMessage, RenderedMessage } from '../render/message.ts';
import { messageBuffers } from '../render/splice.ts';
import { type DkimKey, signMessage } from './sign-message.ts';

export interface SigningTerms {
  readonly keys: readonly DkimKey[];
  readonly atMs: number;
}

/** Without keys, the same message. Rejects when a key can't sign. */
export async function addSignature(
  compiled: CompiledMessage,
  message: RenderedMessage,
  { keys, atMs }: SigningTerms,
): Promise<RenderedMessage> {
  if (keys.length === 0) return message;
  const fields = await signMessage(messageBuffers(compiled, message), keys, atMs);
  return { ...message, parts: [fields, ...message.parts] };
}
