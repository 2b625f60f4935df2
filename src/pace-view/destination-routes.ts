/** `/v1/destinations`: how fast each takes mail, and why not faster. The operator's own has everybody's. */
import { z } from 'zod';
import { decodeCursor, type Page, toPage } from '../http/pagination.ts';
import { defineRoute, json, type Route } from '../http/route.ts';
import { pageOf, pageQuery } from '../http/schemas.ts';
import { destinationOut, showDestination } from './destination-schemas.ts';
import { listDestinations, type Viewer } from './destination-store.ts';
import { readWork } from './destination-work.ts';
import { type PaceViewParts, readStatuses } from './read-status.ts';

export function destinationRoutes(parts: PaceViewParts): Route[] {
  return [listRoute(parts), listAllRoute(parts)];
}

type Query = z.output<typeof pageQuery>;
type Shown = ReturnType<typeof showDestination>;

function listRoute(parts: PaceViewParts): Route {
  return defineRoute({
    ...{ method: 'get', path: '/v1/destinations', operationId: 'listDestinations', tag: 'Pace' },
    summary: 'List destinations: how fast each takes mail, and why not faster',
    description:
      'Those of one’s own transports, and those of the platform’s that one has mail for. Backlog and outstanding are one’s own; pace, limits and ' +
      'the day’s attempts are the destination’s, which a transport of the platform’s shares among all tenants. Answers while Redis is away, without the pace.',
    access: 'transports:read',
    query: pageQuery,
    responses: { 200: { description: 'One page', schema: pageOf(destinationOut) } },
    handle: async ({ tenantId, query }) => json(200, await readPage(parts, tenantId, query)),
  });
}

function listAllRoute(parts: PaceViewParts): Route {
  return defineRoute({
    ...{ method: 'get', path: '/v1/platform/destinations', operationId: 'listAllDestinations', tag: 'Pace' },
    summary: 'List the destinations of all transports and tenants',
    description:
      'Backlog and outstanding are those of all tenants together; the backlog is that of lanes that will be due, at most 300 of each destination.',
    access: 'admin',
    query: pageQuery,
    responses: { 200: { description: 'One page', schema: pageOf(destinationOut) } },
    handle: async ({ query }) => json(200, await readPage(parts, 'admin', query)),
  });
}

async function readPage(
  parts: PaceViewParts,
  viewer: Viewer,
  { cursor, page_size: size }: Query,
): Promise<Page<Shown>> {
  const [afterId] = decodeCursor(cursor, z.int()) ?? [0];
  const rows = await listDestinations(parts.db, viewer, { afterId, limit: size + 1 });
  const shown = rows.slice(0, size);
  const statuses = await readStatuses(parts, shown);
  const works = await readWork(
    parts.db,
    viewer,
    shown.map(({ id }) => id),
  );
  const nowMs = parts.clock.now();
  return toPage(rows, size, {
    item: (destination) =>
      showDestination(
        { destination, status: statuses.get(destination.id)!, work: works.get(destination.id)! },
        { viewer, nowMs },
      ),
    position: ({ id }) => [id],
  });
}
