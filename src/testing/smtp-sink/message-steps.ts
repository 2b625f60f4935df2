/** What a client does to send a message, step by step. */
import { playDialogue, type RawClient } from './raw-client.ts';

/** Up to the 354 for one message. */
export async function openMessage(client: RawClient, to = 'b@tail.example'): Promise<void> {
  await playDialogue(
    client,
    `C: MAIL FROM:<a@sender.example>
     S: 250 *
     C: RCPT TO:<${to}>
     S: 250 *
     C: DATA
     S: 354 *`,
  );
}

export async function greet(client: RawClient): Promise<void> {
  await playDialogue(
    client,
    `S: 220 *
     C: HELO client.example
     S: 250 *`,
  );
}

export async function sendMessage(client: RawClient, to?: string): Promise<string> {
  await openMessage(client, to);
  await client.send('Message-ID: <1@sender.example>\r\n\r\nHello\r\n.\r\n');
  return client.reply();
}
