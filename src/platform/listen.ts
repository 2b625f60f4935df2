import type { Server } from 'node:net';

/** Rejects when the port can't be had: a server that doesn't listen is no server. */
export function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
