/** Holds a reply against what the route's spec promises, so that tests find documentation that lies. */
import type { TextReply } from './reply.ts';
import type { Route } from './route.ts';

export function assertReply(route: Route, { status, body }: TextReply): void {
  const promised = route.responses[status];
  if (!promised) throw new Error(`${route.operationId} answers ${status}, which it does not document`);
  if (!promised.schema) return;
  const result = promised.schema.safeParse(JSON.parse(body || 'null'));
  if (!result.success) {
    throw new Error(
      `${route.operationId} answers ${status} with another body than it documents: ${result.error.message}`,
    );
  }
}
